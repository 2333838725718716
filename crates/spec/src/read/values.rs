//! The kinds of single values that the file knows: names, durations, shares, sizes, addresses.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::amounts::{percent, times, without_greater};
use super::number::scaled;
use super::shape::{Misread, Scalar};
use crate::quote::quoted;
use crate::{DURATION_PATTERN, NameError, RollingUnit, SecretSource, format_duration, parse_duration};

/// The JSON types of a text: an unquoted one may look like a number or a truth value, and is taken as it is written.
pub(crate) const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// What a DNS label looks like, as a regular expression.
const LABEL_PATTERN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// A name that is a DNS label: of a project, service, environment or strategy.
pub(crate) fn label<T: FromStr<Err = NameError> + 'static>(expected: &'static str) -> Scalar<T> {
    parsed(expected, json!({ "type": TEXT, "pattern": LABEL_PATTERN, "maxLength": 63 }))
}

/// What tells an instance where to listen, in each of the three ways.
const PLACE_VARIABLES: [&str; 5] = ["PORT", "PILOTAGE_SOCKET", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"];

/// The name of an environment variable that a service may be given.
pub(crate) fn variable() -> Scalar<crate::VariableName> {
    let schema = json!({
        "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 128, "not": { "enum": PLACE_VARIABLES },
    });
    Scalar::new("the name of an environment variable", schema, |written| {
        if PLACE_VARIABLES.contains(&written.text.as_str()) {
            return Err(Misread::new(
                format!("`{}` is set for each instance and cannot be declared", written.text),
                "it tells where to listen: see `listen` of the service",
            ));
        }
        written.text.parse().map_err(|error: NameError| Misread::plain(error))
    })
}

/// The path of a URL.
pub(crate) fn http_path() -> Scalar<crate::HttpPath> {
    let pattern = r#"^/[!$-;=?-\[\]^_a-z|~]*$"#;
    parsed("a URL path such as `/health`", json!({ "type": "string", "pattern": pattern, "maxLength": 1024 }))
}

/// A path below the project's folder.
pub(crate) fn relative_path() -> Scalar<crate::RelativePath> {
    // Any letter of any script is allowed, which not every reader of schemas can say: what is shut out is named instead.
    let pattern = r"^(?![-/])(?!(.*/)?\.\.(/|$))[^\x00-\x2A:;<>?\[\\\]^`{|}~\x7F]+$";
    parsed(
        "a path below the project's folder",
        json!({ "type": TEXT, "pattern": pattern, "maxLength": 1024 }),
    )
}

/// Where a secret is read from.
pub(crate) fn secret_source() -> Scalar<SecretSource> {
    parsed("a reference to a secret such as `env:NAME`", secret_schema(&[LOCAL, REMOTE].concat()))
}

/// Where a secret is read from that other secrets are reached with: such a place needs none itself.
pub(crate) fn local_secret() -> Scalar<SecretSource> {
    Scalar::new("`env:NAME`, `file:path` or `command:NAME`", secret_schema(LOCAL), |written| {
        match written.text.parse().map_err(Misread::plain)? {
            SecretSource::Vault(_) | SecretSource::Kubernetes(_) | SecretSource::Age(_) => Err(Misread::new(
                "this is needed before other secrets can be read, so it cannot be one of them",
                "write `env:NAME`, `file:path` or `command:NAME`",
            )),
            local => Ok(local),
        }
    })
}

/// How references are written to what is on this machine, as regular expressions.
const LOCAL: &[&str] = &["env:[A-Za-z_][A-Za-z0-9_]*", "file:.+", "command:[a-z0-9]([-a-z0-9]*[a-z0-9])?"];
/// The same of what must be decrypted or asked for.
const REMOTE: &[&str] = &["vault:[^#/]+/[^#]+#.+", "kubernetes:[^#/]+/[^#/]+#.+", "age:.+"];

fn secret_schema(forms: &[&str]) -> Value {
    json!({ "type": "string", "pattern": format!("^({})$", forms.join("|")) })
}

/// A text that is its own parser's matter.
pub(crate) fn parsed<T>(expected: &'static str, schema: Value) -> Scalar<T>
where
    T: FromStr + 'static,
    T::Err: ToString,
{
    Scalar::new(expected, schema, |written| {
        written.text.parse().map_err(|error: T::Err| Misread::plain(error.to_string()))
    })
}

/// A duration, at least so long.
pub(crate) fn duration(at_least: Duration) -> Scalar<Duration> {
    let schema = json!({ "type": "string", "pattern": DURATION_PATTERN });
    Scalar::new("a duration such as `10s`", schema, move |written| {
        let duration =
            parse_duration(&written.text).map_err(|error| Misread::new(error.fault, error.mend))?;
        if duration < at_least {
            let least = format_duration(at_least);
            return Err(Misread::new(
                format!("{} is too short", quoted(&written.text)),
                format!("write `{least}` or more"),
            ));
        }
        Ok(duration)
    })
}

/// A share of at most 100 %, in hundredths of a percent: `5%` or `5`.
pub(crate) fn share() -> Scalar<u32> {
    let pattern = r"^[0-9]+(\.[0-9]{1,2})? ?%?$";
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": pattern },
        { "type": "number", "minimum": 0, "maximum": 100 },
    ] });
    Scalar::new("a percentage such as `5%`", schema, |written| percent(&written.text, &written.text))
}

/// A share that must not be exceeded, in hundredths of a percent: `> 5%`, `5%` or `5`.
pub(crate) fn limit() -> Scalar<u32> {
    let pattern = r"^(> *)?[0-9]+(\.[0-9]{1,2})? ?%?$";
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": pattern },
        { "type": "number", "minimum": 0, "maximum": 100 },
    ] });
    Scalar::new("a limit such as `> 5%`", schema, |written| {
        percent(without_greater(&written.text), &written.text)
    })
}

/// A whole number of percent: `20%` or `20`.
pub(crate) fn whole_percent() -> Scalar<u32> {
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": "^(100|[0-9]{1,2}) ?%?$" },
        { "type": "integer", "minimum": 0, "maximum": 100 },
    ] });
    Scalar::new("a percentage such as `20%`", schema, |written| {
        let text = written.text.as_str();
        let hundredths = percent(text, text)?;
        match hundredths.is_multiple_of(100) {
            true => Ok(hundredths / 100),
            false => Err(Misread::new(
                format!("{} is not a whole number of percent", quoted(text)),
                "write, for example, `20%`",
            )),
        }
    })
}

/// A multiple of the stable version's figure, in thousandths: `2x`, `1.5x` or `1.5`.
pub(crate) fn multiple() -> Scalar<u32> {
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": r"^(> ?)?[0-9]+(\.[0-9]{1,3})? ?[x×]?$" },
        { "type": "number", "exclusiveMinimum": 1, "maximum": 1000 },
    ] });
    Scalar::new("a multiple such as `1.5x`", schema, |written| times(&written.text))
}

/// How much something counts beside others, in thousandths.
pub(crate) fn weight() -> Scalar<u32> {
    let schema = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1000 });
    Scalar::new("a weight such as `2`", schema, |written| {
        let text = written.text.as_str();
        match scaled(text, 3) {
            Ok(thousandths @ 1..=1_000_000) if written.plain => {
                u32::try_from(thousandths).map_err(Misread::plain)
            }
            _ => Err(Misread::new(
                format!("{} is not a weight", quoted(text)),
                "write a number above 0 and up to 1000 without quotes, for example `2` or `0.5`",
            )),
        }
    })
}

/// So many instances, as such or as a share of the replicas.
pub(crate) fn rolling_unit() -> Scalar<RollingUnit> {
    let schema = json!({ "anyOf": [
        { "type": "integer", "minimum": 0, "maximum": 100 },
        { "type": "string", "pattern": "^(100|[0-9]{1,2})%$" },
    ] });
    let expected = "a number of instances such as `1`, or a share such as `25%`";
    Scalar::new(expected, schema, move |written| {
        let text = written.text.as_str();
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let number =
            scaled(digits, 0).ok().filter(|number| *number <= 100).and_then(|n| u32::try_from(n).ok());
        match number {
            Some(number) if percent => Ok(RollingUnit::Percent(number)),
            Some(number) => Ok(RollingUnit::Count(number)),
            None => Err(Misread::new(
                format!("{} is neither a number of instances nor a share of them", quoted(text)),
                "write a whole number from 0 to 100, or whole percent from `0%` to `100%`",
            )),
        }
    })
}

/// Processor cores, in thousandths: `0.5`, `2` or `500m`.
pub(crate) fn cpu() -> Scalar<u32> {
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$" },
        { "type": "number", "exclusiveMinimum": 0, "maximum": 1024 },
    ] });
    Scalar::new("processor cores such as `0.5` or `500m`", schema, |written| {
        let text = written.text.as_str();
        let millis = match text.strip_suffix('m') {
            Some(thousandths) => scaled(thousandths, 0),
            None => scaled(text, 3),
        };
        match millis {
            Ok(millis @ 1..=1_024_000) => u32::try_from(millis).map_err(Misread::plain),
            _ => Err(Misread::new(
                format!("{} is not a number of processor cores", quoted(text)),
                "write cores, for example `0.5` or `2`, or thousandths of one, for example `500m`; from 1m to 1024 cores",
            )),
        }
    })
}

/// The units of memory, with their sizes in bytes.
const MEMORY_UNITS: [(&str, u64); 11] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A size of memory, in bytes: `256Mi`, `512MB`, `1.5Gi`.
pub(crate) fn memory() -> Scalar<u64> {
    bytes("a size of memory such as `256Mi`")
}

/// A number of bytes with its unit.
pub(crate) fn bytes(expected: &'static str) -> Scalar<u64> {
    let schema = json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})? ?(Ki|Mi|Gi|Ti|kB|MB|GB|TB|KiB|MiB|GiB)$" });
    Scalar::new(expected, schema, |written| {
        let text = written.text.as_str();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let fault = |reason: &str| format!("{} is not a size: {reason}", quoted(text));
        let Some((_, size)) = MEMORY_UNITS.iter().find(|(name, _)| *name == unit.trim_start()) else {
            let mend = if unit.is_empty() {
                format!("write `{number}Mi`, `{number}MB` or the like")
            } else {
                "the units are Ki, Mi, Gi, Ti (powers of 1024) and kB, MB, GB, TB (powers of 1000)".to_owned()
            };
            return Err(Misread::new(fault("the unit is missing or not known"), mend));
        };
        let bytes =
            scaled(number, 3).ok().and_then(|n| n.checked_mul(*size)).map(|thousandths| thousandths / 1000);
        match bytes {
            Some(bytes) if bytes > 0 => Ok(bytes),
            _ => Err(Misread::new(
                fault("its number cannot be used"),
                "write, for example, `256Mi` or `1.5Gi`",
            )),
        }
    })
}

/// The address on which something listens.
pub(crate) fn address() -> Scalar<IpAddr> {
    Scalar::new("an IP address", json!({ "type": "string" }), |written| {
        let text = written.text.as_str();
        let mend = match text {
            "localhost" => "write `127.0.0.1`",
            "*" | "all" | "any" => "write `0.0.0.0` for all addresses of this machine",
            _ if text.contains(':') && text.contains('.') => "leave the port out; it belongs to the service",
            _ => "write `127.0.0.1` for this machine only, `0.0.0.0` for all of its addresses",
        };
        text.parse().map_err(|_| Misread::new(format!("{} is not an IP address", quoted(text)), mend))
    })
}

/// The base URL of an HTTP server, without a slash at its end.
pub(crate) fn base_url() -> Scalar<String> {
    let schema = json!({ "type": "string", "pattern": "^https?://[^\\s/?#@]+[^\\s?#@]*$" });
    Scalar::new("a URL such as `http://127.0.0.1:9090`", schema, |written| {
        let text = written.text.as_str();
        let fault = |reason: &str| format!("{} cannot be used as a URL: {reason}", quoted(text));
        let bare = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let Some(bare) = bare else {
            return Err(Misread::new(
                fault("it must start with `http://` or `https://`"),
                format!("write `http://{text}`"),
            ));
        };
        if bare.contains('@') {
            return Err(Misread::new(
                "a URL must not hold a user or password",
                "use `token: { secret: \"env:NAME\" }` for a bearer token",
            ));
        }
        let visible =
            |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\' | '`');
        if bare.is_empty() || bare.starts_with(['/', ':']) || !bare.chars().all(visible) {
            return Err(Misread::new(
                fault("host and path are malformed"),
                "write, for example, `http://127.0.0.1:9090`",
            ));
        }
        Ok(text.trim_end_matches('/').to_owned())
    })
}

/// A finite number.
pub(crate) fn number() -> Scalar<f64> {
    Scalar::new("a number", json!({ "type": "number" }), |written| {
        let text = written.text.as_str();
        let shape = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && shape && written.plain => Ok(number),
            _ => Err(Misread::new(
                format!("{} is not a finite number", quoted(text)),
                "write a number without quotes or unit, for example `0.25`",
            )),
        }
    })
}
