//! Queries with the names of the deployment in them.

use pilotage_spec::{TemplateError, Version, Workload, substitute};

/// Puts the names in place of `$SERVICE`, `$ENVIRONMENT` and `$VERSION`, escaped for a quoted PromQL string, so that no
/// name can end the string it stands in. `$$` is a literal dollar, as everywhere in `pilotage.yaml`.
pub(super) fn substituted(
    query: &str,
    workload: &Workload,
    version: &Version,
) -> Result<String, TemplateError> {
    substitute(query, |name| match name {
        "SERVICE" => Some(escaped(workload.service.as_str())),
        "ENVIRONMENT" => Some(escaped(workload.environment.as_str())),
        "VERSION" => Some(escaped(&version.to_string())),
        _ => None,
    })
}

/// The critical alerts that fire for a workload. An alert without a `service` or `environment` label is about all of
/// them: PromQL takes a missing label for an empty one, and `|x` matches the empty text and `x`.
pub(super) fn critical_alerts(workload: &Workload) -> String {
    // A DNS label holds no character that means something in a regular expression.
    format!(
        r#"ALERTS{{alertstate="firing",severity="critical",service=~"|{}",environment=~"|{}"}}"#,
        escaped(workload.service.as_str()),
        escaped(workload.environment.as_str()),
    )
}

/// Escapes what could end a PromQL string in double or single quotes, or mean an escape in it. The names are parsed and
/// hold none of these; this keeps it so where somebody widens what a name may hold.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => result.extend(['\\', c]),
            '\n' => result.push_str("\\n"),
            // A string in backquotes knows no escape, so one that would end it must not appear.
            '`' => result.push('?'),
            c => result.push(c),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Workload {
        Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() }
    }

    #[test]
    fn the_three_names_are_put_in_and_nothing_else() {
        let version = "1.2.0".parse().unwrap();
        let query = r#"rate(x{s="$SERVICE",e="${ENVIRONMENT}",v="$VERSION",p=~"a$$"}[5m])"#;
        let expected = r#"rate(x{s="api",e="production",v="1.2.0",p=~"a$"}[5m])"#;
        assert_eq!(substituted(query, &workload(), &version).unwrap(), expected);
        let unknown = substituted("x{s=\"$SERVICES\"}", &workload(), &version);
        assert!(unknown.unwrap_err().to_string().contains("SERVICES"));
    }

    #[test]
    fn no_text_can_end_the_string_it_stands_in() {
        assert_eq!(escaped("a\"} or vector(1) #\n\\'`"), r#"a\"} or vector(1) #\n\\\'?"#);
    }
}
