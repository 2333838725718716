//! The order in which environments get a release.

use crate::read::node::Spanned;
use crate::read::shape::{ListOf, MapOf, Named, Placed, Shape};
use crate::read::values::label;
use crate::{EnvironmentName, WavesName};

/// Waves as they are written.
pub(crate) type Waves = Named<WavesName, Vec<Vec<Spanned<EnvironmentName>>>>;

/// The shape of `waves`.
pub(super) fn waves() -> impl Shape<Value = Waves> {
    let environments = ListOf {
        item: Placed(label("the name of an environment")),
        at_least: 1,
        expected: "a list of environments",
        example: "[production]",
    };
    MapOf {
        key: label("the name of waves"),
        value: ListOf {
            item: environments,
            at_least: 1,
            expected: "a list of waves, each a list of environments",
            example: "[[canary], [production]]",
        },
        expected: "a mapping of waves by name",
        at_least: 0,
    }
}
