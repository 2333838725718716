//! `shadow`: copies of requests to a version whose answers nobody sees.

use std::time::Duration;

use serde_json::json;

use super::times::watch;
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, ListOf, Misread, Object, Placed, Scalar, Shape, field};
use crate::read::values::share;
use crate::{Copies, Strategy, StrategyKind};

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let share = fields.or(field("share", "Which part of the requests is copied."), &copied(), "100%");
    let watch = fields.or(
        field("watch", "How long the copies go on and are judged. Then the trial is over, and the new version is stopped."),
        &watch(),
        "10m",
    );
    let compare = fields.or(
        field("compare", "How the answers to copies are compared with those that users get."),
        &Object { expected: "`compare`", fields: compare },
        "{}",
    );
    let writes = fields.or(
        field(
            "writes",
            "Whether requests that change something (POST, PUT, PATCH, DELETE and the like) are copied too. Write `true` only if \
             doing them twice does no harm.",
        ),
        &Scalar::truth(),
        "false",
    );
    let Compare { bodies, ignore } = compare?;
    let kind = StrategyKind::Shadow { copies: Copies { share: share?, writes: writes?, bodies, ignore } };
    Some(Strategy::new(kind, watch?, Duration::ZERO))
}

/// A share of the requests that is more than nothing.
pub(super) fn copied() -> impl Shape<Value = u32> {
    Checked { shape: Placed(share()), check: check_copied }
}

fn check_copied(share: Spanned<u32>, faults: &mut Faults) -> Option<u32> {
    if share.value == 0 {
        faults.error(&share.span, "a share of 0 % copies nothing").help("write a share such as `20%`");
        return None;
    }
    Some(share.value)
}

struct Compare {
    bodies: bool,
    ignore: Vec<String>,
}

fn compare(fields: &mut Fields<'_>) -> Option<Compare> {
    let bodies = fields.or(
        field("bodies", "Whether the bodies are compared, beside the status."),
        &Scalar::truth(),
        "true",
    );
    let ignore = fields.or(
        field(
            "ignore",
            "Parts of JSON bodies that may differ, as JSON pointers; `*` stands for any name or index.",
        ),
        &ListOf {
            item: pointer(),
            at_least: 0,
            expected: "a list of JSON pointers",
            example: "[/time, /items/*/id]",
        },
        "[]",
    );
    Some(Compare { bodies: bodies?, ignore: ignore? })
}

/// A JSON pointer (RFC 6901).
fn pointer() -> Scalar<String> {
    let schema = json!({ "type": "string", "pattern": "^(/([^/~]|~[01])*)+$" });
    Scalar::new("a JSON pointer such as `/time`", schema, |written| {
        let text = written.text.as_str();
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        match text.starts_with('/') && escapes && !text.contains(char::is_control) {
            true => Ok(text.to_owned()),
            false => Err(Misread::new(
                format!("{} is not a JSON pointer", quoted(text)),
                "begin with a slash, as in `/time` or `/items/*/id`; `~` is written `~0`, and a slash in a name `~1`",
            )),
        }
    })
}
