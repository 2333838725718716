//! StatefulSets: one for all versions of a workload, since its pods have names and volumes of their own. The newest version stands on
//! the highest ordinals, from the `partition` on, and moves down as the one before is retired.

mod act;
mod plan;
