//! Which writes lead from what is there to the wanted traffic: the first one switches it, the others cannot be seen by users.

use pilotage_spec::Version;
use pilotage_targets::Traffic;

use super::super::refusal::Refusal;
use super::super::shares::ALL;
use super::annotations::{Picks, picks};

/// What the canary says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canary {
    /// Whom it names.
    pub(super) version: Version,
    /// Its share of the requests, in hundredths of a percent.
    pub(super) weight: u32,
    /// Requests that it gets whatever its weight.
    pub(super) picks: Picks,
}

/// What both Ingresses say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// Whom the main one names.
    pub(super) main: Version,
    /// The other one.
    pub(super) canary: Canary,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    /// Of the main Ingress.
    Main(Version),
    /// Of the canary.
    Canary(Canary),
}

/// The pair that makes this traffic; `None` if nobody is served.
///
/// # Errors
/// Fails on more versions, or other cohorts, than one canary can serve.
pub(super) fn pair(traffic: &Traffic) -> Result<Option<Pair>, Refusal> {
    let served: Vec<&(Version, u32)> = traffic.shares.iter().filter(|(_, share)| *share > 0).collect();
    let picked = traffic.cohorts.first().map(|cohort| &cohort.version);
    let (main, canary) = match (served.as_slice(), picked) {
        ([], _) => return Ok(None),
        ([(only, _)], None) => (only.clone(), (only.clone(), 0)),
        ([(only, _)], Some(picked)) => (only.clone(), (picked.clone(), 0)),
        ([(newer, share), (older, _)], None) => (older.clone(), (newer.clone(), *share)),
        ([a, b], Some(picked)) => {
            let (canary, main) = if a.0 == *picked { (a, b) } else { (b, a) };
            (main.0.clone(), (canary.0.clone(), canary.1))
        }
        (several, _) => {
            return Err(Refusal::new(
                format!(
                    "traffic shared among {} versions by ingress-nginx, which has one canary",
                    several.len()
                ),
                "use a strategy with two versions at a time, or `traffic: edge`",
            ));
        }
    };
    let (version, weight) = canary;
    let picks = picks(traffic, &version, &main)?;
    Ok(Some(Pair { main, canary: Canary { version, weight, picks } }))
}

/// The writes from the pair that is there, if there is one, to the wanted one. In between nobody goes where neither pair sends them.
pub(super) fn writes(now: Option<&Pair>, wanted: &Pair) -> Vec<Write> {
    let canary = || Write::Canary(wanted.canary.clone());
    let Some(now) = now else { return vec![Write::Main(wanted.main.clone()), canary()] };
    if now.main == wanted.main {
        return vec![canary()];
    }
    if let Some(turned) = turned(wanted).filter(|turned| turned.main == now.main) {
        return vec![Write::Canary(turned.canary)];
    }
    // All of it by the canary; then the main one follows unseen, and the canary is free again.
    let all = Canary { version: wanted.main.clone(), weight: ALL, picks: Picks::default() };
    vec![Write::Canary(all), Write::Main(wanted.main.clone()), canary()]
}

/// The same shares with the roles exchanged, where nobody is picked.
fn turned(pair: &Pair) -> Option<Pair> {
    let Pair { main, canary } = pair;
    let possible = canary.picks.is_empty() && canary.version != *main && canary.weight > 0;
    possible.then(|| Pair {
        main: canary.version.clone(),
        canary: Canary { version: main.clone(), weight: ALL - canary.weight, picks: Picks::default() },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{cohort, traffic, version};
    use super::*;

    /// What users get of a pair, by version.
    fn seen(pair: &Pair) -> Vec<(Version, u32)> {
        let Pair { main, canary } = pair;
        let mut shares = vec![(canary.version.clone(), canary.weight), (main.clone(), ALL - canary.weight)];
        if canary.version == *main {
            shares = vec![(main.clone(), ALL)];
        }
        shares.retain(|(_, share)| *share > 0);
        shares.sort();
        shares
    }

    fn after(pair: &Pair, write: &Write) -> Pair {
        match write {
            Write::Main(main) => Pair { main: main.clone(), ..pair.clone() },
            Write::Canary(canary) => Pair { canary: canary.clone(), ..pair.clone() },
        }
    }

    fn a_split() -> impl Strategy<Value = Vec<(&'static str, u32)>> {
        let versions = prop::sample::subsequence(vec!["3.0.0", "2.0.0", "1.0.0"], 1..=2);
        (versions, 0..=ALL).prop_map(|(versions, share)| match versions.as_slice() {
            [only] => vec![(*only, ALL)],
            [newer, older, ..] => vec![(*newer, share), (*older, ALL - share)],
            [] => Vec::new(),
        })
    }

    proptest! {
        /// Whatever is there, the wanted split is there at the end, and one version with everything from the first write on.
        #[test]
        fn the_first_write_switches(from in a_split(), to in a_split()) {
            let now = pair(&traffic(&from)).unwrap().unwrap();
            let wanted = pair(&traffic(&to)).unwrap().unwrap();
            let mut steps = vec![now.clone()];
            for write in writes(Some(&now), &wanted) {
                steps.push(after(steps.last().unwrap(), &write));
            }
            prop_assert_eq!(seen(steps.last().unwrap()), seen(&wanted));
            if seen(&wanted).len() == 1 {
                for step in &steps[1..] {
                    prop_assert_eq!(seen(step), seen(&wanted));
                }
            }
        }

        #[test]
        fn a_canary_of_two_versions_goes_forth_and_back_by_one_write_each(up in 1..ALL, on in 1..ALL) {
            let stable = pair(&traffic(&[("1.0.0", ALL)])).unwrap().unwrap();
            let first = pair(&traffic(&[("2.0.0", up), ("1.0.0", ALL - up)])).unwrap().unwrap();
            let second = pair(&traffic(&[("2.0.0", on), ("1.0.0", ALL - on)])).unwrap().unwrap();
            for (from, to) in [(&stable, &first), (&first, &second), (&second, &stable)] {
                prop_assert_eq!(writes(Some(from), to).len(), 1);
            }
        }
    }

    #[test]
    fn three_versions_are_refused() {
        let three = traffic(&[("3.0.0", 100), ("2.0.0", 100), ("1.0.0", 9_800)]);
        assert!(pair(&three).unwrap_err().to_string().contains("one canary"));
    }

    #[test]
    fn a_cohort_goes_to_the_canary() {
        let mut wanted = traffic(&[("1.0.0", ALL)]);
        wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", ALL));
        let pair = pair(&wanted).unwrap().unwrap();
        assert_eq!(
            (pair.main, pair.canary.version, pair.canary.weight),
            (version("1.0.0"), version("2.0.0"), 0)
        );
    }
}
