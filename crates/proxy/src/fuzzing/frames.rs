//! WebSocket frames.

use crate::worker::Frames;

/// Bytes of one direction of a WebSocket. The ends of frames are where another reader finds them, however the bytes are
/// cut, and nothing is taken for the end of a frame that is not.
pub fn websocket_frames(bytes: &[u8]) {
    let mut whole = Frames::default();
    whole.follow(bytes);
    let mut in_pieces = Frames::default();
    bytes.chunks(bytes.len() % 5 + 1).for_each(|piece| in_pieces.follow(piece));
    assert_eq!(whole.at_boundary(), in_pieces.at_boundary(), "it matters how the bytes come");

    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, used) = (frame(rest), Frames::default().of_one_frame(rest));
        assert_eq!(used, length.unwrap_or(rest.len()), "two readers see two frames");
        let mut frames = Frames::default();
        frames.follow(&rest[..used]);
        assert_eq!(frames.at_boundary(), length.is_some());
        rest = &rest[used..];
    }
}

/// The length of the first frame with its head (RFC 6455, section 5.2), if all of it is there.
fn frame(bytes: &[u8]) -> Option<usize> {
    let (masked, short) = (bytes.get(1)? >> 7, bytes.get(1)? & 0x7f);
    let (head, payload) = match short {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let head = head + if masked == 1 { 4 } else { 0 };
    let whole = usize::try_from(payload).ok()?.checked_add(head)?;
    (bytes.len() >= whole).then_some(whole)
}
