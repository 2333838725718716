//! From records to typed rows.

use std::collections::{BTreeSet, HashMap};

use pilotage_engine::retrospect::{Figures, Quantiles};
use pilotage_spec::{Timestamp, Version};

use super::amounts;
use super::column::{self, Column};
use super::fault::{Fault, Faults};
use super::record::{Record, Sink};

/// More requests than this are not counted, so that every sum fits.
const MOST_IN_ALL: u64 = 1_000_000_000_000_000_000;
/// So many versions are told apart.
const MOST_VERSIONS: usize = 1_000;
/// So many columns that are not known are named.
const MOST_UNKNOWN: usize = 20;

/// A row that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedRow {
    pub at: Timestamp,
    /// Its place among [`Typing::versions`].
    pub version: usize,
    /// `None` if it is not known what the version did.
    pub figures: Option<Figures>,
}

/// Understands records one after the other, and hands on what it understands.
pub struct Typing<F> {
    cumulative: bool,
    each: F,
    /// As they are written, for a version may be written in two ways.
    written: HashMap<String, usize>,
    pub versions: Vec<Version>,
    counters: Vec<Option<Counters>>,
    /// The time of the last row, as it was written and as it is.
    last: Option<(String, Timestamp)>,
    in_all: u64,
    pub faults: Faults,
    unknown: BTreeSet<String>,
    /// The first line whose time lies before that of the line above it, and how many there are.
    pub steps_back: Option<(u64, u64)>,
    /// Counters that have begun again.
    pub began_again: u64,
}

/// Counters that only grow, as they were last seen.
#[derive(Debug, Clone, Copy)]
struct Counters {
    at: Timestamp,
    counts: [u64; 3],
}

impl<F: FnMut(TypedRow)> Typing<F> {
    pub fn new(cumulative: bool, each: F) -> Self {
        Self {
            cumulative,
            each,
            written: HashMap::new(),
            versions: Vec::new(),
            counters: Vec::new(),
            last: None,
            in_all: 0,
            faults: Faults::default(),
            unknown: BTreeSet::new(),
            steps_back: None,
            began_again: 0,
        }
    }

    /// Columns that are not known, in words.
    pub fn unknown_columns(&self) -> impl Iterator<Item = String> {
        self.unknown.iter().map(|name| column::unknown(name))
    }

    fn row(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        let line = record.line;
        let at = self.time(record)?;
        let version = self.version(record)?;
        let counts = counts(record)?;
        let quantiles = quantiles(record)?;
        let share = field(record, Column::Share, amounts::share)?;
        let counts = match counts {
            Some(counts) if self.cumulative => Some(self.grown(counts, at, version, line)?),
            counts => counts,
        };
        let figures = counts.map(|[requests, failed, failed_clients]| Figures {
            requests,
            failed,
            failed_clients,
            quantiles,
            share,
        });
        self.in_all = self.in_all.saturating_add(figures.map_or(0, |figures| figures.requests));
        if self.in_all > MOST_IN_ALL {
            return Err(Fault::field(line, Column::Requests, "more requests in all than can be counted"));
        }
        (self.each)(TypedRow { at, version, figures });
        Ok(())
    }

    fn time(&mut self, record: &Record<'_>) -> Result<Timestamp, Fault> {
        let text = needed(record, Column::Time)?;
        // Rows of the same time follow each other.
        if let Some((last, at)) = &self.last
            && last == text
        {
            return Ok(*at);
        }
        let at = amounts::time(text).map_err(|what| Fault::field(record.line, Column::Time, what))?;
        if self.last.as_ref().is_some_and(|(_, last)| at < *last) {
            let (_, number) = self.steps_back.get_or_insert((record.line, 0));
            *number += 1;
        }
        self.last = Some((text.to_owned(), at));
        Ok(at)
    }

    fn version(&mut self, record: &Record<'_>) -> Result<usize, Fault> {
        let text = needed(record, Column::Version)?;
        if let Some(index) = self.written.get(text) {
            return Ok(*index);
        }
        let fault = |what: String| Fault::field(record.line, Column::Version, what);
        let version: Version = text.parse().map_err(|error| fault(format!("{error}")))?;
        let known = self.versions.iter().position(|known| *known == version);
        let index = known.unwrap_or(self.versions.len());
        if index == MOST_VERSIONS {
            return Err(fault(format!("over {MOST_VERSIONS} versions; keep the rows of two of them")));
        }
        if known.is_none() {
            self.versions.push(version);
            self.counters.push(None);
        }
        self.written.insert(text.to_owned(), index);
        Ok(index)
    }

    /// What was added since the version's row before. The first row is where counting begins.
    fn grown(
        &mut self,
        counts: [u64; 3],
        at: Timestamp,
        version: usize,
        line: u64,
    ) -> Result<[u64; 3], Fault> {
        let Some(before) = self.counters[version].replace(Counters { at, counts }) else { return Ok([0; 3]) };
        if before.at == at {
            let what = "a second row of this version and time; add up the counters of its instances first";
            return Err(Fault::line(line, what));
        }
        let pairs = || counts.iter().zip(before.counts);
        if pairs().any(|(now, before)| *now < before) {
            self.began_again += 1;
            return Ok(counts);
        }
        let [requests, failed, failed_clients] =
            std::array::from_fn(|index| counts[index] - before.counts[index]);
        if failed > requests {
            return Err(too_many(line, Column::Failed, failed, requests, "requests since the row before"));
        }
        Ok([requests, failed, failed_clients.min(failed)])
    }
}

impl<F: FnMut(TypedRow)> Sink for Typing<F> {
    fn record(&mut self, record: &Record<'_>) {
        if let Err(fault) = self.row(record) {
            self.faults.add(fault);
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    fn unknown(&mut self, name: &str) {
        if self.unknown.len() < MOST_UNKNOWN && !self.unknown.contains(name) {
            self.unknown.insert(name.to_owned());
        }
    }
}

/// Requests, failed ones and clients that met a failure; nothing if the first two are not both known.
fn counts(record: &Record<'_>) -> Result<Option<[u64; 3]>, Fault> {
    let requests = field(record, Column::Requests, amounts::count)?;
    let failed = field(record, Column::Failed, amounts::count)?;
    let clients = field(record, Column::FailedClients, amounts::count)?;
    let (Some(requests), Some(failed)) = (requests, failed) else { return Ok(None) };
    if failed > requests {
        return Err(too_many(record.line, Column::Failed, failed, requests, "requests"));
    }
    let clients = clients.unwrap_or(failed);
    if clients > failed {
        return Err(too_many(record.line, Column::FailedClients, clients, failed, "failed requests"));
    }
    Ok(Some([requests, failed, clients]))
}

fn too_many(line: u64, column: Column, part: u64, all: u64, what: &str) -> Fault {
    let mend = match column {
        Column::FailedClients => "it counts the clients that met them, so it is no more",
        _ => "count every failed request as a request too",
    };
    Fault::field(line, column, format!("{part} of {all} {what}; {mend}"))
}

fn quantiles(record: &Record<'_>) -> Result<Quantiles, Fault> {
    let columns = [Column::P50, Column::P95, Column::P99];
    let mut known = [None; 3];
    let mut highest = 0;
    for (known, column) in known.iter_mut().zip(columns) {
        *known = field(record, column, amounts::micros)?;
        if known.is_some_and(|micros| micros < highest) {
            let what = "less than a lower percentile of the same row; were columns mixed up?";
            return Err(Fault::field(record.line, column, what));
        }
        highest = known.unwrap_or(highest);
    }
    let [p50_micros, p95_micros, p99_micros] = known;
    Ok(Quantiles { p50_micros, p95_micros, p99_micros })
}

fn needed<'a>(record: &Record<'a>, column: Column) -> Result<&'a str, Fault> {
    let text = record.fields[column as usize];
    text.ok_or_else(|| Fault::field(record.line, column, "nothing is written here; every row needs it"))
}

fn field<T>(
    record: &Record<'_>,
    column: Column,
    read: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Fault> {
    let read = record.fields[column as usize].map(read).transpose();
    read.map_err(|what| Fault::field(record.line, column, what))
}
