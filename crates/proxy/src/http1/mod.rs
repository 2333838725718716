//! HTTP/1 as bytes (RFC 9112): where a head ends, what it says, how a body is cut up, and how both are written. Nothing
//! here reads a socket.
//!
//! The tokens of a head are told apart by `httparse`; what two readers could understand differently is refused on top of
//! that, since requests are smuggled through such differences.

mod chunked;
mod parse;
mod scan;
mod write;

pub(crate) use chunked::{ChunkFault, ChunkedDecoder, Step};
pub(crate) use parse::{is_host, number, parse_request, parse_response};
pub(crate) use scan::{HeadFault, HeadScanner, LONGEST_HEAD};
pub(crate) use write::{write_chunk_start, write_field, write_request_line, write_status_line};
