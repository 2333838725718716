//! `pilotage serve`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pilotage_secrets::Known;
use pilotage_server::{Network, ServerConfig, TlsFiles};
use tokio::runtime::{Builder, Runtime};

use super::internal;
use crate::arguments::{Global, Serve};
use crate::failure::{DONE, Failure};
use crate::place::Place;
use crate::printer::Printer;

/// One worker may be busy with a deployment while the other answers; what takes the disk long has threads of its own.
const WORKERS: usize = 2;
/// How long what is not finished at the end, such as a file that is being hashed, is waited for.
const END_LIMIT: Duration = Duration::from_secs(5);

pub fn run(asked: &Serve, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let known = Known::default();
    let config = config(asked, Place::find(global)?, known.clone())?;
    if asked.background {
        // Not a hang-up of the terminal, nor its Ctrl-C, may end it. It fails only where this has been done already.
        let _ = rustix::process::setsid();
    }
    internal::write_log(&known);
    let runtime = runtime()?;
    let served = runtime.block_on(serve(config, printer));
    // Tasks are let go of on their own threads: with them end the programs that they have started.
    runtime.shutdown_timeout(END_LIMIT);
    served.map(|()| DONE)
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?)
}

fn config(asked: &Serve, place: Place, known: Known) -> Result<ServerConfig, Failure> {
    place.expect_here("serve")?;
    let absolute = |(chain, key): (&PathBuf, &PathBuf)| {
        Ok::<_, io::Error>(TlsFiles { chain: std::path::absolute(chain)?, key: std::path::absolute(key)? })
    };
    let tls = asked.tls_cert.as_ref().zip(asked.tls_key.as_ref()).map(absolute).transpose()?;
    Ok(ServerConfig {
        project_file: place.file,
        state: place.state,
        program: std::env::current_exe()?,
        network: asked.listen.map(|address| Network { address, tls }),
        hosts: asked.host.clone(),
        known,
    })
}

async fn serve(config: ServerConfig, printer: &Printer) -> Result<(), Failure> {
    let socket = config.state.socket();
    let ready = || printer.say(format!("✓ ready on {}; Ctrl-C stops the server alone", socket.display()));
    Ok(pilotage_server::run(config, ready).await?)
}
