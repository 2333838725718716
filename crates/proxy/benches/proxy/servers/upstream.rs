//! The service behind the proxies.

use std::fs;
use std::path::Path;

use pilotage_proxy::Address;

use super::nginx;
use crate::fault::{During, Fault};
use crate::machine::{LOAD, Program, free_address};

/// What it answers on every path but one.
pub const SMALL_BODY: &str = "Hello world!";

/// Where it answers with 100 KiB.
pub const LARGE_PATH: &str = "/large";
const LARGE_BODY: usize = 100 * 1024;

/// nginx with one worker, which answers out of memory, over TCP and over a unix socket.
#[derive(Debug)]
pub struct Upstream {
    pub tcp: Address,
    pub unix: Address,
    pub program: Program,
}

impl Upstream {
    pub fn start(folder: &Path) -> Result<Self, Fault> {
        let (address, socket) = (free_address()?, folder.join("upstream.sock"));
        let pages = folder.join("pages");
        fs::create_dir(&pages).during(pages.display())?;
        fs::write(pages.join("large"), "x".repeat(LARGE_BODY)).during(pages.display())?;
        let http = format!(
            "  server {{
    listen {address}; listen unix:{socket};
    location / {{ return 200 '{SMALL_BODY}'; }}
    location = {LARGE_PATH} {{ root {pages}; sendfile on; open_file_cache max=8 inactive=3600s; }}
  }}
",
            socket = socket.display(),
            pages = pages.display(),
        );
        let mut program = nginx::run(folder, "the upstream", LOAD, 16_384, &http)?;
        program.wait_until_listening(address)?;
        Ok(Self { tcp: address.into(), unix: Address::Unix(socket), program })
    }
}
