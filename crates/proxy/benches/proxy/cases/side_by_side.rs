//! What most cases do: the edge and its peers under one load.

use super::Bench;
use crate::comparison::{Contender, compare};
use crate::fault::Fault;
use crate::figure::{Figure, Goal};
use crate::load::Load;
use crate::machine::Program;
use crate::outcome::{Measure, Outcome, details, disturbance};
use crate::servers::Proxy;

/// What is told of every contender.
const TOLD: [Measure; 4] = [Measure::Requests, Measure::P99, Measure::Processor, Measure::User];

/// The edge and its peers under one load.
pub struct SideBySide<'a> {
    pub case: &'a str,
    /// The program behind the proxies; `None` if it is a part of this process.
    pub service: Option<&'a Program>,
    pub load: &'a dyn Load,
    pub edge: &'a Proxy,
    /// The best of them, measure by measure, is what the edge is judged by.
    pub peers: &'a [Proxy],
    /// These run too, for the reader.
    pub beside: &'a [Proxy],
    pub goals: &'a [(Measure, Goal)],
}

impl SideBySide<'_> {
    /// Measures, and returns what was judged before the details.
    pub fn run(&self, bench: &Bench) -> Result<Vec<Figure>, Fault> {
        let proxies = std::iter::once(self.edge).chain(self.peers).chain(self.beside);
        let contenders: Vec<_> = proxies.map(|proxy| Contender { proxy, load: self.load }).collect();
        let outcomes = compare(self.case, bench.plan, self.service, &contenders)?;
        let (edge, others) = outcomes.split_first().ok_or_else(|| Fault::new("nobody ran"))?;
        let peers: Vec<&Outcome> = others.iter().take(self.peers.len()).collect();
        let judged =
            self.goals.iter().map(|(measure, goal)| edge.against(self.case, &peers, *measure, *goal));
        let mut figures: Vec<Figure> = judged.collect();
        let rest = TOLD.into_iter().filter(|told| self.goals.iter().all(|(judged, _)| judged != told));
        figures.extend(rest.map(|measure| edge.figure(self.case, measure)));
        figures.extend(details(self.case, others, &TOLD));
        figures.extend(disturbance(self.case, &outcomes));
        Ok(figures)
    }
}
