//! Texts from outside, made fit to be recorded and shown.

use std::collections::BTreeMap;

use pilotage_spec::{Alert, Timestamp};

/// The longest summary, label and value, in characters.
const SUMMARY_LIMIT: usize = 300;
const LABEL_LIMIT: usize = 200;

/// So many labels of an alert are kept.
const LABELS_LIMIT: usize = 64;

/// A text without control characters and what turns the direction of writing, cut if it is long.
pub(super) fn clean(text: &str, limit: usize) -> String {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if unseen(c) { ' ' } else { c }).take(limit).collect::<String>().trim().to_owned()
}

/// A summary of one line.
pub(super) fn summary(text: &str) -> String {
    clean(text, SUMMARY_LIMIT)
}

/// Labels, as many and as long as are kept.
pub(super) fn labels(labels: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let short = |text: String| clean(&text, LABEL_LIMIT);
    labels.into_iter().take(LABELS_LIMIT).map(|(name, value)| (short(name), short(value))).collect()
}

/// What tells an alert from all others: cut, so that it can be kept for ever.
pub(super) fn key(parts: &[&str]) -> String {
    clean(&parts.join("@"), LABEL_LIMIT)
}

/// An address that can be shown as a link.
pub(super) fn url(text: Option<String>) -> Option<String> {
    let text = text.filter(|text| text.starts_with("https://") || text.starts_with("http://"))?;
    Some(clean(&text, SUMMARY_LIMIT)).filter(|cleaned| *cleaned == text)
}

/// A time in RFC 3339 form, in UTC or with an offset. Years before 1970 stand for no time, as in `0001-01-01T00:00:00Z`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond())).filter(|time| time.as_micros() > 0)
}

/// The first of these texts that says anything.
pub(super) fn first<'a>(texts: impl IntoIterator<Item = Option<&'a String>>) -> String {
    let said = texts.into_iter().flatten().find(|text| !text.trim().is_empty());
    said.map_or_else(|| "an alert without a name".to_owned(), |text| summary(text))
}

/// An alert that has gone away is another fact than the same alert when it came.
pub(super) fn settled(mut alert: Alert) -> Alert {
    if alert.resolved {
        alert.key.push_str("@resolved");
    }
    alert
}
