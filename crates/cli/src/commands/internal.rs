//! What the processes in the background have in common, and the sample service.

use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::arguments::SampleService;
use crate::failure::FAILED;

/// Lets this process write what it does to standard error; `PILOTAGE_LOG` says how much.
pub fn write_log() {
    let filter = EnvFilter::try_from_env("PILOTAGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A log that cannot be written must not end what it tells of: told of such an error on the same full disk, the
    // subscriber would panic.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .init();
}

pub fn sample_service(asked: SampleService) -> ExitCode {
    let file = asked.config.map(|path| ["--settings".to_owned(), path.to_string_lossy().into_owned()]);
    let settings: Vec<String> = file.into_iter().flatten().chain(asked.settings).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            runtime.block_on(pilotage_load::sample::run(&settings)).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(FAILED)
        }
    }
}
