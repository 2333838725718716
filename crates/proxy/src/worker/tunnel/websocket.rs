//! Frames of WebSockets (RFC 6455, section 5.2), followed just so far that a message of our own can be put between two of
//! them.

/// Finds the ends of frames in one direction.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The beginning of a frame's head.
    head: Vec<u8>,
    /// Bytes of its payload that are still to come.
    left: u64,
}

impl Frames {
    /// Whether the last frame has ended and no other has begun.
    pub(crate) fn at_boundary(&self) -> bool {
        self.left == 0 && self.head.is_empty()
    }

    /// How many of these bytes belong to the frame that has begun, or to the first one if none has.
    pub(crate) fn of_one_frame(&self, bytes: &[u8]) -> usize {
        let mut ahead = Self { head: self.head.clone(), left: self.left };
        let mut used = 0;
        while used < bytes.len() && (used == 0 || !ahead.at_boundary()) {
            used += ahead.step(&bytes[used..]);
        }
        used
    }

    /// Follows bytes that were passed on.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.step(bytes)..];
        }
    }

    /// Takes one byte of a head, or as much of a payload as there is.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.left > 0 {
            let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= here as u64;
            return here;
        }
        self.head.extend(bytes.first());
        if let Some(left) = payload(&self.head) {
            self.left = left;
            self.head.clear();
        }
        1
    }
}

/// The length of the payload, once the whole head has come.
fn payload(head: &[u8]) -> Option<u64> {
    let (mask, short) = (head.get(1)? & 0x80, head.get(1)? & 0x7f);
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let whole = 2 + extended + if mask == 0 { 0 } else { 4 };
    if head.len() < whole {
        return None;
    }
    let said = head.get(2..2 + extended)?;
    Some(if extended == 0 {
        u64::from(short)
    } else {
        said.iter().fold(0, |length, byte| length << 8 | u64::from(*byte))
    })
}

/// Close, with status 1001: going away.
const GOING_AWAY: [u8; 2] = 1001u16.to_be_bytes();

/// What a server sends to say that it goes away.
pub(super) fn close_from_server() -> [u8; 4] {
    [0x88, 0x02, GOING_AWAY[0], GOING_AWAY[1]]
}

/// What a client sends to say that it goes away. Clients mask what they send.
pub(super) fn close_from_client(mask: [u8; 4]) -> [u8; 8] {
    let [first, second, third, fourth] = mask;
    [0x88, 0x82, first, second, third, fourth, GOING_AWAY[0] ^ first, GOING_AWAY[1] ^ second]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(masked: bool, payload: usize) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match payload {
            0..126 => frame.push(mask | payload as u8),
            126..65_536 => {
                frame.push(mask | 126);
                frame.extend((payload as u16).to_be_bytes());
            }
            _ => {
                frame.push(mask | 127);
                frame.extend((payload as u64).to_be_bytes());
            }
        }
        frame.resize(frame.len() + if masked { 4 } else { 0 } + payload, 0xff);
        frame
    }

    proptest! {
        #[test]
        fn the_end_of_each_frame_is_found_however_it_is_cut(
            frames in proptest::collection::vec((any::<bool>(), prop_oneof![0usize..300, Just(70_000)]), 1..5),
            cut in 1usize..4_000,
        ) {
            let frames: Vec<Vec<u8>> = frames.into_iter().map(|(masked, payload)| frame(masked, payload)).collect();
            let mut followed = Frames::default();
            for frame in &frames {
                prop_assert!(followed.at_boundary());
                let with_more = [&frame[..], b"\x82\x05abc"].concat();
                prop_assert_eq!(followed.of_one_frame(&with_more), frame.len());
                for piece in frame[..frame.len() - 1].chunks(cut) {
                    followed.follow(piece);
                    prop_assert!(!followed.at_boundary());
                }
                followed.follow(&frame[frame.len() - 1..]);
            }
            prop_assert!(followed.at_boundary());
        }
    }

    #[test]
    fn going_away_is_1001() {
        assert_eq!(close_from_server(), [0x88, 2, 3, 0xe9]);
        assert_eq!(close_from_client([1, 2, 3, 4]), [0x88, 0x82, 1, 2, 3, 4, 3 ^ 1, 0xe9 ^ 2]);
    }
}
