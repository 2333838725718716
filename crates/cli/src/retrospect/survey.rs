//! The first reading of a file: is it sound, and which versions are in it?

use std::io;

use pilotage_engine::retrospect::{Account, Question, Replay, Row, Who};
use pilotage_spec::Version;

use super::record;
use super::rows::{TypedRow, Typing};
use super::source::Source;
use crate::failure::Failure;

/// A file that is sound.
#[derive(Debug)]
pub struct Survey {
    cumulative: bool,
    /// In the order in which they appear.
    versions: Vec<Version>,
    /// What people should know of the file.
    pub notes: Vec<String>,
}

/// The two versions that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub candidate: Version,
    pub stable: Option<Version>,
    /// The others, which are left out.
    pub left_out: Vec<Version>,
}

impl Survey {
    /// Reads the whole file.
    ///
    /// # Errors
    /// Every fault of it, with its line.
    pub fn of(source: &mut Source, cumulative: bool) -> Result<Self, Failure> {
        let mut known = 0_u64;
        let mut typing = Typing::new(cumulative, |row: TypedRow| known += u64::from(row.figures.is_some()));
        let read = source.read().and_then(|input| record::read(input, &mut typing));
        read.map_err(|error| unreadable(&source.name, &error))?;
        if let Some(failure) = typing.faults.failure(&source.name) {
            return Err(failure);
        }
        let mut notes: Vec<String> = typing.unknown_columns().collect();
        if let Some((line, times)) = typing.steps_back {
            let more = if times > 1 { format!(", the first of {times} such lines") } else { String::new() };
            notes.push(format!(
                "the time steps back at line {line}{more}: rows are taken in the file's order, and the step as no time"
            ));
        }
        match typing.began_again {
            0 => {}
            1 => notes.push("a counter has begun again at zero once".to_owned()),
            times => notes.push(format!("counters have begun again at zero {times} times")),
        }
        let versions = typing.versions;
        if versions.is_empty() {
            return Err(Failure::usage(format!("{}: there is a header and no row below it", source.name)));
        }
        if known == 0 {
            return Err(Failure::usage(format!("{}: no row has both `requests` and `failed`", source.name)));
        }
        Ok(Self { cumulative, versions, notes })
    }

    /// Which versions are compared: those that are named, else the highest one with the next below it.
    ///
    /// # Errors
    /// A version that is not in the file.
    pub fn pair(&self, candidate: Option<&Version>, stable: Option<&Version>) -> Result<Pair, Failure> {
        for named in [candidate, stable].into_iter().flatten() {
            self.must_know(named)?;
        }
        if candidate.is_some() && candidate == stable {
            return Err(Failure::usage("--candidate and --stable name the same version"));
        }
        let mut sorted: Vec<&Version> = self.versions.iter().collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let mut free = sorted.iter().copied().filter(|version| Some(*version) != stable);
        let Some(candidate) = candidate.or_else(|| free.next()) else {
            return Err(Failure::usage("no version is left to be the candidate"));
        };
        let mut others = sorted.iter().copied().filter(|version| *version != candidate);
        let below = others.clone().find(|version| *version < candidate);
        let stable = stable.or(below).or_else(|| others.next());
        let left_out = |version: &&&Version| **version != candidate && Some(**version) != stable;
        Ok(Pair {
            candidate: candidate.clone(),
            stable: stable.cloned(),
            left_out: sorted.iter().filter(left_out).map(|version| (*version).clone()).collect(),
        })
    }

    fn must_know(&self, version: &Version) -> Result<(), Failure> {
        if self.versions.contains(version) {
            return Ok(());
        }
        let mut known: Vec<&Version> = self.versions.iter().collect();
        known.sort_unstable();
        let known: Vec<String> = known.into_iter().map(Version::to_string).collect();
        Err(Failure::usage(format!("there is no row of {version}"))
            .hint(format!("the file has: {}", known.join(", "))))
    }

    /// The second reading: feeds the file through the tests.
    pub fn replay(&self, source: &mut Source, question: &Question) -> Result<Account, Failure> {
        let who: Vec<Option<Who>> = self.versions.iter().map(|version| who(version, question)).collect();
        let mut replay = Replay::new(question);
        let mut typing = Typing::new(self.cumulative, |row: TypedRow| {
            if let Some(Some(who)) = who.get(row.version).copied() {
                replay.row(&Row { at: row.at, who, figures: row.figures });
            }
        });
        let read = source.read().and_then(|input| record::read(input, &mut typing));
        read.map_err(|error| unreadable(&source.name, &error))?;
        // It may have been written to in the meantime.
        if let Some(failure) = typing.faults.failure(&source.name) {
            return Err(failure);
        }
        drop(typing);
        Ok(replay.finish())
    }
}

fn who(version: &Version, question: &Question) -> Option<Who> {
    if *version == question.candidate {
        return Some(Who::Candidate);
    }
    (question.stable.as_ref() == Some(version)).then_some(Who::Stable)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot read {name} to its end: {error}"))
}
