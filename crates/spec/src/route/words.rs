//! Settings in words, each under the key by which the file says it.

use std::net::SocketAddr;

use super::{ClientKey, EdgeSettings, RouteSettings};
use crate::format_duration;

const OFF: &str = "off";

impl RouteSettings {
    /// Every setting with its value, as the file would say it, defaults too.
    pub fn in_words(&self) -> Vec<(&'static str, String)> {
        let Self { timeouts, limits, retries, eject, .. } = self;
        let time = format_duration;
        vec![
            ("hosts", list(&self.hosts, "any")),
            ("path", self.path.to_string()),
            ("timeouts.connect", time(timeouts.connect)),
            ("timeouts.first_byte", time(timeouts.first_byte)),
            ("timeouts.idle", time(timeouts.idle)),
            ("timeouts.total", or_off(timeouts.total.map(time))),
            ("limits.body", or_off(limits.body.map(size))),
            ("limits.in_flight", or_off(limits.in_flight)),
            ("limits.queue", limits.queue.to_string()),
            ("limits.queue_for", time(limits.queue_for)),
            ("retries.attempts", retries.attempts.to_string()),
            ("retries.budget", format!("{}%", retries.budget_percent)),
            ("eject.after", or_off(eject.after)),
            ("eject.for", time(eject.pause)),
            ("eject.keep", format!("{}%", eject.keep_percent)),
            ("slow_start", time(self.slow_start)),
            ("drain", time(self.drain)),
            ("sticky", list(&self.sticky.iter().map(key).collect::<Vec<_>>(), "none")),
        ]
    }
}

impl RouteSettings {
    /// Where users find it, if it is served at an address by a scheme.
    pub fn url(&self, scheme: &str, listen: SocketAddr) -> String {
        let usual = matches!((scheme, listen.port()), ("https", 443) | ("http", 80));
        // What a person can write comes first: `*.example.com` is not an address.
        let named = self.hosts.iter().find(|host| !host.as_str().starts_with('*'));
        let place = match named.or(self.hosts.first()) {
            None => listen.to_string(),
            Some(host) if usual => host.to_string(),
            Some(host) => format!("{host}:{}", listen.port()),
        };
        let path = if self.path.is_root() { "" } else { self.path.as_str() };
        format!("{scheme}://{place}{path}")
    }
}

impl EdgeSettings {
    /// Every setting with its value, as the file would say it.
    pub fn in_words(&self) -> Vec<(&'static str, String)> {
        let chains: Vec<&String> = self.certificates.iter().map(|files| &files.chain).collect();
        vec![
            ("edge.listen", self.listen.to_string()),
            ("edge.certificates", list(&chains, "none")),
            ("edge.redirect", or_off(self.redirect)),
            ("edge.trusted_proxies", list(&self.trusted_proxies, "none")),
        ]
    }
}

fn or_off(value: Option<impl ToString>) -> String {
    value.map_or_else(|| OFF.to_owned(), |value| value.to_string())
}

fn list(items: &[impl ToString], none: &str) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    if items.is_empty() { none.to_owned() } else { items.join(", ") }
}

fn key(key: &ClientKey) -> String {
    match key {
        ClientKey::Cookie => "cookie".to_owned(),
        ClientKey::Header(name) => format!("header {name}"),
        ClientKey::Address => "address".to_owned(),
    }
}

/// In the largest unit that leaves nothing over.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}
