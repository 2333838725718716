//! Points in time as the contract writes them: RFC 3339.

use pilotage_spec::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads a time that has to be there.
pub fn read_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

/// Reads a time that may be missing.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text)).transpose().map_err(D::Error::custom)
}

/// Writes a time to the microsecond.
pub fn write(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros())
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}

fn parse(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| format!("`{text}` is not a time such as 2026-07-01T09:30:00Z"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}
