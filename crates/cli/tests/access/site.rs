//! A project with people, machines and a server that listens to this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::world::{PILOTAGE, Said, World, wait};

/// Nothing here takes nearly as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A project with people, machines and a server that listens to this machine.
pub struct Site {
    pub world: World,
    server: Option<Child>,
    pub address: SocketAddr,
}

/// What came back over the network.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// The user that runs the tests, as the system calls it.
pub fn user() -> String {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let found = users.lines().find(|line| line.split(':').nth(2) == Some(&uid)).unwrap();
    found.split(':').next().unwrap().to_owned()
}

/// `access` in which the user who runs the tests is `owner`, an admin; more of it may follow.
pub fn access(people: &str, more: &str) -> String {
    format!(
        "access:\n  people:\n    owner: {{ roles: [admin], logins: [\"unix:{}\"] }}\n{people}{more}",
        user()
    )
}

impl Site {
    /// A world whose file ends with this `access`, and its server.
    pub fn new(access: &str) -> Self {
        let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
        let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
        world.write("pilotage.yaml", &format!("{file}{access}"));
        Self::serve(world, &["--listen", "127.0.0.1:0"])
    }

    /// Runs a server in the foreground, until it says where it listens.
    pub fn serve(world: World, arguments: &[&str]) -> Self {
        let mut server = command(&world, &[&["serve"], arguments].concat()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut address = None;
        for line in lines.by_ref().map(Result::unwrap) {
            if let Some((_, found)) = line.split_once("listening on http") {
                address = found.trim_start_matches("s://").trim_start_matches("://").parse().ok();
            }
            if line.contains("ready on") {
                break;
            }
        }
        // A pipe that nobody reads would hold the server up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { world, server: Some(server), address: address.unwrap() }
    }

    /// Runs a command over the socket, with these variables.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
        wait(command(&self.world, arguments).envs(variables.iter().copied()).spawn().unwrap())
    }

    /// Issues a token as the owner.
    pub fn token(&self, arguments: &[&str]) -> String {
        let said = self.run(&[&["token", "create", "--quiet"], arguments].concat(), &[]).expect(0);
        said.stdout.trim().to_owned()
    }

    /// Asks over the network; streams are asked for without following.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        self.raw(method, path, &format!("Host: {}\r\n{authorization}", self.address), body)
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, Some(token), "")
    }

    /// Sends this head as it is.
    pub fn raw(&self, method: &str, path: &str, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Who a token is, or why not.
    pub fn whoami(&self, token: &str) -> Result<String, String> {
        let answer = self.get("/v1/whoami", token);
        let json: Value = serde_json::from_str(&answer.body).unwrap();
        match answer.status {
            200 => Ok(json["identity"]["principal"].as_str().unwrap().to_owned()),
            401 => Err(json["message"].as_str().unwrap().to_owned()),
            other => panic!("{other}: {json}"),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // With the server end its instances; what is left of it is reaped.
        let _ = self.run(&["down", "--quiet"], &[]);
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

pub fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(PILOTAGE);
    command
        .args(arguments)
        .current_dir(world.root())
        .env("XDG_CONFIG_HOME", world.root().join("config"))
        .env("PILOTAGE_LOG", "info")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in ["PILOTAGE_STATE", "PILOTAGE_SERVER", "PILOTAGE_TOKEN", "PILOTAGE_ID_TOKEN"] {
        command.env_remove(variable);
    }
    command
}
