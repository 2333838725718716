//! What keeps a deployment from going on: nothing is recorded then, so nothing would be seen of it.

use std::time::{Duration, Instant};

/// How the conductor begins to say that it has met an error and tries again.
const BEGINS: &str = "cannot go on for now: ";
/// What is over sooner is not worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// The trouble that was seen last. Between two attempts something else may be shown for a moment; only an event proves
/// that it is over, and begins with a new one of these.
#[derive(Debug, Default)]
pub struct Trouble {
    words: String,
    since: Option<Instant>,
    told: bool,
}

impl Trouble {
    /// Looks at what a deployment does; says a trouble that lasts, and each only once.
    pub fn look(&mut self, activity: &str, now: Instant) -> Option<String> {
        if !activity.starts_with(BEGINS) {
            return None;
        }
        if activity != self.words {
            *self = Self { words: activity.to_owned(), since: Some(now), told: false };
        }
        let lasts = self.since.is_some_and(|since| now.duration_since(since) > PATIENCE);
        if !lasts || self.told {
            return None;
        }
        self.told = true;
        Some(self.words.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_it_lasts_and_only_once() {
        let mut trouble = Trouble::default();
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let (full, broken) = ("cannot go on for now: the disk is full", "cannot go on for now: it broke");
        assert_eq!(trouble.look(full, begun), None);
        assert_eq!(trouble.look("switching the traffic", after(1)), None);
        assert_eq!(trouble.look(full, after(3)).as_deref(), Some(full));
        assert_eq!(trouble.look(full, after(9)), None);
        assert_eq!(trouble.look(broken, after(10)), None);
        assert_eq!(trouble.look(broken, after(13)).as_deref(), Some(broken));
    }
}
