//! The headers that prove a delivery.

use http::HeaderMap;

/// The headers of a delivery. One that is there twice, or holds more than visible ASCII, counts as not there.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(pub &'a HeaderMap);

impl<'a> Headers<'a> {
    /// The one value of a header.
    pub(super) fn one(self, name: &str) -> Option<&'a str> {
        let mut values = self.0.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }
}
