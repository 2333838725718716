//! What developers run: `cargo xtask test`, `check`, `layers`, `bench`, and the rigs `docker`, `swarm` and `kube`.

mod bench;
mod check;
mod figures;
mod layers;
mod parts;
mod process;
mod rig;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

  test [--no-skip] [FILTER]                         run all tests, with the real programs they need
  check                                             formatting, lints, licences, layers
  layers                                            who may know whom, and the purity of spec and engine
  bench [NAME [--only CASE] [--SIZE N]...] [--quick] [--output json]
                                                    run one bench and compare it with its goals; without a name, list them
";
/// By this word an engine of a rig calls its runtime, which is a part of this program.
const RUNTIME: &str = "runc";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let [RUNTIME, ..] = words.as_slice() {
        eprintln!("{}", pilotage_testing::rig::runtime::run(&arguments[1..]));
        return ExitCode::FAILURE;
    }
    let result = match words.as_slice() {
        ["test", rest @ ..] => test::run(rest),
        ["check"] => check::run(),
        ["layers"] => layers::run(),
        ["bench", rest @ ..] => bench::run(rest),
        [name @ ("docker" | "swarm" | "kube"), rest @ ..] => rig::run(name, rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(process::TaskError::Usage(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, process::TaskError::Tests) {
                eprintln!("{error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}
