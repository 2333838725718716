//! HAProxy.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use pilotage_proxy::{Address, Protocol};
use pilotage_testing::Part;

use super::{Proxy, Setup};
use crate::fault::{During, Fault};
use crate::machine::{PROXY, Program, free_address};

pub fn start(folder: &Path, setup: &Setup) -> Result<Proxy, Fault> {
    let part = Part::Haproxy.find().ok_or_else(|| Fault::new("HAProxy is missing"))?;
    let address = free_address()?;
    let configuration = folder.join("haproxy.cfg");
    fs::write(&configuration, text(setup, address)).during(configuration.display())?;
    let mut command = Command::new(part);
    // In the foreground, as one process.
    command.arg("-db").arg("-f").arg(&configuration);
    let mut program = Program::start("HAProxy", PROXY, folder, command)?;
    program.wait_until_listening(address)?;
    Ok(Proxy { name: "haproxy".to_owned(), address, program })
}

fn text(setup: &Setup, address: SocketAddr) -> String {
    let upstream = match &setup.upstream {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => format!("unix@{}", path.display()),
    };
    // Bodies go from socket to socket without passing through the program.
    let bodies = if setup.large_bodies { "option splice-response" } else { "" };
    let upstream_protocol = if setup.upstream_protocol == Protocol::Http2 { " proto h2" } else { "" };
    let encrypted = match &setup.certificate {
        Some(files) => format!(" ssl crt {} ssl-min-ver TLSv1.3", files.both.display()),
        None => String::new(),
    };
    let client_protocol = match (setup.client_protocol, &setup.certificate) {
        (Protocol::Http1, _) => "",
        (Protocol::Http2, Some(_)) => " alpn h2",
        (Protocol::Http2, None) => " proto h2",
    };
    format!(
        "global
  nbthread 1
  maxconn {connections}
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
  option forwardfor
  {bodies}
frontend clients
  bind {address}{encrypted}{client_protocol}
  http-request set-header X-Forwarded-Proto {scheme}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend service
backend service
  server one {upstream}{upstream_protocol}
",
        connections = setup.connections,
        scheme = setup.scheme(),
    )
}
