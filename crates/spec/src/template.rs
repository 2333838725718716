//! `$NAME` in an argument: the only substitution there is. No shell takes part in it.

use thiserror::Error;

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A variable that has no value here.
    #[error("`${name}` is not known here; write `$$` for a literal dollar")]
    Unknown {
        /// The variable, without the dollar.
        name: String,
    },
    /// A dollar that starts no variable.
    #[error(
        "a `$` must be followed by a name, as in `$PORT` or `${{PORT}}`; write `$$` for a literal dollar"
    )]
    Malformed,
}

/// Fills in a template: `$NAME` and `${NAME}` are replaced with what `value` says, `$$` with a dollar, and nothing else is
/// touched; values are not looked at again.
///
/// # Errors
/// If `value` has nothing for a name, or a `$` starts neither a name nor another `$`.
pub fn substitute(
    template: &str,
    mut value: impl FnMut(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(template.len());
    for part in parts(template)? {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Variable(name) => {
                let found = value(name).ok_or_else(|| TemplateError::Unknown { name: name.to_owned() })?;
                filled.push_str(&found);
            }
        }
    }
    Ok(filled)
}

/// The names of the variables in a template, in order.
///
/// # Errors
/// If a `$` starts neither a name nor another `$`.
pub fn variables(template: &str) -> Result<Vec<&str>, TemplateError> {
    let names = parts(template)?.into_iter().filter_map(|part| match part {
        Part::Variable(name) => Some(name),
        Part::Text(_) => None,
    });
    Ok(names.collect())
}

enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        parts.push(Part::Text(before));
        if let Some(behind) = after.strip_prefix('$') {
            parts.push(Part::Text("$"));
            rest = behind;
            continue;
        }
        let (name, behind) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(TemplateError::Malformed)?,
            None => after.split_at(name_length(after)),
        };
        if name.is_empty() || name_length(name) != name.len() {
            return Err(TemplateError::Malformed);
        }
        parts.push(Part::Variable(name));
        rest = behind;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// How many bytes at the start are a variable's name: `[A-Za-z_][A-Za-z0-9_]*`.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Result<String, TemplateError> {
        substitute(template, |name| match name {
            "PORT" => Some("8080".to_owned()),
            "DOLLARS" => Some("$PORT $$".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn names_are_replaced_once_and_nothing_else_is_touched() {
        for (template, expected) in [
            ("", ""),
            ("--port", "--port"),
            ("$PORT", "8080"),
            ("${PORT}1", "80801"),
            ("http://h:$PORT/$PORT", "http://h:8080/8080"),
            ("$PORT-x", "8080-x"),
            ("$$PORT $$$PORT", "$PORT $8080"),
            ("$DOLLARS", "$PORT $$"),
            ("`id` $$(id) ~ * \\", "`id` $(id) ~ * \\"),
            ("ü$PORT→", "ü8080→"),
        ] {
            assert_eq!(fill(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert_eq!(fill("$PORTS"), Err(TemplateError::Unknown { name: "PORTS".to_owned() }));
        assert_eq!(fill("${HOME}"), Err(TemplateError::Unknown { name: "HOME".to_owned() }));
    }

    #[test]
    fn a_dollar_alone_is_an_error() {
        for template in ["$", "a$", "$1", "${", "${}", "${PORT", "${PO RT}", "$(id)", "$ü", "${1A}"] {
            assert_eq!(fill(template), Err(TemplateError::Malformed), "{template}");
        }
    }

    #[test]
    fn variables_are_listed_in_order() {
        assert_eq!(variables("$B ${A} $$C $B"), Ok(vec!["B", "A", "B"]));
    }
}
