//! The columns of the table: what stands in them, and which go first where there is no room.

use std::time::Duration;

use super::report::VersionFigures;
use crate::words;

/// A column.
pub struct Column {
    pub title: &'static str,
    /// The columns with the highest go first where there is no room; those with 0 stay.
    pub spare: u8,
    pub cell: fn(&VersionFigures) -> String,
}

/// Stands where there is nothing to say.
const NOTHING: &str = "–";

/// Of `edge top`, from left to right.
pub const COLUMNS: [Column; 15] = [
    Column { title: "STATE", spare: 2, cell: |version| version.state.word().to_owned() },
    Column { title: "WEIGHT", spare: 4, cell: |version| share(version.weight) },
    Column { title: "SHARE", spare: 3, cell: |version| share(version.share) },
    Column { title: "REQ/S", spare: 0, cell: |version| rate(version.requests_per_second) },
    Column { title: "FAILED", spare: 0, cell: |version| share(version.failed_ratio) },
    Column { title: "P50", spare: 6, cell: |version| latency(version.p50_micros) },
    Column { title: "P95", spare: 8, cell: |version| latency(version.p95_micros) },
    Column { title: "P99", spare: 1, cell: |version| latency(version.p99_micros) },
    Column { title: "P99.9", spare: 7, cell: |version| latency(version.p999_micros) },
    Column { title: "IN FLIGHT", spare: 5, cell: |version| version.in_flight.to_string() },
    Column { title: "IN/S", spare: 11, cell: |version| bytes(version.bytes_in_per_second) },
    Column { title: "OUT/S", spare: 10, cell: |version| bytes(version.bytes_out_per_second) },
    Column { title: "RETRIES", spare: 9, cell: |version| version.retries.to_string() },
    Column { title: "EJECTED", spare: 12, cell: |version| version.ejections.to_string() },
    Column { title: "MIRRORED/S", spare: 13, cell: |version| rate(version.mirrored_per_second) },
];

/// A part from 0 to 1 as a percentage; a small one is never nothing.
pub fn share(part: Option<f64>) -> String {
    match part.map(|part| part * 100.0) {
        None => NOTHING.to_owned(),
        Some(percent) if percent == 0.0 || percent >= 99.995 => format!("{percent:.0} %"),
        Some(percent) if percent < 0.01 => "<0.01 %".to_owned(),
        Some(percent) if percent < 10.0 => format!("{percent:.2} %"),
        Some(percent) => format!("{percent:.1} %"),
    }
}

/// So many a second.
pub fn rate(per_second: f64) -> String {
    match per_second {
        0.0 => "0".to_owned(),
        few if few < 99.95 => format!("{few:.1}"),
        many => format!("{many:.0}"),
    }
}

fn latency(micros: Option<u64>) -> String {
    match micros {
        None => NOTHING.to_owned(),
        Some(micros) if micros < 1_000 => format!("{micros} µs"),
        Some(micros) if micros < 1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        Some(micros) => words::span(Duration::from_micros(micros)),
    }
}

fn bytes(per_second: f64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut amount = per_second;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && amount < 99.95);
    format!("{amount:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_never_hide_the_little_there_is() {
        let shares = [None, Some(0.0), Some(0.000_01), Some(0.05), Some(0.5), Some(0.999), Some(1.0)];
        assert_eq!(shares.map(share), ["–", "0 %", "<0.01 %", "5.00 %", "50.0 %", "99.9 %", "100 %"]);
        assert_eq!([0.0, 0.2, 99.9, 1_234.5].map(rate), ["0", "0.2", "99.9", "1234"]);
        let latencies = [None, Some(900), Some(2_150), Some(1_500_000)];
        assert_eq!(latencies.map(latency), ["–", "900 µs", "2.1 ms", "1.5 s"]);
        let amounts = [0.0, 999.0, 1_500.0, 250_000.0, 3.2e9, 5e12];
        assert_eq!(amounts.map(bytes), ["0 B", "999 B", "1.5 kB", "250 kB", "3.2 GB", "5000 GB"]);
    }
}
