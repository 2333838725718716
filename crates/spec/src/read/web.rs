//! The kinds of single values that say where and by whom something is reached: hosts, paths, addresses, files.

use std::net::{IpAddr, SocketAddr};

use serde_json::json;

use super::shape::{Misread, Scalar};
use super::values::{TEXT, parsed};
use crate::quote::quoted;
use crate::{HeaderName, Host, Network, PathPrefix, RelativePath};

/// A host that requests name.
pub(crate) fn host() -> Scalar<Host> {
    let pattern = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    parsed("a host such as `shop.example.com`", json!({ "type": TEXT, "pattern": pattern, "maxLength": 253 }))
}

/// The beginning of a URL's path.
pub(crate) fn path_prefix() -> Scalar<PathPrefix> {
    let segment = r"(?!\.{1,2}(/|$))[-A-Za-z0-9._~!$&'()*+,=:@]+";
    let pattern = format!("^/({segment}(/{segment})*)?$");
    parsed("a path such as `/api`", json!({ "type": "string", "pattern": pattern, "maxLength": 1024 }))
}

/// The name of a header.
pub(crate) fn header_name() -> Scalar<HeaderName> {
    let pattern = r"^[-A-Za-z0-9!#$%&'*+.^_`|~]+$";
    parsed("a header such as `X-User`", json!({ "type": TEXT, "pattern": pattern, "maxLength": 128 }))
}

/// A range of IP addresses.
pub(crate) fn network() -> Scalar<Network> {
    let schema = json!({ "type": "string", "pattern": r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$" });
    parsed("a range of addresses such as `10.0.0.0/8`", schema)
}

/// An IP address with a port.
pub(crate) fn socket_address() -> Scalar<SocketAddr> {
    let schema = json!({ "type": "string", "pattern": r"^[^\s]*:[0-9]{1,5}$" });
    Scalar::new("an address such as `0.0.0.0:443`", schema, |written| {
        let text = written.text.as_str();
        let fault = || format!("{} is not an IP address with a port", quoted(text));
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => Ok(address),
            Ok(_) => Err(Misread::new(fault(), "choose a port from 1 to 65535; users have to know it")),
            Err(_) => Err(Misread::new(fault(), mended_address(text))),
        }
    })
}

fn mended_address(text: &str) -> String {
    let name_and_port = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    match (text.parse::<u16>(), text.parse::<IpAddr>(), name_and_port) {
        (Ok(port), _, _) => format!(
            "write `127.0.0.1:{port}` for this machine only, `0.0.0.0:{port}` for all of its addresses"
        ),
        (_, Ok(IpAddr::V6(address)), _) => format!("add the port: `[{address}]:443`"),
        (_, Ok(address), _) => format!("add the port: `{address}:443`"),
        (_, _, Some(("localhost", port))) => format!("write `127.0.0.1:{port}`"),
        (_, _, Some(("" | "*", port))) => format!("write `0.0.0.0:{port}` for all addresses of this machine"),
        _ => "write, for example, `0.0.0.0:443`".to_owned(),
    }
}

/// A file: absolute, or relative to the folder of `pilotage.yaml`.
pub(crate) fn file_path() -> Scalar<String> {
    let pattern = r"^/?(?![-/])(?!(.*/)?\.\.(/|$))[^\x00-\x2A:;<>?\[\\\]^`{|}~\x7F]+$";
    let schema = json!({ "type": TEXT, "pattern": pattern, "maxLength": 1025 });
    Scalar::new("the path of a file", schema, |written| {
        let path = written.text.strip_prefix('/').unwrap_or(&written.text);
        path.parse::<RelativePath>().map_err(Misread::plain)?;
        Ok(written.text.clone())
    })
}
