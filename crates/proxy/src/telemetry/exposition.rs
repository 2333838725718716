//! The text format of Prometheus, version 0.0.4:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::fmt::{Display, Write};

use crate::Histogram;

/// The content type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds of histogram buckets, in microseconds.
const BOUNDS_MICROS: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// Names and values of labels.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// What kind of metric a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Metrics as text, family by family. Samples must follow the head of their family.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        // Writing to a string cannot fail; neither can it below.
        let _ = write!(self.text, "# HELP {name} ");
        escape(&mut self.text, help, false);
        let _ = writeln!(self.text, "\n# TYPE {name} {}", kind.as_str());
    }

    /// A sample of a counter or gauge.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.series(name, "", labels, None);
        let _ = writeln!(self.text, " {value}");
    }

    /// The samples of a histogram of microseconds, as seconds. A value is counted under the bounds that it certainly does not
    /// exceed; the histogram knows it to 3 %.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        histogram: &Histogram,
        sum_micros: u64,
    ) {
        let counts = histogram.counts_up_to(&BOUNDS_MICROS);
        for (bound, count) in BOUNDS_MICROS.iter().zip(counts) {
            self.series(name, "_bucket", labels, Some(&seconds(*bound).to_string()));
            let _ = writeln!(self.text, " {count}");
        }
        let count = histogram.count();
        self.series(name, "_bucket", labels, Some("+Inf"));
        let _ = writeln!(self.text, " {count}");
        self.series(name, "_sum", labels, None);
        let _ = writeln!(self.text, " {}", seconds(sum_micros));
        self.series(name, "_count", labels, None);
        let _ = writeln!(self.text, " {count}");
    }

    /// All that was written.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A name with its labels; `bound` is that of a bucket.
    fn series(&mut self, name: &str, suffix: &str, labels: Labels<'_>, bound: Option<&str>) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (label, value) in labels.iter().copied().chain(bound) {
            let _ = write!(self.text, "{before}{label}=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
    }
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// Quotes stand for themselves in a help text.
fn escape(text: &mut String, value: &str, quotes: bool) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_under_their_family_and_odd_labels_are_escaped() {
        let mut exposition = Exposition::default();
        exposition.family("open", Kind::Gauge, "Open \"now\",\nback\\slash.");
        exposition.sample("open", &[], 3);
        exposition.sample("open", &[("route", "a\"b\\c\nd"), ("version", "1.0.0")], 0.5);
        let expected = "# HELP open Open \"now\",\\nback\\\\slash.\n# TYPE open gauge\nopen 3\n\
                        open{route=\"a\\\"b\\\\c\\nd\",version=\"1.0.0\"} 0.5\n";
        assert_eq!(exposition.into_text(), expected);
    }

    #[test]
    fn buckets_hold_all_that_is_below_them() {
        let mut histogram = Histogram::default();
        [40, 100, 101, 900, 2_000_000, 90_000_000].into_iter().for_each(|micros| histogram.record(micros));
        let mut exposition = Exposition::default();
        exposition.histogram("took", &[("route", "r")], &histogram, 92_001_141);
        let text = exposition.into_text();
        for line in [
            "took_bucket{route=\"r\",le=\"0.0001\"} 1\n",
            "took_bucket{route=\"r\",le=\"0.00025\"} 3\n",
            "took_bucket{route=\"r\",le=\"0.001\"} 4\n",
            "took_bucket{route=\"r\",le=\"1\"} 4\n",
            "took_bucket{route=\"r\",le=\"2.5\"} 5\n",
            "took_bucket{route=\"r\",le=\"60\"} 5\n",
            "took_bucket{route=\"r\",le=\"+Inf\"} 6\n",
            "took_sum{route=\"r\"} 92.001141\n",
            "took_count{route=\"r\"} 6\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
