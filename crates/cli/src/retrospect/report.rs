//! What a look back has to say.

mod object;
mod rules;
mod text;

pub use object::object;
pub use text::show;

use pilotage_engine::retrospect::Account;
use pilotage_spec::Version;

use super::survey::Pair;

/// A look back with all that belongs to it.
#[derive(Debug)]
pub struct Told<'a> {
    pub pair: &'a Pair,
    pub account: &'a Account,
    /// What people should know of the file.
    pub notes: Vec<String>,
}

impl<'a> Told<'a> {
    /// Puts what the rows lacked beside what the file lacked.
    pub fn new(pair: &'a Pair, account: &'a Account, mut notes: Vec<String>) -> Self {
        notes.extend(lacked(pair, account));
        Self { pair, account, notes }
    }

    fn stable(&self) -> String {
        self.pair.stable.as_ref().map_or_else(|| "nothing".to_owned(), Version::to_string)
    }
}

/// What the rows could not show.
fn lacked(pair: &Pair, account: &Account) -> Vec<String> {
    let mut notes = Vec::new();
    let Pair { candidate, stable, left_out } = pair;
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(Version::to_string).collect();
        notes.push(format!("left out: the rows of {}; --candidate and --stable choose", names.join(", ")));
    }
    if account.unknown > 0 {
        let (plural, are) = if account.unknown == 1 { ("", "is") } else { ("s", "are") };
        notes.push(format!(
            "{} interval{plural} with an empty `requests` or `failed` {are} left out",
            account.unknown
        ));
    }
    if !account.has_latencies {
        notes.push("no row has p95_ms or p99_ms: nothing is said about slow requests".to_owned());
    }
    match stable {
        None => notes.push(format!(
            "only {candidate} is in the file: there is nothing to compare it with, and only error_rate is judged"
        )),
        Some(stable) => notes.extend(of_both(candidate, stable, account)),
    }
    notes
}

fn of_both(candidate: &Version, stable: &Version, account: &Account) -> Option<String> {
    let (ours, theirs) = (account.candidate.last?, account.stable.last?);
    if account.beside == 0 && account.candidate.requests > 0 && account.stable.requests > 0 {
        return Some(format!(
            "{candidate} and {stable} have no requests at the same time: give rows of one interval the same time, and sort the \
             file by time"
        ));
    }
    if theirs < ours {
        let end = pilotage_views::rfc3339(theirs);
        return Some(format!(
            "the rows of {stable} end at {end}: from then on {candidate} is held to what {stable} did before"
        ));
    }
    (ours < theirs).then(|| {
        let end = pilotage_views::rfc3339(ours);
        format!("the rows of {candidate} end at {end}: nothing after that is judged")
    })
}
