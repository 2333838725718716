//! Figures as lines of text.

use std::time::Duration;

use pilotage_spec::format_duration;

use super::columns::{COLUMNS, Column, rate, share};
use super::report::{Report, RouteFigures, State, VersionFigures};
use crate::printer::Tone;
use crate::words::{count, cut};

const GAP: &str = "  ";

/// The lines of a report, none of which is wider than `width`.
pub fn lines(report: &Report, width: usize) -> Vec<(Tone, String)> {
    let mut lines = vec![(Tone::Plain, headline(report))];
    if report.edge.access_log_dropped > 0 {
        let dropped = count(usize::try_from(report.edge.access_log_dropped).unwrap_or(usize::MAX), "line");
        lines.push((Tone::Bad, format!("! the access log dropped {dropped}")));
    }
    if report.routes.is_empty() {
        lines.push((Tone::Quiet, "· the edge has no routes".to_owned()));
    } else {
        lines.extend(table(&report.routes, width));
    }
    lines.into_iter().map(|(tone, line)| (tone, cut(line.trim_end(), width))).collect()
}

fn headline(report: &Report) -> String {
    let edge = &report.edge;
    let failed = edge.failed_ratio.map(|failed| format!(", {} failed", share(Some(failed))));
    let connections = usize::try_from(edge.connections).unwrap_or(usize::MAX);
    format!(
        "{} requests/s{}, {}, over {:.0} s; table {}; edge {} (process {}), up {}",
        rate(edge.requests_per_second),
        failed.unwrap_or_default(),
        count(connections, "connection"),
        report.seconds,
        edge.epoch,
        edge.version,
        edge.pid,
        format_duration(Duration::from_secs(edge.up_seconds)),
    )
}

/// One table for all routes, so that figures can be compared.
fn table(routes: &[RouteFigures], width: usize) -> Vec<(Tone, String)> {
    let versions: Vec<&VersionFigures> = routes.iter().flat_map(|route| &route.versions).collect();
    let names = versions.iter().map(|version| version.version.chars().count());
    let name_width = names.max().unwrap_or(0).max("VERSION".len());
    let columns = fitting(&versions, width.saturating_sub(name_width + 2));

    let titles = columns.iter().map(|(column, width)| cell(column, *width, column.title));
    let titles: String = titles.collect();
    let mut lines = vec![(Tone::Quiet, format!("{GAP}{:name_width$}{titles}", "VERSION"))];
    for route in routes {
        lines.push((Tone::Plain, route.route.clone()));
        lines.extend(trouble(route));
        for version in &route.versions {
            let (tone, glyph) = look(version.state);
            let cells = columns.iter().map(|(column, width)| cell(column, *width, &(column.cell)(version)));
            let cells: String = cells.collect();
            lines.push((tone, format!("{glyph} {:name_width$}{cells}", version.version)));
        }
    }
    lines
}

/// The columns that there is room for, with their widths.
fn fitting(versions: &[&VersionFigures], room: usize) -> Vec<(&'static Column, usize)> {
    let width = |column: &Column| {
        let cells = versions.iter().map(|version| (column.cell)(version).chars().count());
        cells.max().unwrap_or(0).max(column.title.len())
    };
    let mut columns: Vec<(&Column, usize)> = COLUMNS.iter().map(|column| (column, width(column))).collect();
    while columns.iter().map(|(_, width)| width + GAP.len()).sum::<usize>() > room
        && let Some(spare) = columns.iter().map(|(column, _)| column.spare).max().filter(|spare| *spare > 0)
    {
        columns.retain(|(column, _)| column.spare != spare);
    }
    columns
}

/// Words stand on the left, figures on the right.
fn cell(column: &Column, width: usize, text: &str) -> String {
    if column.title == "STATE" { format!("{GAP}{text:<width$}") } else { format!("{GAP}{text:>width$}") }
}

/// What goes wrong on a route whatever the version.
fn trouble(route: &RouteFigures) -> Option<(Tone, String)> {
    let parts = [
        (route.unserved_per_second > 0.0).then(|| format!("{} unserved/s", rate(route.unserved_per_second))),
        (route.refused_per_second > 0.0).then(|| format!("{} refused/s", rate(route.refused_per_second))),
        (route.waiting > 0).then(|| format!("{} waiting", route.waiting)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| (Tone::Bad, format!("! {}", parts.join(", "))))
}

fn look(state: State) -> (Tone, &'static str) {
    match state {
        State::Serving => (Tone::Plain, "▸"),
        State::Failing | State::NoInstances => (Tone::Bad, "✗"),
        State::Draining => (Tone::Moving, "‖"),
        State::Mirror => (Tone::Moving, "⧉"),
        State::Standby => (Tone::Quiet, "·"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Edge;
    use super::*;

    fn version(name: &str, state: State, weight: f64) -> VersionFigures {
        VersionFigures {
            version: name.to_owned(),
            state,
            weight: Some(weight),
            share: Some(weight),
            instances: 2,
            requests_per_second: 1_000.0 * weight,
            failed_ratio: Some(0.001),
            p50_micros: Some(900),
            p90_micros: Some(1_800),
            p95_micros: Some(2_100),
            p99_micros: Some(5_400),
            p999_micros: Some(12_000),
            in_flight: 3,
            bytes_in_per_second: 0.0,
            bytes_out_per_second: 1.5e6,
            retries: 1,
            ejections: 0,
            mirrored_per_second: 0.0,
            mirrored_failed: 0,
            mirrored_dropped: 0,
        }
    }

    fn report() -> Report {
        let route = RouteFigures {
            route: "production/web".to_owned(),
            requests_per_second: 1_000.0,
            unserved_per_second: 0.4,
            refused_per_second: 0.0,
            waiting: 2,
            versions: vec![version("1.1.0", State::Failing, 0.05), version("1.0.0", State::Serving, 0.95)],
        };
        Report {
            timestamp: "2026-01-01T00:00:00Z".to_owned(),
            seconds: 5.0,
            edge: Edge {
                version: "0.1.0".to_owned(),
                pid: 4711,
                up_seconds: 310,
                epoch: 17,
                connections: 32,
                connections_per_second: 0.0,
                requests_per_second: 1_000.0,
                failed_ratio: Some(0.001),
                access_log_dropped: 0,
            },
            routes: vec![route],
        }
    }

    fn text(report: &Report, width: usize) -> String {
        lines(report, width).into_iter().map(|(_, line)| line + "\n").collect()
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        insta::assert_snapshot!(text(&report(), 200), @r"
        1000 requests/s, 0.10 % failed, 32 connections, over 5 s; table 17; edge 0.1.0 (process 4711), up 5m10s
          VERSION  STATE    WEIGHT   SHARE  REQ/S  FAILED     P50     P95     P99    P99.9  IN FLIGHT  IN/S   OUT/S  RETRIES  EJECTED  MIRRORED/S
        production/web
        ! 0.4 unserved/s, 2 waiting
        ✗ 1.1.0    failing  5.00 %  5.00 %   50.0  0.10 %  900 µs  2.1 ms  5.4 ms  12.0 ms          3   0 B  1.5 MB        1        0           0
        ▸ 1.0.0    serving  95.0 %  95.0 %    950  0.10 %  900 µs  2.1 ms  5.4 ms  12.0 ms          3   0 B  1.5 MB        1        0           0
        ");
    }

    #[test]
    fn a_narrow_one_keeps_what_matters_most() {
        insta::assert_snapshot!(text(&report(), 60), @r"
        1000 requests/s, 0.10 % failed, 32 connections, over 5 s; t…
          VERSION  STATE    WEIGHT   SHARE  REQ/S  FAILED     P99
        production/web
        ! 0.4 unserved/s, 2 waiting
        ✗ 1.1.0    failing  5.00 %  5.00 %   50.0  0.10 %  5.4 ms
        ▸ 1.0.0    serving  95.0 %  95.0 %    950  0.10 %  5.4 ms
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 10..200 {
            for (_, line) in lines(&report(), width) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
