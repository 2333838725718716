//! What the bench is told.

use std::time::Duration;

use crate::fault::Fault;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often each contender runs; figures are medians over these runs.
    pub rounds: usize,
    /// How long each run is; whole seconds, because the load generators take no others.
    pub run: Duration,
}

impl Plan {
    const WHOLE: Self = Self { rounds: 5, run: Duration::from_secs(6) };
    const QUICK: Self = Self { rounds: 3, run: Duration::from_secs(1) };
}

/// What the bench is told.
#[derive(Debug)]
pub struct Arguments {
    pub plan: Plan,
    /// The only case to run.
    pub case: Option<String>,
}

impl Arguments {
    pub fn read(words: &[String]) -> Result<Self, Fault> {
        let mut arguments = Self { plan: Plan::WHOLE, case: None };
        for word in words {
            match word.as_str() {
                "--quick" => arguments.plan = Plan::QUICK,
                // Cargo says this to every bench.
                "--bench" => {}
                name if !name.starts_with('-') && arguments.case.is_none() => {
                    arguments.case = Some(name.to_owned());
                }
                other => return Err(Fault::new(format!("`{other}`? usage: [CASE] [--quick]"))),
            }
        }
        Ok(arguments)
    }
}
