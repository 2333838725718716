//! Systems of tickets.

use serde_json::json;

use super::metrics::pointer;
use super::token::token;
use crate::quote::quoted;
use crate::read::node::Spanned;
use crate::read::shape::{
    Fields, Hidden, ListOf, MapOf, Misread, Named, Object, Placed, Scalar, Shape, field,
};
use crate::read::values::{TEXT, base_url, label};
use crate::{TicketKind, TicketScheme, TicketSignIn, TicketSystem, TicketSystemName, variables};

/// The kinds of systems, by their keys.
const KINDS: [&str; 6] = ["jira", "service_management", "servicenow", "github", "gitlab", "json"];

/// The shape of `tickets`.
pub(super) fn tickets() -> impl Shape<Value = Named<TicketSystemName, TicketSystem>> {
    MapOf {
        key: label("the name of a ticket system"),
        value: Object { expected: "a ticket system", fields: system },
        expected: "a mapping of ticket systems by name",
        at_least: 0,
    }
}

/// A system of one kind, before it is known what its tickets must say.
struct Server {
    kind: TicketKind,
    url: String,
    sign_in: Option<TicketSignIn>,
}

fn system(fields: &mut Fields<'_>) -> Option<TicketSystem> {
    fields.exactly_one(&KINDS);
    let server = server(fields);
    let states = fields.or(
        field("states", "A ticket in any of these states is approved; on GitHub and GitLab an open issue with any of these labels.")
            .example("[Approved]"),
        &words("a list of states"),
        "[Approved]",
    );
    let mut place =
        |name: &'static str, about: &'static str| fields.optional(field(name, about), &Placed(place_text()));
    let service = place(
        "service",
        "Where a ticket says for which services it is: a field, the beginning of a label, or a JSON pointer.",
    );
    let environment = place("environment", "Where it says for which environments.");
    let from = place("from", "Where it says from when on the change is planned: a field or a JSON pointer.");
    let to = place("to", "Where it says until when.");
    let Server { kind, url, sign_in } = server?;
    for place in [&service, &environment].into_iter().flatten() {
        check_place(place, &kind, fields);
    }
    for place in [&from, &to].into_iter().flatten() {
        check_time_place(place, &kind, fields);
    }
    let value = |place: Option<Spanned<String>>| place.map(|place| place.value);
    let (service, environment, from, to) = (value(service), value(environment), value(from), value(to));
    Some(TicketSystem { kind, url, sign_in, states: states?, service, environment, from, to })
}

fn server(fields: &mut Fields<'_>) -> Option<Server> {
    let mut ask = |name: &'static str, about: &'static str, shape: fn(&mut Fields<'_>) -> Option<Server>| {
        fields.optional(field(name, about), &Hidden(Object { expected: "a ticket system", fields: shape }))
    };
    let found = [
        ask("jira", "Jira, Cloud or Data Center: the status of an issue.", |fields| {
            plain(fields, TicketKind::Jira)
        }),
        ask("service_management", "Jira Service Management: the approvals of a request.", |fields| {
            plain(fields, TicketKind::ServiceManagement)
        }),
        ask("servicenow", "ServiceNow: state and approval of a change request.", service_now),
        ask("github", "GitHub: the labels of an open issue.", |fields| plain(fields, TicketKind::GitHub)),
        ask("gitlab", "GitLab: the labels of an open issue.", |fields| plain(fields, TicketKind::GitLab)),
        ask("json", "A JSON document that is served over HTTP.", json),
    ];
    found.into_iter().flatten().next()
}

fn plain(fields: &mut Fields<'_>, kind: TicketKind) -> Option<Server> {
    let url = fields.required(
        field("url", "The beginning of its addresses.").example("https://shop.atlassian.net"),
        &base_url(),
    );
    let sign_in = sign_in(fields);
    Some(Server { kind, url: url?, sign_in })
}

fn service_now(fields: &mut Fields<'_>) -> Option<Server> {
    let approvals = fields.or(
        field("approvals", "What the field `approval` says when a change is approved."),
        &words("a list of words"),
        "[approved]",
    );
    let conflicts = fields.or(
        field(
            "conflicts",
            "What the field `conflict_status` says when a change is in conflict with another.",
        ),
        &words("a list of words"),
        "[Conflict]",
    );
    let server = plain(fields, TicketKind::Jira);
    let kind = TicketKind::ServiceNow { approvals: approvals?, conflicts: conflicts? };
    Some(Server { kind, ..server? })
}

fn json(fields: &mut Fields<'_>) -> Option<Server> {
    let url = fields.required(
        field("url", "Where the document is; `$TICKET`, behind the host, is the ticket's key.")
            .example("https://change.shop.example/api/changes/$TICKET"),
        &document_url(),
    );
    let state = fields.required(
        field("state", "Where the state is, as a JSON pointer (RFC 6901).").example("/change/state"),
        &pointer(),
    );
    let sign_in = sign_in(fields);
    Some(Server { kind: TicketKind::Json { state: state? }, url: url?, sign_in })
}

fn sign_in(fields: &mut Fields<'_>) -> Option<TicketSignIn> {
    let token = fields.optional(field("token", "The token or password, if the server wants one."), &token());
    let user = fields.optional(
        field("user", "The user whose password or token it is. Without one it is sent as a bearer token."),
        &Placed(user()),
    );
    let header = fields.optional(
        field("header", "The header that the token is sent in, if the server wants one of its own.")
            .example("X-Api-Key"),
        &Placed(header()),
    );
    for (name, is_there) in [("user", user.is_some()), ("header", header.is_some())] {
        if is_there {
            fields.needed_beside("token", name);
        }
    }
    if user.is_some() {
        fields.unwanted_beside("header", "user");
    }
    let scheme = match (user, header) {
        (Some(user), _) => TicketScheme::Basic(user.value),
        (None, Some(header)) => TicketScheme::Header(header.value),
        (None, None) => TicketScheme::Bearer,
    };
    Some(TicketSignIn { token: token?, scheme })
}

fn words(expected: &'static str) -> ListOf<Scalar<String>> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": 64 });
    let word = Scalar::new("a word such as `Approved`", schema, |written| {
        let text = written.text.as_str();
        let fits = (1..=64).contains(&text.chars().count());
        match fits && text.trim() == text && !text.chars().any(char::is_control) {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                format!("{} is not a word of a ticket", quoted(text)),
                "write 1 to 64 characters on one line",
            )),
        }
    });
    ListOf { item: word, at_least: 1, expected, example: "[Approved]" }
}

fn user() -> Scalar<String> {
    let schema = json!({ "type": TEXT, "pattern": "^[!-9;-~]{1,128}$" });
    Scalar::new("a user's name", schema, |written| {
        let text = written.text.as_str();
        let allowed = |c: char| c.is_ascii_graphic() && c != ':';
        match (1..=128).contains(&text.len()) && text.chars().all(allowed) {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                "this cannot be a user's name",
                "write 1 to 128 visible characters without `:`",
            )),
        }
    })
}

fn header() -> Scalar<String> {
    let schema = json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,63}$" });
    Scalar::new("the name of a header", schema, |written| {
        let text = written.text.as_str();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
        match begins && text.len() <= 64 && text.chars().all(allowed) {
            true => Ok(text.to_owned()),
            false => Err(Misread::new("this is not the name of a header", "write, for example, `X-Api-Key`")),
        }
    })
}

/// A place of a ticket; what it must look like depends on the kind of system.
fn place_text() -> Scalar<String> {
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": 256 });
    Scalar::new("where a ticket says it", schema, |written| {
        let text = written.text.as_str();
        match (1..=256).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic()) {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                format!("{} cannot be a place in a ticket", quoted(text)),
                "write 1 to 256 visible characters",
            )),
        }
    })
}

fn check_place(place: &Spanned<String>, kind: &TicketKind, fields: &mut Fields<'_>) {
    let text = place.value.as_str();
    let (fits, mend) = match kind {
        TicketKind::Jira | TicketKind::ServiceManagement | TicketKind::ServiceNow { .. } => {
            (is_field(text), "write the name of a field, for example `customfield_10010`")
        }
        TicketKind::Json { .. } => {
            (pointer().parse_plain(text).is_ok(), "write a JSON pointer, for example `/change/service`")
        }
        TicketKind::GitHub | TicketKind::GitLab => {
            (!text.contains(','), "write the beginning of the labels that say it, for example `service:`")
        }
    };
    if let Some(faults) = fields.faults().filter(|_| !fits) {
        faults.error(&place.span, format!("{} is no place in such a ticket", quoted(text))).help(mend);
    }
}

fn check_time_place(place: &Spanned<String>, kind: &TicketKind, fields: &mut Fields<'_>) {
    if !matches!(kind, TicketKind::GitHub | TicketKind::GitLab) {
        return check_place(place, kind, fields);
    }
    if let Some(faults) = fields.faults() {
        faults
            .error(&place.span, "labels hold no times")
            .help("leave it out; a window of the environment can say when deployments are allowed");
    }
}

/// The name of a field; with a dot for one of the record that it refers to.
fn is_field(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.len() <= 128 && text.split('.').all(word)
}

/// The address of a ticket. Its text is not repeated in messages: what looks like a key in it may be one.
fn document_url() -> Scalar<String> {
    let schema =
        json!({ "type": "string", "pattern": "^https?://[^\\s/?#@$]+[/?][^\\s#]*$", "maxLength": 2048 });
    Scalar::new("a URL with `$TICKET` in it", schema, |written| {
        let text = written.text.as_str();
        let mend = "write, for example, `https://change.shop.example/api/changes/$TICKET`";
        let misread = |reason: &str| Misread::new(format!("this URL cannot be used: {reason}"), mend);
        let bare = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let bare = bare.ok_or_else(|| misread("it must start with `http://` or `https://`"))?;
        let host = bare.split(['/', '?', '#']).next().unwrap_or(bare);
        if host.contains(['@', '$']) || text.contains('#') {
            return Err(misread("it must hold no user, no `#`, and `$TICKET` behind the host only"));
        }
        let visible = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
        if host.is_empty() || host.starts_with(':') || text.len() > 2048 || !bare.chars().all(visible) {
            return Err(misread("host, path or query is malformed"));
        }
        match variables(text).map_err(Misread::plain)?.as_slice() {
            ["TICKET"] => Ok(text.to_owned()),
            _ => Err(misread("it must hold `$TICKET` once, and no other name")),
        }
    })
}
