//! nginx as a proxy.

use std::fs;
use std::path::Path;
use std::process::Command;

use pilotage_proxy::Protocol;
use pilotage_testing::Part;

use super::{Proxy, Setup};
use crate::fault::{During, Fault};
use crate::machine::{PROXY, Program, free_address};

/// One answer of 100 KiB fits into these; the defaults hold 32 KiB, and put the rest of it into a file.
const LARGE_BUFFERS: &str = "proxy_buffer_size 16k; proxy_buffers 16 16k; proxy_busy_buffers_size 64k;
      proxy_max_temp_file_size 0;";

pub fn start(folder: &Path, setup: &Setup) -> Result<Proxy, Fault> {
    let address = free_address()?;
    let mut program = run(folder, "nginx", PROXY, setup.connections * 2, &proxy(setup, address))?;
    program.wait_until_listening(address)?;
    Ok(Proxy { name: "nginx".to_owned(), address, program })
}

/// Runs nginx with one worker, all its files in the folder, and this inside its `http` block.
pub fn run(
    folder: &Path,
    name: &str,
    processor: usize,
    connections: usize,
    http: &str,
) -> Result<Program, Fault> {
    let part = Part::Nginx.find().ok_or_else(|| Fault::new("nginx is missing"))?;
    // Only root may, and must, choose the worker's user: the folder is ours alone.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let shown = folder.display();
    let text = format!(
        "daemon off; worker_processes 1; pid {shown}/nginx.pid; {user}
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_timeout 300s; keepalive_requests 1000000000;
  client_body_temp_path {shown}/body; proxy_temp_path {shown}/proxy; fastcgi_temp_path {shown}/fastcgi;
  uwsgi_temp_path {shown}/uwsgi; scgi_temp_path {shown}/scgi;
{http}}}
"
    );
    let configuration = folder.join("nginx.conf");
    fs::write(&configuration, text).during(configuration.display())?;
    let mut command = Command::new(part);
    command.arg("-p").arg(folder).arg("-c").arg(&configuration).arg("-e").arg(folder.join("error.log"));
    Program::start(name, processor, folder, command)
}

fn proxy(setup: &Setup, address: std::net::SocketAddr) -> String {
    let http2 = if setup.client_protocol == Protocol::Http2 { " http2" } else { "" };
    let (encrypted, certificate) = match &setup.certificate {
        Some(files) => (
            " ssl",
            format!(
                "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3;",
                files.chain.display(),
                files.key.display()
            ),
        ),
        None => ("", String::new()),
    };
    // The upstream's connections are kept, as many as there may be requests at a time.
    format!(
        "  upstream service {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen {address}{encrypted}{http2};
    {certificate}
    location / {{
      {pass}
    }}
  }}
",
        upstream = setup.upstream,
        pass = pass(setup),
    )
}

fn pass(setup: &Setup) -> String {
    let buffers = if setup.large_bodies { LARGE_BUFFERS } else { "" };
    let (module, connection) = match setup.upstream_protocol {
        Protocol::Http1 => ("proxy", "proxy_http_version 1.1; proxy_set_header Connection \"\";"),
        Protocol::Http2 => ("grpc", ""),
    };
    let scheme = if module == "proxy" { "http" } else { "grpc" };
    format!(
        "{module}_pass {scheme}://service; {connection} {buffers}
      {module}_set_header Host $http_host;
      {module}_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      {module}_set_header X-Forwarded-Proto $scheme;
      {module}_set_header X-Forwarded-Host $http_host;"
    )
}
