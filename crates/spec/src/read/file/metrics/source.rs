//! Where a metric's number comes from.

use serde_json::json;

use crate::quote::quoted;
use crate::read::file::token::token;
use crate::read::shape::{Fields, Hidden, Misread, Object, Scalar, field};
use crate::read::values::TEXT;
use crate::{JsonSource, MetricSource, variables};

/// The names that can be put into a source.
const KNOWN: [&str; 3] = ["SERVICE", "ENVIRONMENT", "VERSION"];

/// Asks for the one source that a metric has.
pub(in crate::read::file) fn source(fields: &mut Fields<'_>) -> Option<MetricSource> {
    fields.exactly_one(&["query", "json"]);
    let query = fields.optional(
        field(
            "query",
            "The PromQL that yields one number. `$SERVICE`, `$ENVIRONMENT` and `$VERSION` (the new version) are substituted; \
             `$$` is a dollar.",
        )
        .example("sum(queue_length{version=\"$VERSION\"})"),
        &query(),
    );
    let json = fields.optional(
        field("json", "A number in a JSON document that is served over HTTP."),
        // An address may be where somebody has written a password.
        &Hidden(Object { expected: "`json`", fields: json }),
    );
    query.map(MetricSource::Query).or(json.map(MetricSource::Json))
}

fn json(fields: &mut Fields<'_>) -> Option<JsonSource> {
    let url = fields.required(
        field(
            "url",
            "Where the document is. Behind the host, `$SERVICE`, `$ENVIRONMENT` and `$VERSION` (the new version) are \
             substituted; `$$` is a dollar.",
        )
        .example("https://shop.example.com/stats?version=$VERSION"),
        &document_url(),
    );
    let pointer = fields.required(
        field(
            "pointer",
            "Where the number is in the document, as a JSON pointer (RFC 6901); `\"\"` is all of it.",
        )
        .example("/orders/per_minute"),
        &pointer(),
    );
    let token = fields.optional(field("token", "A bearer token, if the server wants one."), &token());
    Some(JsonSource { url: url?, pointer: pointer?, token })
}

/// The shape of PromQL.
pub(in crate::read::file) fn query() -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1 });
    Scalar::new("a PromQL query", schema, |written| {
        let text = written.text.as_str();
        if text.trim().is_empty() {
            return Err(Misread::new("the query is empty", "write PromQL that yields one number"));
        }
        check_variables(text, "a query")?;
        Ok(text.to_owned())
    })
}

fn check_variables(text: &str, place: &str) -> Result<(), Misread> {
    let names = variables(text).map_err(Misread::plain)?;
    match names.iter().find(|name| !KNOWN.contains(name)) {
        Some(name) => Err(Misread::new(
            format!("`${name}` is not known in {place}"),
            "use `$SERVICE`, `$ENVIRONMENT` or `$VERSION`; write `$$` for a literal dollar",
        )),
        None => Ok(()),
    }
}

/// The address of a document. Its text is not repeated in messages: what looks like a key in it may be one.
fn document_url() -> Scalar<String> {
    let schema =
        json!({ "type": "string", "pattern": "^https?://[^\\s/?#@$]+([/?][^\\s#]*)?$", "maxLength": 2048 });
    Scalar::new("a URL such as `https://shop.example.com/stats`", schema, |written| {
        let text = written.text.as_str();
        let mend = "write, for example, `https://shop.example.com/stats?version=$VERSION`";
        let misread = |reason: &str| Misread::new(format!("this URL cannot be used: {reason}"), mend);
        let bare = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let bare = bare.ok_or_else(|| misread("it must start with `http://` or `https://`"))?;
        let host = bare.split(['/', '?', '#']).next().unwrap_or(bare);
        if host.contains('@') {
            return Err(Misread::new(
                "a URL must not hold a user or password",
                "use `token: { secret: \"env:NAME\" }` for a bearer token",
            ));
        }
        if host.contains('$') {
            return Err(misread(
                "names are put in behind the host only, so that it is known where a token goes",
            ));
        }
        if text.contains('#') {
            return Err(misread("what follows a `#` is never sent; say in `pointer` where the number is"));
        }
        let visible = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
        if host.is_empty() || host.starts_with(':') || text.len() > 2048 || !bare.chars().all(visible) {
            return Err(misread("host, path or query is malformed"));
        }
        check_variables(text, "a URL")?;
        Ok(text.to_owned())
    })
}

/// RFC 6901, section 3: nothing, or tokens with a `/` before each, where `~` stands only in `~0` and `~1`.
pub(in crate::read::file) fn pointer() -> Scalar<String> {
    let schema = json!({ "type": "string", "pattern": "^(/([^~]|~[01])*)?$", "maxLength": 1024 });
    Scalar::new("a JSON pointer such as `/orders/0`", schema, |written| {
        let text = written.text.as_str();
        let misread = |reason: &str, mend: String| {
            Err(Misread::new(format!("{} is not a JSON pointer: {reason}", quoted(text)), mend))
        };
        if text.starts_with(['.', '$']) || !(text.is_empty() || text.starts_with('/')) {
            let path = text.trim_start_matches(['$', '.']).replace('.', "/");
            return misread(
                "it must begin with `/`",
                format!("write the keys with a `/` before each: `/{path}`"),
            );
        }
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if !escaped {
            return misread(
                "a `~` stands alone",
                "write `~0` for a `~`, and `~1` for a `/` within a key".to_owned(),
            );
        }
        if text.len() > 1024 {
            return misread("it is too long", "write at most 1024 bytes".to_owned());
        }
        Ok(text.to_owned())
    })
}
