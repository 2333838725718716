//! Times as people and other programs read them: RFC 3339 in UTC, to the millisecond.

use pilotage_spec::Timestamp;

/// A time such as `2026-07-01T09:30:00.125Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

/// Reads a time in RFC 3339 form with any offset. `None` if it is not one.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// For `#[serde(with = …)]`: a [`Timestamp`] written in RFC 3339 form, to the millisecond.
pub(crate) mod as_rfc3339 {
    use pilotage_spec::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*at))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        let at = Timestamp::from_micros(1_782_898_200_125_999);
        assert_eq!(rfc3339(at), "2026-07-01T09:30:00.125Z");
        assert_eq!(parse_rfc3339("2026-07-01T11:30:00.125+02:00"), parse_rfc3339(&rfc3339(at)));
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
