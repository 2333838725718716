//! The real programs that tests and benches need: found, or installed where that is ours to do.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use pilotage_testing::Part;
use pilotage_testing::rig::Program;

use crate::process::{run, succeeds};

/// Debian asks this script before it starts a service (invoke-rc.d(8)); status 101 means no.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Packages that come with a service, and what it is called.
const SERVICES: [(&str, &str); 8] = [
    ("nginx", "nginx"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("haproxy", "haproxy"),
    ("docker.io", "docker"),
    ("containerd", "containerd"),
    ("docker-registry", "docker-registry"),
    ("etcd-server", "etcd"),
];

/// Installs what is missing of these if this is a Debian system and we are root, and says what is still missing.
pub fn provide(wanted: &[Part]) -> Vec<Part> {
    // A part that a variable says is elsewhere is looked for there only.
    let mut missing = missing(wanted);
    missing.retain(|part| std::env::var_os(part.variable()).is_none());
    install(missing.iter().map(|part| part.package()).collect());
    self::missing(wanted)
}

/// Installs what is missing of the programs of a rig, where that is ours to do.
pub fn provide_programs(wanted: &[Program]) {
    let missing = wanted.iter().filter(|program| !program.is_there());
    install(missing.map(|program| program.package).collect());
}

fn missing(wanted: &[Part]) -> Vec<Part> {
    wanted.iter().copied().filter(|part| part.find().is_none()).collect()
}

/// What cannot be installed stays missing, which the caller sees; so failures here are only said.
fn install(mut packages: Vec<&str>) {
    let ours = rustix::process::geteuid().is_root() && Path::new("/usr/bin/apt-get").exists();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() || !ours {
        return;
    }
    println!("installing {} with apt-get", packages.join(", "));
    let _quiet = NoServices::for_now();
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        command
    };
    // Nothing that is there is given up for it, such as an engine from elsewhere.
    let installed = run(apt().args(["update", "-q"])).and_then(|()| {
        run(apt().args(["install", "-q", "-y", "--no-install-recommends", "--no-remove"]).args(&packages))
    });
    if let Err(error) = installed {
        println!("{error}");
    }
    if Path::new("/run/systemd/system").exists() {
        let installed = SERVICES.iter().filter(|(package, _)| packages.contains(package));
        let services: Vec<&str> = installed.map(|(_, service)| *service).collect();
        // Tests and benches start their own; nothing of this is to run after the next boot either.
        succeeds(Command::new("systemctl").args(["disable", "--now"]).args(services));
    }
}

/// While this lives, installing a package starts no service.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn for_now() -> Self {
        let path = PathBuf::from(SERVICE_POLICY);
        // A policy that is already there, as in most containers, is not ours to change.
        let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path);
        let written = created.and_then(|_file| {
            fs::write(&path, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        });
        Self(written.is_ok().then_some(path))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = fs::remove_file(path);
        }
    }
}
