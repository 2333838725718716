//! `${VARIABLE}` in a Compose file: defaults are taken, and nothing is read from anybody's environment.

/// A text with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filled {
    /// All of it is known.
    Text(String),
    /// It is one variable without a default, and nothing else.
    Variable(String),
    /// It cannot be filled in, for this reason.
    Open(String),
}

/// Fills in the defaults.
pub(super) fn fill_in(text: &str) -> Filled {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(behind) = after.strip_prefix('$') {
            filled.push('$');
            rest = behind;
            continue;
        }
        let (inside, behind) = match after.strip_prefix('{') {
            Some(inside) => match inside.split_once('}') {
                Some(found) => found,
                None => return Filled::Open(format!("`{text}` has a `${{` without its `}}`")),
            },
            None => after.split_at(after.find(|c: char| !is_name(c)).unwrap_or(after.len())),
        };
        let end = inside.find(|c: char| !is_name(c)).unwrap_or(inside.len());
        let (name, how) = inside.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Filled::Open(format!("`{text}` has a `$` without a name; `$$` is a dollar"));
        }
        match how.strip_prefix(":-").or_else(|| how.strip_prefix('-')) {
            Some(default) if default.contains('$') => {
                return Filled::Open(format!(
                    "the default of `${{{inside}}}` has a variable in it; write the value"
                ));
            }
            Some(default) => filled.push_str(default),
            None if how.is_empty() && before.is_empty() && filled.is_empty() && behind.is_empty() => {
                return Filled::Variable(name.to_owned());
            }
            None if how.is_empty() => {
                return Filled::Open(format!("`{name}` has no default; write the value"));
            }
            None => return Filled::Open(format!("`${{{inside}}}` is not understood; write the value")),
        }
        rest = behind;
    }
    filled.push_str(rest);
    Filled::Text(filled)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_taken_and_the_rest_is_said() {
        let text = |text: &str| Filled::Text(text.to_owned());
        assert_eq!(fill_in("plain"), text("plain"));
        assert_eq!(fill_in("a $$HOME"), text("a $HOME"));
        assert_eq!(fill_in("${TAG:-1.2}-${KIND-slim}"), text("1.2-slim"));
        assert_eq!(fill_in("${EMPTY:-}"), text(""));
        assert_eq!(fill_in("${PASSWORD}"), Filled::Variable("PASSWORD".into()));
        assert_eq!(fill_in("$PASSWORD"), Filled::Variable("PASSWORD".into()));
        for open in ["postgres://${HOST}/db", "${A:?must be set}", "${A:-$B}", "${A", "$", "${}", "$1"] {
            assert!(matches!(fill_in(open), Filled::Open(_)), "{open}");
        }
    }
}
