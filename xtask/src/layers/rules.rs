//! The design's table of who may know whom, and what the pure crates must never gain.

use std::fmt;

use super::graph::Graph;

/// A crate, and the crates of the workspace on which it may depend. A new crate gets its line here first.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("pilotage-spec", &[]),
    ("pilotage-engine", &["spec"]),
    ("pilotage-journal", &["spec"]),
    ("pilotage-views", &["spec", "engine", "journal"]),
    ("pilotage-proxy", &[]),
    ("pilotage-targets", &["spec", "proxy", "secrets"]),
    ("pilotage-docker", &["spec", "proxy", "targets", "secrets"]),
    ("pilotage-kubernetes", &["spec", "proxy", "fetch", "targets", "secrets"]),
    ("pilotage-fetch", &[]),
    ("pilotage-secrets", &["spec", "fetch"]),
    ("pilotage-access", &["spec", "journal", "fetch"]),
    ("pilotage-change", &["spec", "fetch"]),
    ("pilotage-policy", &["spec"]),
    ("pilotage-signals", &["spec", "proxy", "fetch"]),
    (
        "pilotage-conductor",
        &["spec", "engine", "journal", "views", "proxy", "targets", "signals", "secrets", "change", "policy"],
    ),
    ("pilotage-load", &["proxy"]),
    (
        "pilotage-server",
        &[
            "spec",
            "engine",
            "journal",
            "views",
            "proxy",
            "targets",
            "docker",
            "kubernetes",
            "signals",
            "secrets",
            "access",
            "change",
            "policy",
            "conductor",
        ],
    ),
    (
        "pilotage",
        &[
            "spec",
            "engine",
            "journal",
            "views",
            "proxy",
            "targets",
            "docker",
            "kubernetes",
            "signals",
            "secrets",
            "access",
            "change",
            "policy",
            "conductor",
            "server",
            "load",
        ],
    ),
    ("pilotage-testing", &[]),
    ("xtask", &["testing"]),
];

/// Crates that are given the time and the text, and never ask for anything.
const PURE: &[&str] = &["pilotage-spec", "pilotage-engine"];

/// What a pure crate must not reach, at any depth: clocks, random sources, files, network, async runtimes.
const IMPURE: &[&str] = &[
    "async-std",
    "chrono",
    "fastrand",
    "fs-err",
    "futures-executor",
    "getrandom",
    "hyper",
    "instant",
    "jiff",
    "mio",
    "nix",
    "notify",
    "polling",
    "quanta",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "signal-hook",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tokio",
    "ureq",
    "uuid",
    "walkdir",
    "web-time",
];

/// An arrow that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A crate that the table does not name.
    Unlisted { name: String },
    /// A crate knows another that it must not.
    Arrow { from: String, to: String, allowed: Vec<String> },
    /// A pure crate reaches something impure.
    Impure { way: Vec<String> },
}

/// Every fault of the graph.
pub fn faults(graph: &Graph) -> Vec<Fault> {
    let arrows = graph.members().flat_map(|name| wrong_arrows(graph, name));
    let impure = PURE.iter().flat_map(|pure| {
        IMPURE.iter().filter_map(|impure| graph.way(pure, impure)).map(|way| Fault::Impure { way })
    });
    arrows.chain(impure).collect()
}

fn wrong_arrows(graph: &Graph, name: &str) -> Vec<Fault> {
    let Some((_, rooms)) = MAY_KNOW.iter().find(|(listed, _)| *listed == name) else {
        return vec![Fault::Unlisted { name: name.to_owned() }];
    };
    let allowed: Vec<String> = rooms.iter().map(|room| format!("pilotage-{room}")).collect();
    let known = graph.known_members(name);
    let wrong = known.filter(|to| !allowed.iter().any(|allowed| allowed == to));
    wrong
        .map(|to| Fault::Arrow { from: name.to_owned(), to: to.to_owned(), allowed: allowed.clone() })
        .collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { name } => {
                write!(f, "{name} is not in the table of layers; add it to xtask/src/layers/rules.rs")
            }
            Self::Arrow { from, to, allowed } if allowed.is_empty() => {
                write!(f, "{from} must not depend on {to}; it may know no other crate of the workspace")
            }
            Self::Arrow { from, to, allowed } => {
                write!(f, "{from} must not depend on {to}; it may know {}", allowed.join(", "))
            }
            Self::Impure { way } => write!(
                f,
                "{} must stay free of clocks, chance, files, network and runtimes, but reaches one: {}",
                way.first().map_or("", String::as_str),
                way.join(" → ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(arrows: &[(&str, &str)]) -> Vec<Fault> {
        let mut graph = Graph::default();
        MAY_KNOW.iter().for_each(|(name, _)| graph.add_member(name));
        arrows.iter().for_each(|(from, to)| graph.add(from, to));
        faults(&graph)
    }

    #[test]
    fn the_workspace_has_no_fault() {
        let graph = Graph::of_workspace(&crate::process::root()).unwrap();
        let faults: Vec<String> = faults(&graph).iter().map(Fault::to_string).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(graph.way("pilotage", "tokio").is_some(), "the graph holds what the crates depend on");
    }

    #[test]
    fn an_arrow_of_the_table_is_fine() {
        assert_eq!(planted(&[("pilotage-engine", "pilotage-spec"), ("pilotage-conductor", "tokio")]), []);
    }

    #[test]
    fn an_arrow_against_the_flow_is_found() {
        let faults = planted(&[("pilotage-engine", "pilotage-journal")]);
        let text: Vec<String> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(text, ["pilotage-engine must not depend on pilotage-journal; it may know pilotage-spec"]);
    }

    #[test]
    fn a_clock_behind_two_other_crates_is_found_with_the_way_to_it() {
        let faults =
            planted(&[("pilotage-spec", "harmless"), ("harmless", "helper"), ("helper", "getrandom")]);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().ends_with("pilotage-spec → harmless → helper → getrandom"));
    }

    #[test]
    fn a_crate_that_nobody_listed_is_found() {
        let mut graph = Graph::default();
        graph.add_member("pilotage-novel");
        assert_eq!(faults(&graph), [Fault::Unlisted { name: "pilotage-novel".to_owned() }]);
    }
}
