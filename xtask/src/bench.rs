//! `cargo xtask bench`: runs a bench and compares its figures with their goals.

use pilotage_testing::Part;

use crate::figures::{Figure, table};
use crate::parts;
use crate::process::{Output, TaskError, cargo, run_by_line};

const USAGE: &str = "usage: cargo xtask bench [NAME [--only CASE] [--SIZE N]...] [--quick] [--output json]";

/// A bench target of a crate. It takes `--quick` and prints one JSON object a figure.
struct Bench {
    name: &'static str,
    package: &'static str,
    about: &'static str,
    /// It takes the name of a case, to run that alone.
    has_cases: bool,
    /// The flags by which it is told how large it is to be, each with a number.
    sizes: &'static [&'static str],
    /// Other bench targets that belong to it, each with its package.
    also: &'static [(&'static str, &'static str)],
    /// The real programs it needs; it skips what it cannot do without them, and says so.
    parts: &'static [Part],
    /// How it is built.
    profile: &'static str,
}

/// The profile of benches whose figures are compared with those of other programs: peers come as they are shipped, and so
/// does what they are compared with.
const SHIPPED: &str = "dist";

impl Bench {
    const fn new(name: &'static str, package: &'static str, about: &'static str) -> Self {
        let (sizes, also, parts) = (&[] as &[&str], &[] as &[(&str, &str)], &[] as &[Part]);
        Self { name, package, about, has_cases: false, sizes, also, parts, profile: "bench" }
    }
}

const BENCHES: &[Bench] = &[
    Bench::new("journal", "pilotage-journal", "durable events a second, folding"),
    Bench::new("switch", "pilotage-proxy", "from a new table to its last old request"),
    Bench {
        has_cases: true,
        parts: &[Part::Nginx, Part::Haproxy, Part::Wrk, Part::H2load],
        profile: SHIPPED,
        ..Bench::new("proxy", "pilotage-proxy", "the edge beside nginx and HAProxy")
    },
    Bench::new("simulator", "pilotage-engine", "whole simulated deployments a second"),
    Bench::new(
        "judge",
        "pilotage-engine",
        "false and missed verdicts, beside other rules and the prediction",
    ),
    Bench {
        also: &[("pilotage-access", "tokens"), ("pilotage-secrets", "masking")],
        ..Bench::new("gates", "pilotage-engine", "all gates of a plan, token checks, masking")
    },
    Bench::new("load", "pilotage-load", "what the load generator itself costs"),
    Bench {
        sizes: &["--requests", "--cut-overs", "--replacements"],
        ..Bench::new(
            "zero-drop",
            "pilotage",
            "dropped requests over cut-overs, rollbacks and edge replacements",
        )
    },
    Bench {
        also: &[("pilotage", "kube-zero-drop")],
        sizes: &["--requests"],
        ..Bench::new(
            "kube",
            "pilotage-kubernetes",
            "a cluster: ways back beside its own, dropped requests, a look at a large estate and its memory",
        )
    },
    Bench::new("deployments", "pilotage", "dropped requests over deployments and their ways back"),
    Bench {
        sizes: &["--requests", "--rollbacks"],
        ..Bench::new(
            "docker",
            "pilotage-docker",
            "containers: ways back beside Swarm's own, dropped requests",
        )
    },
    Bench::new("overhead", "pilotage", "what a deployment and `status` add"),
];

/// What is asked for.
#[derive(Default)]
struct Wanted<'a> {
    name: Option<&'a str>,
    case: Option<&'a str>,
    sizes: Vec<[&'a str; 2]>,
    quick: bool,
    json: bool,
}

impl<'a> Wanted<'a> {
    fn read(words: &[&'a str]) -> Result<Self, TaskError> {
        let mut wanted = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "--quick" => wanted.quick = true,
                "--output" if rest.next() == Some(&"json") => wanted.json = true,
                "--only" => wanted.case = Some(*rest.next().ok_or(TaskError::Usage(USAGE))?),
                flag if BENCHES.iter().any(|bench| bench.sizes.contains(&flag)) => {
                    wanted.sizes.push([flag, *rest.next().ok_or(TaskError::Usage(USAGE))?]);
                }
                word if !word.starts_with('-') && wanted.name.is_none() => wanted.name = Some(word),
                _ => return Err(TaskError::Usage(USAGE)),
            }
        }
        Ok(wanted)
    }
}

/// Runs one bench by name.
pub fn run(words: &[&str]) -> Result<(), TaskError> {
    let wanted = Wanted::read(words)?;
    let Some(name) = wanted.name else {
        BENCHES.iter().for_each(|bench| println!("{:<10}  {}", bench.name, bench.about));
        return Ok(());
    };
    let bench = BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        TaskError::Failed(format!("there is no bench `{name}`; there are {}", names.join(", ")))
    })?;
    if wanted.case.is_some() && !bench.has_cases {
        return Err(TaskError::Failed(format!("bench `{name}` has no cases; leave out --only")));
    }
    if let Some([flag, _]) = wanted.sizes.iter().find(|[flag, _]| !bench.sizes.contains(flag)) {
        return Err(TaskError::Failed(format!("bench `{name}` has no {flag}; it takes {:?}", bench.sizes)));
    }
    let figures = measure(bench, &wanted)?;
    if wanted.json {
        for figure in &figures {
            let line = serde_json::to_string(figure).map_err(|error| TaskError::Failed(error.to_string()))?;
            println!("{line}");
        }
    } else {
        print!("{}", table(&figures));
    }
    let missed: Vec<&str> = figures.iter().filter(|f| f.fails()).map(|f| f.name.as_str()).collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(TaskError::Failed(format!("goal not met: {}", missed.join(", "))))
    }
}

/// Builds and runs a bench. What it prints beside its figures goes to standard error.
fn measure(bench: &Bench, wanted: &Wanted<'_>) -> Result<Vec<Figure>, TaskError> {
    // What is still missing then, the bench names.
    parts::provide(bench.parts);
    let own = [(bench.package, bench.name)];
    let mut figures = Vec::new();
    for target in own.iter().chain(bench.also) {
        figures.extend(measure_target(bench, *target, wanted)?);
    }
    Ok(figures)
}

fn measure_target(
    bench: &Bench,
    (package, target): (&str, &str),
    wanted: &Wanted<'_>,
) -> Result<Vec<Figure>, TaskError> {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--profile", bench.profile]);
    command.args(["--package", package, "--bench", target, "--"]);
    command.args(wanted.quick.then_some("--quick")).args(wanted.case).args(wanted.sizes.iter().flatten());
    let mut figures = Vec::new();
    let status = run_by_line(&mut command, Output::Standard, |line| match Figure::from_line(line) {
        Some(figure) => figures.push(figure),
        None => eprintln!("{line}"),
    })?;
    // A bench may exit with a failure because a goal is missed; its figures say so better.
    if figures.is_empty() || (!status.success() && !figures.iter().any(Figure::fails)) {
        return Err(TaskError::Failed(format!("bench `{target}` did not come to its end")));
    }
    Ok(figures)
}
