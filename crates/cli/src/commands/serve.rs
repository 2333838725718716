//! `pilotage serve`.

use pilotage_server::ServerConfig;

use super::{Session, internal};
use crate::arguments::Serve;
use crate::failure::{DONE, Failure};

pub async fn run(asked: &Serve, session: &Session) -> Result<u8, Failure> {
    if asked.background {
        // Not a hang-up of the terminal, nor its Ctrl-C, may end it. It fails only where this has been done already.
        let _ = rustix::process::setsid();
    }
    internal::write_log();
    let config = ServerConfig {
        project_file: session.place.file.clone(),
        state: session.place.state.clone(),
        program: std::env::current_exe()?,
    };
    let socket = config.state.socket();
    let printer = &session.printer;
    pilotage_server::run(config, || {
        printer.say(format!("✓ ready on {}; Ctrl-C stops the server alone", socket.display()))
    })
    .await?;
    Ok(DONE)
}
