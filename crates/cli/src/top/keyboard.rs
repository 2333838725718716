//! Single keys, without the return key behind them.

use std::io::{IsTerminal, Read, stdin};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// The keyboard, taken for as long as the value lives.
pub struct Keyboard {
    /// How the terminal was; none if there is no keyboard.
    before: Option<Termios>,
    keys: mpsc::UnboundedReceiver<u8>,
}

impl Keyboard {
    /// Takes the keyboard, if standard input is one. Ctrl-C stays a signal.
    pub fn take() -> Self {
        let (pressed, keys) = mpsc::unbounded_channel();
        let before = take_keys();
        if before.is_some() {
            // It waits for a key that may never come, and ends with the process.
            std::thread::spawn(move || {
                let mut key = [0];
                while matches!(stdin().read(&mut key), Ok(1)) && pressed.send(key[0]).is_ok() {}
            });
        }
        Self { before, keys }
    }

    /// Whether there is one.
    pub fn is_taken(&self) -> bool {
        self.before.is_some()
    }

    /// Returns when somebody wants to leave.
    pub async fn leave(&mut self) {
        while let Some(key) = self.keys.recv().await {
            if matches!(key, b'q' | b'Q') {
                return;
            }
        }
        // Without a keyboard, only a signal ends it.
        std::future::pending().await
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // There is nobody to tell that the terminal is gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// Gives keys to the program as they are pressed, unseen, and returns how the terminal was.
fn take_keys() -> Option<Termios> {
    if !stdin().is_terminal() {
        return None;
    }
    let before = tcgetattr(stdin()).ok()?;
    let mut keys = before.clone();
    keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    keys.special_codes[SpecialCodeIndex::VMIN] = 1;
    keys.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(stdin(), OptionalActions::Now, &keys).ok()?;
    Some(before)
}
