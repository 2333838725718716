//! Single fields of a Compose service, each from the several forms in which it may be written.

use serde_json::Value;

use super::interpolate::{Filled, fill_in};

/// A number or text as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A text whose variables all have defaults.
pub(super) fn known_text(value: &Value) -> Result<String, String> {
    match fill_in(&text(value).ok_or("it is not a single value")?) {
        Filled::Text(text) => Ok(text),
        Filled::Variable(name) => Err(format!("`{name}` has no default; write the value")),
        Filled::Open(reason) => Err(reason),
    }
}

/// A list of arguments. A text would be cut by a shell: it is taken only where a shell would do nothing but cut at spaces.
pub(super) fn words(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items.iter().map(known_text).collect(),
        Value::String(_) => {
            let text = known_text(value)?;
            let is_plain =
                !text.contains(['"', '\'', '\\', '|', '&', ';', '<', '>', '(', ')', '*', '?', '`', '$']);
            match is_plain {
                true => Ok(text.split_whitespace().map(str::to_owned).collect()),
                false => Err("it is a command for a shell; write a list of arguments".to_owned()),
            }
        }
        _ => Err("it is not a list of arguments".to_owned()),
    }
}

/// Where a service is published, and where it listens: `8080:80`, `127.0.0.1:8080:80`, `80`, or the long form.
pub(super) fn port(value: &Value) -> Result<(Option<u16>, u16), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{text}` is not a single port"))
    };
    if let Some(target) = value.get("target") {
        if value["protocol"].as_str().is_some_and(|protocol| protocol != "tcp") {
            return Err("only TCP is served".to_owned());
        }
        let published = value.get("published").map(known_text).transpose()?;
        let published = published.map(|text| number(&text)).transpose()?;
        return Ok((published, number(&known_text(target)?)?));
    }
    let written = known_text(value)?;
    let plain = written.strip_suffix("/tcp").unwrap_or(&written);
    if plain.contains('/') {
        return Err("only TCP is served".to_owned());
    }
    match plain.rsplit_once(':') {
        None => Ok((None, number(plain)?)),
        Some((rest, target)) => {
            let published = rest.rsplit_once(':').map_or(rest, |(_, published)| published);
            Ok((Some(number(published)?), number(target)?))
        }
    }
}

/// The path that a health check asks for, if it is a plain request to the service itself.
pub(super) fn health_path(test: &Value) -> Result<String, String> {
    let words = match test {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    let url = words.split([' ', '"', '\'']).find_map(|word| word.strip_prefix("http://"));
    let own = url.filter(|url| ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| url.starts_with(host)));
    let path = own.map(|url| url.split_once('/').map_or("/", |(_, path)| path));
    let path = path.map(|path| format!("/{}", path.trim_start_matches('/')));
    let is_plain = |path: &String| path.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~".contains(c));
    path.filter(is_plain).ok_or_else(|| {
        "it runs a program in the container; name a path in `health`, without it an open port is enough"
            .to_owned()
    })
}

/// `1m30s` and the like, if it is one that is written alike here.
pub(super) fn duration(value: &Value) -> Result<String, String> {
    let text = known_text(value)?;
    let units = ["ms", "s", "m", "h"];
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = text.get(digits.len()..).unwrap_or_default();
    match !digits.is_empty() && units.contains(&unit) {
        true => Ok(text),
        false => Err(format!("`{text}` is not understood; write a number with `ms`, `s`, `m` or `h`")),
    }
}

/// `512m` as Compose writes memory, in its units of 1,024.
pub(super) fn memory(value: &Value) -> Result<String, String> {
    let text = known_text(value)?.to_lowercase();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "k" | "kb" => "Ki",
        "m" | "mb" => "Mi",
        "g" | "gb" => "Gi",
        _ => return Err(format!("`{text}` is not understood; write for example `512Mi`")),
    };
    match digits.is_empty() {
        true => Err(format!("`{text}` is not understood; write for example `512Mi`")),
        false => Ok(format!("{digits}{unit}")),
    }
}
