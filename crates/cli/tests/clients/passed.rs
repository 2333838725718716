//! The sample service on a listener that it is handed, as systemd hands it.

use std::os::unix::net::UnixListener;
use std::path::Path;

use pilotage_testing::{Part, need};

use crate::python::Script;
use crate::world::output;

/// Binds a socket as descriptor 3 and becomes the program, as sd_listen_fds(3) has it.
const PARENT: &str = r#"
import os, socket, sys
path, program = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(program, [program, "sample-service", "--version", "3.0.0"])
"#;

#[tokio::test]
async fn a_passed_listener_is_served() {
    let suite = "the sample service on a passed listener";
    let (Some(python), Some(curl)) = (need(suite, Part::Python), need(suite, Part::Curl)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sample.sock");
    let socket = socket.to_str().unwrap();
    let mut service = Script::start(&python, PARENT, &[socket, env!("CARGO_BIN_EXE_pilotage")]);
    service.says(&format!("sample service listening on unix:{socket}")).await;
    let answer =
        output(&curl, &["--silent", "--show-error", "--unix-socket", socket, "http://sample/"]).await;
    assert!(answer.contains(r#""version":"3.0.0""#), "{answer}");
    assert!(UnixListener::bind(Path::new(socket)).is_err(), "the socket is its parent's to remove");
}
