//! What is said of keys that are not taken over.

use serde_json::Value;

/// Whether what a key asks for is what happens here in any case.
pub(super) fn is_so_anyway(key: &str, value: &Value) -> bool {
    match key {
        // Read with the whole service.
        "read_only" => true,
        "restart" => value == "always" || value == "unless-stopped",
        "stop_signal" => value == "SIGTERM",
        "tty" | "stdin_open" | "init" => *value == Value::Bool(false),
        "pull_policy" => value == "missing" || value == "if_not_present",
        _ => key.starts_with("x-"),
    }
}

/// Why a key of a service is left out, and what does what it did.
pub(super) fn hint(key: &str) -> &'static str {
    match key {
        "build" => "images are built and pushed before they are deployed",
        "volumes" => {
            "a service keeps nothing on disk here; `/tmp` is memory, and `writable_root` lets it write elsewhere"
        }
        "env_file" => "write its variables into `env`, secrets as `{ secret: \"file:…\" }`",
        "secrets" => "give it the secret in `env`: `{ secret: \"file:…\", as: file }`",
        "networks" | "network_mode" | "links" | "extra_hosts" | "dns" => {
            "all services of an environment share one network; `target.docker.network` names another"
        }
        "user" => "`target.docker.user` says it for all services of an environment",
        "privileged" | "devices" | "security_opt" | "sysctls" | "pid" | "ipc" => {
            "services run without rights over their host; `capabilities` keeps single ones"
        }
        "profiles" => "each environment has the services that are deployed to it",
        "extends" => "write the values out",
        "restart" => "what ends is started again, whatever it ended with",
        "hostname" | "container_name" => {
            "containers are called after project, environment, service and version"
        }
        "labels" => "containers have labels of Pilotage's own",
        "logging" => "the engine keeps three files of 10 MB a container; `pilotage logs` shows them",
        "stop_signal" => "an instance is told to end by SIGTERM",
        "tty" | "stdin_open" => "nobody sits at a terminal",
        "init" => "the image's program is the first process",
        "platform" => "the engine takes the image that fits it",
        "pull_policy" => "an image is pulled when it is not there",
        _ => "it is not known here",
    }
}
