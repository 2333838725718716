//! `cargo xtask docker|swarm|kube up|down|status`: the rigs, brought up for as long as somebody works with them.

use pilotage_testing::rig::{FOR_DOCKER, FOR_KUBE, FOR_KUBE_BUILD, Program, RigError, docker, kube, swarm};

use crate::parts;
use crate::process::TaskError;

const USAGE: &str = "usage: cargo xtask docker|swarm|kube up|down|status, or cargo xtask kube build";

/// Does what the words say with the rig of that name.
pub fn run(name: &str, words: &[&str]) -> Result<(), TaskError> {
    match words {
        ["up"] => {
            up(name)?;
            status(name)
        }
        ["down"] => down(name),
        ["status"] => status(name),
        ["build"] if name == "kube" => {
            provide(name);
            kube::build().map_err(|error| failed(&error))
        }
        _ => Err(TaskError::Usage(USAGE)),
    }
}

/// Brings up the rig, after having installed what it is made of.
pub fn up(name: &str) -> Result<(), TaskError> {
    provide(name);
    let brought = match name {
        "docker" => docker::up().map(drop),
        "swarm" => swarm::up().map(drop),
        _ => kube::up().map(drop),
    };
    brought.map_err(|error| failed(&error))
}

fn provide(name: &str) {
    let mut programs: Vec<Program> = FOR_DOCKER.to_vec();
    if name == "kube" {
        programs.extend(FOR_KUBE);
        if !kube::is_built() {
            programs.extend(FOR_KUBE_BUILD);
        }
    }
    parts::provide_programs(&programs);
}

/// Ends the rig, with those that stand on it.
pub fn down(name: &str) -> Result<(), TaskError> {
    let ended = match name {
        "docker" => docker::down(),
        "swarm" => swarm::down(),
        _ => kube::down(),
    };
    ended.map_err(|error| failed(&error))
}

fn status(name: &str) -> Result<(), TaskError> {
    let lines = match name {
        "docker" => docker::status(),
        "swarm" => swarm::status(),
        _ => kube::status(),
    };
    let lines = lines.map_err(|error| failed(&error))?;
    if lines.is_empty() {
        println!("the {name} rig is not up; `cargo xtask {name} up` brings it up");
    }
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn failed(error: &RigError) -> TaskError {
    TaskError::Failed(error.to_string())
}
