//! Which clients a cohort has.

use serde_json::json;

use super::stages::ALL;
use crate::quote::quoted;
use crate::read::node::Spanned;
use crate::read::shape::{Fields, Misread, Object, Placed, Scalar, field};
use crate::read::values::{TEXT, parsed, share};
use crate::{Condition, HeaderName, Ring, Source, Test};

/// A cohort with its name, which keeps its place.
pub(super) struct RingDraft {
    name: Spanned<String>,
    when: Condition,
    share: Spanned<u32>,
}

impl RingDraft {
    /// The name, for rules about several.
    pub fn name(&self) -> &Spanned<String> {
        &self.name
    }

    /// The cohort.
    pub fn ring(self) -> Ring {
        Ring { name: self.name.value, when: self.when, share: self.share.value }
    }
}

/// Asks for a cohort among the fields of something that has one.
pub(super) fn ring(fields: &mut Fields<'_>) -> Option<RingDraft> {
    let name = fields.required(
        field("name", "What the cohort is called in messages.").example("internal"),
        &Placed(name()),
    );
    let when = condition(fields);
    let share = fields.or(
        field("share", "Which part of the cohort's clients goes to the new version."),
        &Placed(share()),
        "100%",
    );
    let draft = RingDraft { name: name?, when: when?, share: share? };
    if !(1..=ALL).contains(&draft.share.value)
        && let Some(faults) = fields.faults()
    {
        faults
            .error(&draft.share.span, "a cohort's share must be more than 0 %")
            .help("leave the cohort out, or write a share such as `50%`");
        return None;
    }
    Some(draft)
}

/// A request has what is asked for in exactly one place.
pub(super) fn condition(fields: &mut Fields<'_>) -> Option<Condition> {
    fields.exactly_one(&["header", "cookie", "query"]);
    one_place(fields)
}

/// The same where it is one choice among others.
pub(super) fn one_place(fields: &mut Fields<'_>) -> Option<Condition> {
    let places = [
        fields.optional(
            field("header", "Requests with this header.").example("{ name: X-Staff }"),
            &Object { expected: "a header", fields: |fields| place(fields, Source::Header) },
        ),
        fields.optional(
            field("cookie", "Requests with this cookie.").example("{ name: beta, equals: \"1\" }"),
            &Object { expected: "a cookie", fields: |fields| place(fields, Source::Cookie) },
        ),
        fields.optional(
            field("query", "Requests with this parameter in the query of their URL.")
                .example("{ name: region, prefix: eu }"),
            &Object { expected: "a parameter", fields: |fields| place(fields, Source::Query) },
        ),
    ];
    places.into_iter().flatten().next()
}

fn place(fields: &mut Fields<'_>, source: fn(String) -> Source) -> Option<Condition> {
    let name = fields.required(
        field("name", "What it is called in requests.").example("X-Staff"),
        &parsed::<HeaderName>("a name such as `X-Staff`", json!({ "type": TEXT, "minLength": 1 })),
    );
    let equals = fields.optional(field("equals", "Its value is just this."), &Placed(Scalar::text("a text")));
    let prefix =
        fields.optional(field("prefix", "Its value begins with this."), &Placed(Scalar::text("a text")));
    let present = fields.optional(
        field(
            "present",
            "It is there, whatever its value; the default where neither value nor beginning is asked for.",
        ),
        &Placed(Scalar::truth()),
    );
    let tests: Vec<(_, Test)> = [
        equals.map(|text| (text.span, Test::Equals(text.value))),
        prefix.map(|text| (text.span, Test::Prefix(text.value))),
        present.map(|there| (there.span, Test::Present(there.value))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let (Some((second, _)), Some(faults)) = (tests.get(1), fields.faults()) {
        faults
            .error(second, "a condition has one of `equals`, `prefix` and `present`, not two of them")
            .help("keep one of the two");
        return None;
    }
    let test = tests.into_iter().next().map_or(Test::Present(true), |(_, test)| test);
    Some(Condition { source: source(name?.to_string()), test })
}

fn name() -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": 64 });
    Scalar::new("a name for messages", schema, |written| {
        let text = written.text.as_str();
        if !(1..=64).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(Misread::new(
                format!("{} cannot be used as a name", quoted(text)),
                "write 1 to 64 characters on one line",
            ));
        }
        Ok(text.to_owned())
    })
}
