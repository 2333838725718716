//! What the terminal is like.

use std::io::{IsTerminal, stderr, stdin, stdout};

/// Whether results are seen on a terminal.
pub fn shows_results() -> bool {
    stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether a person can be asked.
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Columns and rows of the terminal, or a usual size.
pub fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (100, 40),
    }
}
