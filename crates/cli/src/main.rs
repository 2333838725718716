//! The `pilotage` binary: arguments in, words out.
//!
//! One verb, one file in `commands`. What a verb has to say goes through the `printer`; what goes wrong becomes a
//! `failure`, which knows its hints and its exit status.

mod arguments;
mod commands;
mod connect;
mod demo;
mod failure;
mod follow;
mod init;
mod place;
mod printer;
mod reach;
mod retrospect;
mod sessions;
mod terminal;
mod top;
mod words;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use arguments::Arguments;
use failure::Failure;
use printer::Printer;

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => commands::run(arguments),
        Err(error) => {
            // Help and version are answers, everything else is a mistake in the command.
            let answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            if !answer && arguments::asks_for_json(std::env::args_os().skip(1)) {
                Printer::for_programs().failure(&Failure::from(error));
                return ExitCode::from(failure::USAGE);
            }
            // A closed pipe must not become an error about an error.
            let _ = error.print();
            if answer { ExitCode::SUCCESS } else { ExitCode::from(failure::USAGE) }
        }
    }
}
