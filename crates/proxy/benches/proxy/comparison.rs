//! Contenders under the same load, in turns.

use std::time::Duration;

use crate::arguments::Plan;
use crate::fault::Fault;
use crate::load::Load;
use crate::machine::{MachineUse, Program, memory_bytes, processor_time};
use crate::outcome::{Measure, Outcome, Sample};
use crate::servers::Proxy;

/// Above this share of one processor, what others did meanwhile makes a run worthless.
const FOREIGN_LIMIT: f64 = 0.10;

/// How often a disturbed run is made again; then the least disturbed one counts.
const REPETITIONS: usize = 3;

/// How long each contender runs before the first measured run.
const WARM_UP: Duration = Duration::from_secs(1);

/// A proxy and the load that it is put under.
pub struct Contender<'a> {
    pub proxy: &'a Proxy,
    pub load: &'a dyn Load,
}

/// Lets the contenders run in turns, round after round. The service behind them runs beside them all the time.
pub fn compare(
    case: &str,
    plan: Plan,
    service: Option<&Program>,
    contenders: &[Contender<'_>],
) -> Result<Vec<Outcome>, Fault> {
    for contender in contenders {
        contender.load.run(contender.proxy.address, WARM_UP)?;
    }
    let outcome =
        |contender: &Contender<'_>| Outcome { name: contender.proxy.name.clone(), samples: Vec::new() };
    let mut outcomes: Vec<Outcome> = contenders.iter().map(outcome).collect();
    for round in 0..plan.rounds {
        // Each begins a round as often as the others.
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let sample = undisturbed(plan, service, &contenders[index])?;
            eprintln!("  {case} {}/{} {}", round + 1, plan.rounds, line(&outcomes[index].name, &sample));
            outcomes[index].samples.push(sample);
        }
    }
    Ok(outcomes)
}

fn undisturbed(plan: Plan, service: Option<&Program>, contender: &Contender<'_>) -> Result<Sample, Fault> {
    let mut best = run(plan, service, contender)?;
    for _ in 1..REPETITIONS {
        if best.foreign_share <= FOREIGN_LIMIT {
            break;
        }
        eprintln!("  again, because others used {:.0} % of a core", best.foreign_share * 100.0);
        let next = run(plan, service, contender)?;
        if next.foreign_share < best.foreign_share {
            best = next;
        }
    }
    Ok(best)
}

fn run(plan: Plan, service: Option<&Program>, contender: &Contender<'_>) -> Result<Sample, Fault> {
    let program = &contender.proxy.program;
    let ours: Vec<&Program> = service.into_iter().chain([program]).collect();
    let machine = MachineUse::read(&ours)?;
    let before = processor_time(program)?;
    let (report, memory) = std::thread::scope(|scope| {
        let load = scope.spawn(|| contender.load.run(contender.proxy.address, plan.run));
        std::thread::sleep(plan.run / 2);
        let memory = memory_bytes(program);
        (load.join(), memory)
    });
    let report = report.map_err(|_| Fault::new("the load generator panicked"))??;
    let used = processor_time(program)?.since(before);
    let foreign_share = machine.foreign_share(&MachineUse::read(&ours)?);
    Ok(Sample { report, used, memory_bytes: memory?, foreign_share })
}

fn line(name: &str, sample: &Sample) -> String {
    format!(
        "{name:<14} {:>7.0} requests/s  p99 {:>6.2} ms  {:>6.2} us of processor a request ({:.2} of it user)  \
         {:>5.1} MB  foreign {:.0} %",
        Measure::Requests.of(sample),
        Measure::P99.of(sample),
        Measure::Processor.of(sample),
        Measure::User.of(sample),
        Measure::Memory.of(sample),
        sample.foreign_share * 100.0,
    )
}
