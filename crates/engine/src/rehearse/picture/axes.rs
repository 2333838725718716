//! A panel with its axes: time to the right, a share from 0 to 100 % upwards.

use std::fmt::Write as _;
use std::time::Duration;

use pilotage_spec::format_duration;

/// The part of the picture that a diagram is drawn in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The time at its right edge.
    pub(super) end: Duration,
}

/// The times between two marks, in seconds: round ones, as people count time.
const MARKS: [u64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];
/// Marks on the time axis at most.
const MOST_MARKS: u64 = 8;

impl Panel {
    pub(super) fn x(&self, time: Duration) -> f64 {
        self.left + self.width * (time.as_secs_f64() / self.end.as_secs_f64()).min(1.0)
    }

    pub(super) fn y(&self, share: f64) -> f64 {
        self.top + self.height * (1.0 - share)
    }

    /// The line that a row of the legend stands on.
    pub(super) fn legend(&self, row: usize) -> f64 {
        self.top + self.height + if row == 0 { 60.0 } else { 82.0 }
    }

    /// Grid, marks and a headline.
    pub(super) fn axes(&self, headline: &str) -> String {
        let (left, right) = (self.left, self.left + self.width);
        let mut svg =
            format!("<text class=\"ink head\" x=\"{left}\" y=\"{:.1}\">{headline}</text>\n", self.top - 16.0);
        for percent in [0_u32, 25, 50, 75, 100] {
            let y = self.y(f64::from(percent) / 100.0);
            // Writing to a string does not fail; nor does it below.
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{left},{y:.1} H{right}\"/>\n<text class=\"quiet\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{percent} %</text>\n",
                left - 8.0,
                y + 4.5
            );
        }
        let bottom = self.y(0.0);
        for mark in self.marks() {
            let x = self.x(mark);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1},{bottom:.1} v6\"/>\n<text class=\"quiet\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>\n",
                bottom + 21.0,
                format_duration(mark)
            );
        }
        let _ = writeln!(
            svg,
            "<text class=\"quiet\" text-anchor=\"end\" x=\"{right}\" y=\"{:.1}\">since the candidate's first request</text>",
            bottom + 38.0
        );
        svg
    }

    fn marks(&self) -> impl Iterator<Item = Duration> + use<> {
        let end = self.end.as_secs();
        let round = MARKS.into_iter().find(|mark| end / mark < MOST_MARKS);
        // Beyond days: as many days as it takes.
        let every = round.unwrap_or_else(|| (end / MOST_MARKS).div_ceil(86_400).max(1) * 86_400);
        (0..=end / every).map(move |number| Duration::from_secs(number * every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_few_and_round() {
        for (minutes, every, count) in
            [(40, 600, 5), (3, 30, 7), (600, 7_200, 6), (60 * 24 * 30, 4 * 86_400, 8)]
        {
            let panel = Panel {
                left: 0.0,
                top: 0.0,
                width: 1.0,
                height: 1.0,
                end: Duration::from_secs(minutes * 60),
            };
            let marks: Vec<Duration> = panel.marks().collect();
            assert_eq!(marks[1], Duration::from_secs(every), "{minutes} minutes");
            assert_eq!(marks.len(), count, "{minutes} minutes");
        }
    }
}
