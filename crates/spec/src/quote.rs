//! Text from outside, made fit for a message.

/// The longest part of a text that a message repeats, in characters.
const LONGEST: usize = 60;

/// The text in backquotes, control characters escaped and a long one cut.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// The text with control characters escaped and, if it is long, cut.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).flat_map(escaped).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Escapes what would not be seen, or be seen wrongly, on a terminal; quotes and letters of any script stay.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let as_is = matches!(c, '"' | '\'' | '\\').then_some(c);
    let debug = as_is.is_none().then(|| c.escape_debug());
    as_is.into_iter().chain(debug.into_iter().flatten())
}

/// Several words as a message lists them: `a`, `b` or `c`.
pub(crate) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} or {last}", quoted.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_texts_cut() {
        assert_eq!(quoted("a\u{1b}[31m\n\u{202e}"), "`a\\u{1b}[31m\\n\\u{202e}`");
        assert_eq!(quoted("say \"ü\""), "`say \"ü\"`");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives([]), "");
        assert_eq!(alternatives(["a"]), "`a`");
        assert_eq!(alternatives(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
