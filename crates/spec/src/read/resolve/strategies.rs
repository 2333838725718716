//! The built-in strategies.

use std::collections::BTreeMap;

use crate::read::fault::Faults;
use crate::read::parse::parse;
use crate::read::shape::{Named, Shape};
use crate::read::strategy_shape;
use crate::{Strategy, StrategyName};

/// The built-in strategies are the four kinds with all their defaults.
const BUILT_IN: [(&str, &str); 4] = [
    ("rolling", "rolling: {}"),
    ("blue-green", "blue-green: {}"),
    ("canary", "canary: {}"),
    ("recreate", "recreate: {}"),
];

/// All strategies by name. One that could not be read is `None`, so that its name is still known.
pub(super) fn with_built_in(
    written: &Named<StrategyName, Strategy>,
) -> BTreeMap<StrategyName, Option<Strategy>> {
    let built_in = BUILT_IN.iter().filter_map(|(name, text)| Some((name.parse().ok()?, built_in(text))));
    let mut strategies: BTreeMap<StrategyName, Option<Strategy>> = built_in.collect();
    strategies.extend(written.iter().map(|(name, strategy)| (name.value.clone(), strategy.clone())));
    strategies
}

fn built_in(text: &str) -> Option<Strategy> {
    let mut faults = Faults::default();
    let node = parse(text, &mut faults)?;
    strategy_shape().read(&node, &mut faults)
}
