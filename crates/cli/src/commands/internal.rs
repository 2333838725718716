//! What the processes in the background have in common, and the sample service.

use std::io::{self, Write};
use std::process::ExitCode;

use pilotage_secrets::Known;
use tracing_subscriber::EnvFilter;

use crate::arguments::SampleService;
use crate::failure::FAILED;

/// Lets this process write what it does to standard error, without the secrets that it knows; `PILOTAGE_LOG` says how much.
pub fn write_log(known: &Known) {
    let known = known.clone();
    let filter = EnvFilter::try_from_env("PILOTAGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A log that cannot be written must not end what it tells of: told of such an error on the same full disk, the
    // subscriber would panic.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(move || Masked(known.clone()))
        .log_internal_errors(false)
        .init();
}

/// Standard error for those who may not see secrets. The subscriber writes each event in one piece.
struct Masked(Known);

impl Write for Masked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(self.0.text(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
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
