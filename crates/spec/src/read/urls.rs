//! Addresses in the file: each that the server could fetch must be of a server that is allowed.

use super::fault::Faults;
use super::node::{Kind, Node};
use super::walk::walk;
use crate::AllowedUrls;
use crate::allowed_url::Origin;

/// Notes every address of a server that is not allowed. Whatever looks like an address counts, in any part of the file, but for those
/// that are only handed on or compared: so a new key is checked without being named here.
pub(super) fn check(tree: &Node, allowed: &AllowedUrls, faults: &mut Faults) {
    let mut found = Vec::new();
    walk(tree, &mut |keys, node| {
        let Kind::Scalar(scalar) = &node.kind else { return };
        if looks_like_url(&scalar.text) && !is_only_text(keys) && !allowed.permits(&scalar.text) {
            found.push((node, scalar.text.as_str()));
        }
    });
    for (node, url) in found {
        let fault = match Origin::of(url) {
            Some(origin) => faults
                .error(&node.span, format!("`{origin}` is not among `allowed_urls`"))
                .help(format!("if the server may ask it, add it: `allowed_urls: [\"{origin}\"]`")),
            None => faults
                .error(&node.span, "the host of this address is not plainly written")
                .help("write `https://`, the host and a port, without a user or password"),
        };
        // An address may be where somebody has written a password.
        fault.label("nothing but this machine is asked unless it is allowed").hide();
    }
}

fn looks_like_url(text: &str) -> bool {
    let start = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// What is handed to services, compared with something, or the list itself.
fn is_only_text(keys: &[&str]) -> bool {
    match keys {
        ["services" | "conditions" | "allowed_urls" | "approved_scripts", ..] => true,
        ["environments", _, "services", ..] => true,
        _ => keys.iter().any(|key| matches!(*key, "audience" | "claims")),
    }
}
