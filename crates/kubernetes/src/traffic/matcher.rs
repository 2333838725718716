//! Conditions on requests in the words that routes have: an exact value, or a regular expression over a header or parameter.
//!
//! The expressions are written so that they mean the same whether an implementation matches whole values (Envoy) or parts of
//! them (Go's regexp), and so that they can be read back.

use pilotage_spec::{Condition, Source, Test};

/// One condition as routes have it. Cookies are looked for in their header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matcher {
    /// Where to look.
    pub(super) place: Place,
    /// What must be there.
    pub(super) pattern: Pattern,
}

/// Where a matcher looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A header; its name is in lower case.
    Header(String),
    /// A parameter of the query.
    Query(String),
}

/// What a matcher asks of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Just this.
    Exact(String),
    /// This expression.
    Regex(String),
    /// Nothing that this expression matches.
    Without(String),
}

const ANYTHING: &str = "^.*$";
const COOKIES_BEFORE: &str = "^(.*; *)?";
const COOKIES_AFTER: &str = "(;.*)?$";
const COOKIE_REST: &str = "[^;]*";

/// The condition in the words of routes.
pub(super) fn matcher(condition: &Condition) -> Matcher {
    match &condition.source {
        Source::Header(name) => {
            Matcher { place: Place::Header(name.to_ascii_lowercase()), pattern: value(&condition.test) }
        }
        Source::Query(name) => Matcher { place: Place::Query(name.clone()), pattern: value(&condition.test) },
        Source::Cookie(name) => {
            Matcher { place: Place::Header("cookie".to_owned()), pattern: cookie(name, &condition.test) }
        }
    }
}

fn value(test: &Test) -> Pattern {
    match test {
        Test::Equals(text) => Pattern::Exact(text.clone()),
        Test::Prefix(text) => Pattern::Regex(format!("^{}.*$", escape(text))),
        Test::Present(true) => Pattern::Regex(ANYTHING.to_owned()),
        Test::Present(false) => Pattern::Without(ANYTHING.to_owned()),
    }
}

fn cookie(name: &str, test: &Test) -> Pattern {
    let name = escape(name);
    let among = |value: &str| format!("{COOKIES_BEFORE}{name}={value}{COOKIES_AFTER}");
    match test {
        Test::Equals(text) => Pattern::Regex(among(&escape(text))),
        Test::Prefix(text) => Pattern::Regex(among(&format!("{}{COOKIE_REST}", escape(text)))),
        Test::Present(true) => Pattern::Regex(among(COOKIE_REST)),
        Test::Present(false) => Pattern::Without(among(COOKIE_REST)),
    }
}

/// The condition that a matcher stands for. An expression that is none of ours is shown as it is, behind a `~`.
pub(super) fn condition(matcher: &Matcher) -> Condition {
    let (name, header) = match &matcher.place {
        Place::Header(name) => (name, true),
        Place::Query(name) => (name, false),
    };
    let source = if header { Source::Header(name.clone()) } else { Source::Query(name.clone()) };
    match &matcher.pattern {
        Pattern::Exact(text) => Condition { source, test: Test::Equals(text.clone()) },
        Pattern::Regex(regex) => {
            let known =
                read_cookie(regex).filter(|_| header).or_else(|| Some((source.clone(), read(regex)?)));
            let (source, test) = known.unwrap_or_else(|| (source, Test::Equals(format!("~{regex}"))));
            Condition { source, test }
        }
        Pattern::Without(regex) => match read_cookie(regex).filter(|_| header) {
            Some((source, _)) => Condition { source, test: Test::Present(false) },
            None => Condition { source, test: Test::Present(false) },
        },
    }
}

fn read(regex: &str) -> Option<Test> {
    if regex == ANYTHING {
        return Some(Test::Present(true));
    }
    let text = regex.strip_prefix('^')?.strip_suffix(".*$")?;
    Some(Test::Prefix(unescape(text)?))
}

fn read_cookie(regex: &str) -> Option<(Source, Test)> {
    let inner = regex.strip_prefix(COOKIES_BEFORE)?.strip_suffix(COOKIES_AFTER)?;
    let (name, value) = inner.split_once('=')?;
    let source = Source::Cookie(unescape(name)?);
    let test = match value.strip_suffix(COOKIE_REST) {
        Some("") => Test::Present(true),
        Some(beginning) => Test::Prefix(unescape(beginning)?),
        None => Test::Equals(unescape(value)?),
    };
    Some((source, test))
}

/// The characters that have a meaning in RE2's syntax, which Envoy and Go share.
const SPECIAL: &str = r"\.+*?()|[]{}^$";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if SPECIAL.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().filter(|next| SPECIAL.contains(*next))?),
            special if SPECIAL.contains(special) => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_condition() -> impl Strategy<Value = Condition> {
        let source = prop_oneof![
            "[a-z][a-z0-9-]{0,9}".prop_map(Source::Header),
            "[a-z_.]{1,9}".prop_map(Source::Cookie),
            "[a-zA-Z_.]{1,9}".prop_map(Source::Query),
        ];
        let test = prop_oneof![
            "[ -:<-~]{0,12}".prop_map(Test::Equals),
            "[ -:<-~]{1,12}".prop_map(Test::Prefix),
            any::<bool>().prop_map(Test::Present),
        ];
        (source, test).prop_map(|(source, test)| Condition { source, test })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(condition in a_condition()) {
            prop_assert_eq!(super::condition(&matcher(&condition)), condition);
        }
    }

    #[test]
    fn a_cookie_is_matched_between_others_and_not_in_their_values() {
        let condition = Condition { source: Source::Cookie("beta".into()), test: Test::Equals("1.5".into()) };
        let Pattern::Regex(regex) = matcher(&condition).pattern else { panic!("no expression") };
        assert_eq!(regex, r"^(.*; *)?beta=1\.5(;.*)?$");
    }

    #[test]
    fn an_expression_of_somebody_else_is_shown() {
        let matcher =
            Matcher { place: Place::Header("x-user".into()), pattern: Pattern::Regex("^(a|b)$".into()) };
        assert_eq!(condition(&matcher).test, Test::Equals("~^(a|b)$".into()));
    }
}
