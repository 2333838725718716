//! A fault as people describe it.

use std::str::FromStr;
use std::time::Duration;

use pilotage_spec::parse_duration;
use thiserror::Error;

use super::fault::{Beginning, Effect, Fault};

/// What is understood, in a line.
pub const UNDERSTOOD: &str = "`errors 3 %`, `errors 5x`, `p99 +40 %`, `crash loop`, `traffic drops to 1 rps`, \
     `shared outage`, `shared outage 20 %` or `nothing`; each may end in `from step 2`, `at 25 %` or `after 10m`, and in `for 5m`";

/// The most that a multiple can be.
const MOST_TIMES: f64 = 10_000.0;
/// The most requests a second.
pub(super) const MOST_REQUESTS: f64 = 10_000_000.0;

/// A description that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the fault `{}` is not understood: {reason}", text.escape_debug())]
pub struct FaultError {
    text: String,
    reason: String,
}

impl FromStr for Fault {
    type Err = FaultError;

    /// Reads a description. Spaces and capitals do not matter.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        read(text).map_err(|reason| FaultError { text: text.to_owned(), reason })
    }
}

/// A share such as `0.1%`, as a number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').ok_or("a share is written in percent, for example `0.1 %`")?;
    let percent = number_of(number)?;
    if percent > 100.0 {
        return Err(format!("{percent} % is more than all"));
    }
    Ok(percent / 100.0)
}

/// The words that begin what says when.
const WHEN: [&str; 4] = ["from", "at", "after", "for"];

fn read(text: &str) -> Result<Fault, String> {
    let lower = text.to_lowercase();
    let mut parts: Vec<(&str, String)> = vec![("", String::new())];
    for word in lower.split_whitespace() {
        match parts.last_mut() {
            Some((_, part)) if !WHEN.contains(&word) => part.push_str(word),
            _ => parts.push((word, String::new())),
        }
    }
    let mut parts = parts.into_iter();
    let (_, what) = parts.next().unwrap_or_default();
    let mut fault = Fault { effect: effect(&what)?, beginning: Beginning::FirstRequest, lasting: None };
    for (word, part) in parts {
        if word == "for" {
            let time = duration(&part)?;
            if fault.lasting.replace(time).is_some() {
                return Err("how long it lasts is said twice".to_owned());
            }
            if time.is_zero() {
                return Err("it lasts no time at all".to_owned());
            }
        } else if fault.beginning == Beginning::FirstRequest {
            fault.beginning = beginning(word, &part)?;
        } else {
            return Err("when it begins is said twice".to_owned());
        }
    }
    Ok(fault)
}

fn effect(text: &str) -> Result<Effect, String> {
    if ["nothing", "none"].contains(&text) {
        return Ok(Effect::Nothing);
    }
    if ["crashloop", "crash-loop", "crashes"].contains(&text) {
        return Ok(Effect::CrashLoop);
    }
    if text == "sharedoutage" {
        return Ok(Effect::SharedOutage(1.0));
    }
    if let Some(amount) = text.strip_prefix("sharedoutage") {
        return Ok(Effect::SharedOutage(share(amount)?));
    }
    if let Some(amount) = text.strip_prefix("errors").or_else(|| text.strip_prefix("error")) {
        return match times(amount)? {
            Some(times) => Ok(Effect::ErrorsTimes(times)),
            None => Ok(Effect::Errors(share(amount)?)),
        };
    }
    if let Some(rate) = text.strip_prefix("traffic") {
        return Ok(Effect::Traffic(requests_per_second(rate)?));
    }
    let slow = ["latency", "p50", "p95", "p99"].iter().find_map(|name| text.strip_prefix(name));
    match slow {
        Some(amount) => Ok(Effect::Slow(slower(amount)?)),
        None if text.is_empty() => Err("it does not say what goes wrong".to_owned()),
        None => Err(format!("nothing is known by the name `{}`", text.escape_debug())),
    }
}

/// `5x`; `None` if the text does not end as a multiple.
fn times(text: &str) -> Result<Option<f64>, String> {
    let Some(number) = ["x", "×", "times"].iter().find_map(|end| text.strip_suffix(end)) else {
        return Ok(None);
    };
    let times = number_of(number)?;
    if times > MOST_TIMES {
        return Err(format!("{times} times is more than can be played; {MOST_TIMES} is the most"));
    }
    Ok(Some(times))
}

/// `+40%` or `2x`.
fn slower(text: &str) -> Result<f64, String> {
    if let Some(times) = times(text)? {
        return if times > 0.0 { Ok(times) } else { Err("requests that take no time are none".to_owned()) };
    }
    let percent = text.strip_prefix('+').and_then(|rest| rest.strip_suffix('%'));
    let percent = number_of(percent.ok_or("it is written as `p99 +40 %` or `p99 2x`")?)?;
    let times = 1.0 + percent / 100.0;
    if times > MOST_TIMES { Err(format!("{percent} % is more than can be played")) } else { Ok(times) }
}

/// `dropsto1rps`.
fn requests_per_second(text: &str) -> Result<f64, String> {
    let verbs = ["drops", "falls", "rises"];
    let rest = verbs.iter().find_map(|verb| text.strip_prefix(verb)).unwrap_or(text);
    let rest = rest.strip_prefix("to").unwrap_or(rest);
    let units = ["rps", "requests/s", "/s"];
    let number = units.iter().find_map(|unit| rest.strip_suffix(unit));
    let rate = number_of(number.ok_or("it is written as `traffic drops to 1 rps`")?)?;
    if rate > MOST_REQUESTS {
        return Err(format!(
            "{rate} requests a second are more than can be played; {MOST_REQUESTS} are the most"
        ));
    }
    Ok(rate)
}

fn beginning(word: &str, text: &str) -> Result<Beginning, String> {
    match word {
        "at" => {
            let share = share(text)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10,000")]
            let hundredths = (share * 10_000.0).round() as u32;
            Ok(Beginning::Share(hundredths))
        }
        "after" => Ok(Beginning::After(duration(text)?)),
        _ => {
            let number = text.strip_prefix("step").and_then(|number| number.parse().ok());
            match number {
                None => Err("a step is written as `from step 2`".to_owned()),
                Some(0) => Err("steps are counted from 1".to_owned()),
                Some(number) => Ok(Beginning::Step(number)),
            }
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// A plain number, not negative: digits with a point at most.
fn number_of(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match text.parse::<f64>() {
        Ok(number) if plain && number.is_finite() => Ok(number),
        _ if text.is_empty() => Err("a number is missing".to_owned()),
        _ => Err(format!("`{}` is no number of that kind", text.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Fault {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn faults_are_read_however_they_are_spaced() {
        for (text, effect) in [
            ("errors 3 %", Effect::Errors(0.03)),
            ("  Errors   3%", Effect::Errors(0.03)),
            ("errors 5x", Effect::ErrorsTimes(5.0)),
            ("errors 1.5 ×", Effect::ErrorsTimes(1.5)),
            ("p99 +40 %", Effect::Slow(1.4)),
            ("p99 + 40%", Effect::Slow(1.4)),
            ("latency 2x", Effect::Slow(2.0)),
            ("crash loop", Effect::CrashLoop),
            ("crash-loop", Effect::CrashLoop),
            ("traffic drops to 1 rps", Effect::Traffic(1.0)),
            ("traffic 0.5rps", Effect::Traffic(0.5)),
            ("shared outage", Effect::SharedOutage(1.0)),
            ("shared outage 20 %", Effect::SharedOutage(0.2)),
            ("nothing", Effect::Nothing),
        ] {
            assert_eq!(parsed(text).effect, effect, "{text}");
            assert_eq!(parsed(text).beginning, Beginning::FirstRequest, "{text}");
        }
    }

    #[test]
    fn when_it_begins_and_how_long_it_lasts_follow_in_any_order() {
        assert_eq!(parsed("errors 3 % from step 2").beginning, Beginning::Step(2));
        assert_eq!(parsed("errors 3 % at 25 %").beginning, Beginning::Share(2_500));
        assert_eq!(parsed("p99 +40 % after 10 m").beginning, Beginning::After(Duration::from_secs(600)));
        let both = parsed("shared outage for 5m at 25 %");
        assert_eq!(both, parsed("shared outage at 25% for 5m"));
        assert_eq!(both.lasting, Some(Duration::from_secs(300)));
    }

    #[test]
    fn what_makes_no_sense_is_told_with_a_reason() {
        for (text, reason) in [
            ("", "does not say what goes wrong"),
            ("from step 2", "does not say what goes wrong"),
            ("everything", "nothing is known by the name `everything`"),
            ("errors", "in percent"),
            ("errors 3", "in percent"),
            ("errors 101 %", "more than all"),
            ("errors -3 %", "no number"),
            ("errors NaN %", "no number"),
            ("errors 1e9x", "no number"),
            ("errors 99999999x", "more than can be played"),
            ("p99 40 %", "`p99 +40 %`"),
            ("p99 0x", "take no time"),
            ("traffic drops to few", "`traffic drops to 1 rps`"),
            ("traffic 99999999999 rps", "more than can be played"),
            ("errors 3 % at 120 %", "more than all"),
            ("errors 3 % from step 0", "from 1"),
            ("errors 3 % from there", "`from step 2`"),
            ("errors 3 % after a while", "not a duration"),
            ("errors 3 % for 0s", "no time at all"),
            ("errors 3 % for 5m for 5m", "twice"),
            ("errors 3 % at 5 % after 5m", "twice"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text in ".{0,60}") {
            let _ = text.parse::<Fault>();
        }

        #[test]
        fn what_looks_like_a_fault_is_read_or_refused_and_said_back(
            text in "(errors|p99|traffic|shared outage|crash loop) ?[+-]?[0-9.]{0,6} ?(%|x|rps)?( from step [0-9]{1,3}| at [0-9]{1,3} %| after [0-9]{1,3}m)?( for [0-9]{1,2}m)?"
        ) {
            if let Ok(fault) = text.parse::<Fault>() {
                let again: Fault = fault.to_string().parse().unwrap();
                prop_assert_eq!(fault.to_string(), again.to_string());
                prop_assert_eq!(fault.beginning, again.beginning);
                prop_assert_eq!(fault.lasting, again.lasting);
            }
        }
    }
}
