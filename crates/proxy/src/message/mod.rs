//! Messages as the edge holds them between two connections, whatever protocol either speaks: a head is one buffer and a
//! list of places in it, reused from message to message, so that passing one on allocates nothing.

mod fields;
mod head;
mod name;

pub(crate) use fields::{Fields, listed};
pub(crate) use head::{BodyLength, Protocol, RequestHead, ResponseHead};
pub(crate) use name::Name;
