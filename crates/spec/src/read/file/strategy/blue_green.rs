//! `blue-green`: one switch, perhaps after a look at a preview and a word of a person.

use super::times::Timed;
use crate::read::shape::{Fields, Scalar, field};
use crate::{Strategy, StrategyKind};

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let preview = fields.optional(
        field(
            "preview",
            "The port of the environment's address at which the new version is reached before the switch. The smoke suite's \
             `$URL` is there then.",
        )
        .example("8081"),
        &Scalar::whole("a port", 1, u64::from(u16::MAX)),
    );
    let hold = fields.or(
        field("hold", "Whether the switch waits for a person: `pilotage promote` does it."),
        &Scalar::truth(),
        "false",
    );
    let strategy = Timed::ask(fields, "5m", "15m")?.with(Some(StrategyKind::BlueGreen))?;
    let preview = preview.and_then(|port| u16::try_from(port).ok());
    Some(Strategy { preview, hold: hold?, ..strategy })
}
