//! Conditions: their expressions are checked by whoever knows the language.

use std::collections::BTreeMap;

use crate::read::ExpressionCheck;
use crate::read::fault::Faults;
use crate::read::file::Conditions;
use crate::{ConditionName, PolicyCondition};

/// The conditions of the file, each found sound by the check.
pub(super) fn resolve(
    conditions: Conditions,
    check: &ExpressionCheck<'_>,
    faults: &mut Faults,
) -> BTreeMap<ConditionName, PolicyCondition> {
    let mut sound = BTreeMap::new();
    for (name, condition) in conditions {
        let Some(condition) = condition else { continue };
        if let Err(fault) = check(&condition.when.value) {
            faults
                .error(&condition.when.span, fault.message)
                .label("this expression cannot be used")
                .help(fault.help);
        }
        let known = PolicyCondition { when: condition.when.value, message: condition.message };
        sound.insert(name.value, known);
    }
    sound
}
