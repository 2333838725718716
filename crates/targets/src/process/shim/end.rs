//! How a process ended, in words.

use rustix::process::{Signal, WaitStatus};

/// `ended with exit status 3`, `was ended by signal SIGKILL`; `ended`, if somebody else was told how.
pub fn in_words(status: Option<WaitStatus>) -> String {
    let Some(status) = status else { return "ended".to_owned() };
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("ended with exit status {code}"),
        (None, Some(signal)) => format!("was ended by signal {}", signal_name(signal)),
        (None, None) => "ended".to_owned(),
    }
}

/// Adds the last lines of the log, one a line.
pub fn with_tail(reason: &str, tail: &[String]) -> String {
    if tail.is_empty() {
        return format!("{reason}; it wrote nothing");
    }
    format!("{reason}; it wrote last:\n  {}", tail.join("\n  "))
}

fn signal_name(number: i32) -> String {
    let names = [
        (Signal::ABORT, "SIGABRT"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::HUP, "SIGHUP"),
        (Signal::ILL, "SIGILL"),
        (Signal::INT, "SIGINT"),
        (Signal::KILL, "SIGKILL"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::SYS, "SIGSYS"),
        (Signal::TERM, "SIGTERM"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
    ];
    let name = names.iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| number.to_string())
}
