//! What is counted of copies of requests, and what their answers show.

use serde::{Deserialize, Serialize};

use super::Histogram;

/// What came of copies of requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MirrorStats {
    /// Copies answered, whatever the status.
    pub requests: u64,
    /// Of these, answers with status 500 and above.
    pub errors: u64,
    /// Copies that failed on the way, or were not answered in time.
    pub broken: u64,
    /// Requests that should have been copied and were not: the queue was full, or the bytes of this second were used up.
    pub dropped: u64,
    /// Of the copies answered, those whose answer was compared with the one that the user got.
    #[serde(default)]
    pub compared: u64,
    /// Of these, answers with another status.
    #[serde(default)]
    pub differing_status: u64,
    /// Of these, answers with the same status and another body.
    #[serde(default)]
    pub differing_body: u64,
    /// Of the copies answered, those that were to be compared and could not be: the user got no whole answer from a
    /// version, or one of the bodies was too long or compressed, or there was no time.
    #[serde(default)]
    pub uncompared: u64,
    /// The last differences, each different from the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<MirrorDifference>,
    /// Bytes of copies, heads and bodies.
    pub bytes: u64,
    /// Latency of the answers' heads, in microseconds.
    pub latency: Histogram,
    /// All latencies added up, in microseconds.
    #[serde(default)]
    pub latency_sum_micros: u64,
}

/// How many differences are kept of a version.
const MOST_EXAMPLES: usize = 8;

/// Bytes of each text of a difference that are kept.
const LONGEST_TEXT: usize = 256;

/// An answer to a copy that differed from the one that the user got. Says where, never what: values may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorDifference {
    /// The method of the request.
    pub method: String,
    /// The path of the request, without its query.
    pub path: String,
    /// The status that the user got.
    pub own_status: u16,
    /// The status of the answer to the copy.
    pub copy_status: u16,
    /// Where two bodies in JSON differ first (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl MirrorDifference {
    /// Keeps it as the last one, unless it is known.
    pub(crate) fn keep_in(self, examples: &mut Vec<Self>) {
        if examples.contains(&self) {
            return;
        }
        if examples.len() >= MOST_EXAMPLES {
            examples.remove(0);
        }
        examples.push(self);
    }
}

/// A text as a difference shows it: cut, and with U+FFFD for what is not UTF-8.
pub(crate) fn shown(text: &[u8]) -> String {
    let cut = text.get(..LONGEST_TEXT).unwrap_or(text);
    String::from_utf8_lossy(cut).into_owned()
}

impl MirrorStats {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was counted elsewhere of the same version.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.broken += other.broken;
        self.dropped += other.dropped;
        self.compared += other.compared;
        self.differing_status += other.differing_status;
        self.differing_body += other.differing_body;
        self.uncompared += other.uncompared;
        other.examples.iter().for_each(|example| example.clone().keep_in(&mut self.examples));
        self.bytes += other.bytes;
        self.latency.merge(&other.latency);
        self.latency_sum_micros = self.latency_sum_micros.wrapping_add(other.latency_sum_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str) -> MirrorDifference {
        MirrorDifference {
            method: "GET".to_owned(),
            path: path.to_owned(),
            own_status: 200,
            copy_status: 500,
            pointer: None,
        }
    }

    #[test]
    fn the_last_examples_are_kept_and_none_of_them_twice() {
        let mut stats = MirrorStats::default();
        for index in 0..20 {
            let examples = vec![difference(&format!("/{index}")), difference("/19")];
            stats.merge(&MirrorStats { examples, ..MirrorStats::default() });
        }
        assert_eq!(stats.examples.len(), MOST_EXAMPLES);
        assert_eq!(stats.examples.iter().filter(|example| example.path == "/19").count(), 1);
    }

    #[test]
    fn texts_are_cut_wherever_a_letter_ends() {
        assert!(shown("ä".repeat(1_000).as_bytes()).len() <= LONGEST_TEXT + 3);
        assert_eq!(shown(b"/\xff"), "/\u{fffd}");
    }
}
