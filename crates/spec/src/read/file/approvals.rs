//! What the team has looked at and allowed: servers that may be asked, and scripts by their digests.

use serde_json::json;

use crate::read::node::Spanned;
use crate::read::shape::{ListOf, MapOf, Misread, Named, Scalar};
use crate::read::values::{TEXT, parsed};
use crate::{AllowedUrl, Digest};

/// Scripts by what they are called, as they are written.
pub(crate) type Approved = Named<String, Digest>;

/// The shape of `allowed_urls`.
pub(super) fn allowed_urls() -> ListOf<Scalar<AllowedUrl>> {
    let pattern = r"^[Hh][Tt][Tt][Pp][Ss]?://(\*\.)?[^/?#@\s*]+(:\*)?$";
    ListOf {
        item: parsed("the address of a server", json!({ "type": "string", "pattern": pattern })),
        at_least: 0,
        expected: "a list of servers",
        example: "[\"https://jira.shop.example\"]",
    }
}

/// The shape of `approved_scripts`.
pub(super) fn approved_scripts() -> MapOf<String, Scalar<Digest>> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": 1024 });
    let key =
        Scalar::new("a path below the project's folder, or what a script is called", schema, |written| {
            let text = written.text.as_str();
            if text.is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
                return Err(Misread::new(
                    "this is no name of a script",
                    "write its path below the project's folder",
                ));
            }
            Ok(text.strip_prefix("./").unwrap_or(text).to_owned())
        });
    let digest = json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" });
    MapOf {
        key,
        value: parsed("a digest such as `sha256:…`", digest),
        expected: "a mapping of scripts to digests",
        at_least: 0,
    }
}

/// The digests by what they are called.
pub(crate) fn by_name(approved: Approved) -> impl Iterator<Item = (String, Digest)> {
    approved.into_iter().filter_map(|(Spanned { value: name, .. }, digest)| Some((name, digest?)))
}
