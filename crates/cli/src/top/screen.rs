//! A terminal that is drawn over and over, and given back as it was.

use super::keyboard::Keyboard;
use crate::printer::{Printer, Tone};
use crate::terminal;
use crate::words::cut;

/// To the second screen of the terminal, without a cursor; see xterm's control sequences (DECSET 1049 and 25).
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// The terminal, taken for as long as the value lives.
pub struct Screen {
    printer: Printer,
    pub keyboard: Keyboard,
}

impl Screen {
    pub fn take(printer: &Printer) -> Self {
        let keyboard = Keyboard::take();
        printer.raw(ENTER);
        Self { printer: printer.clone(), keyboard }
    }

    /// Draws lines as far as there is room, and what is to be known below them.
    pub fn draw(&self, lines: &[(Tone, String)]) {
        let (columns, rows) = terminal::size();
        let footer = if self.keyboard.is_taken() { "q leaves" } else { "Ctrl-C leaves" };
        let room = rows.saturating_sub(2);
        let hidden = lines.len().saturating_sub(room);
        let more = (hidden > 0).then(|| format!("{hidden} more lines: --env and --service choose; "));
        let footer = cut(&format!("{}{footer}", more.unwrap_or_default()), columns);
        // Each line clears what is left of the one before it, and the end whatever stands below.
        let drawn: String = lines
            .iter()
            .take(room)
            .map(|(tone, line)| format!("{}\u{1b}[K\r\n", self.printer.paint(*tone, &cut(line, columns))))
            .collect();
        let footer = self.printer.paint(Tone::Quiet, &footer);
        self.printer.raw(&format!("\u{1b}[H{drawn}\u{1b}[K\r\n{footer}\u{1b}[J"));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.printer.raw(LEAVE);
    }
}
