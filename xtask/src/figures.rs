//! What benches print: one JSON object a figure.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// The program measured beside it in the same run.
    #[serde(default)]
    pub peer: Option<String>,
    /// The value as a multiple of the peer's.
    #[serde(default)]
    pub ratio: Option<f64>,
    /// What the value is to be, in words such as `>= 5000`.
    #[serde(default)]
    pub goal: Option<String>,
    /// Whether the goal is met.
    #[serde(default)]
    pub holds: Option<bool>,
}

impl Figure {
    /// Reads a line of a bench's output; a line that is not a figure yields nothing.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.trim()).ok()
    }

    /// The goal was not met.
    pub fn fails(&self) -> bool {
        self.holds == Some(false)
    }
}

/// The figures as an aligned table.
pub fn table(figures: &[Figure]) -> String {
    let heads = ["figure", "value", "unit", "peer", "ratio", "goal", "holds"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(heads).chain(figures.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Numbers align to the right, words to the left.
            let padded = if matches!(column, 1 | 4) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            };
            text.push_str(&padded);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn row(figure: &Figure) -> [String; 7] {
    let holds = match figure.holds {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    };
    [
        figure.name.clone(),
        number(figure.value),
        figure.unit.clone(),
        figure.peer.clone().unwrap_or_default(),
        figure.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        figure.goal.clone().unwrap_or_default(),
        holds.to_owned(),
    ]
}

/// Small numbers with digits that matter, large ones without a fraction and in groups of three.
fn number(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{digit}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"name":"appends","value":12345.6,"unit":"events/s","peer":null,"ratio":null,"goal":">= 5000","holds":true}"#;

    #[test]
    fn a_figure_is_read_and_other_lines_are_not() {
        let figure = Figure::from_line(LINE).unwrap();
        assert_eq!((figure.name.as_str(), figure.holds), ("appends", Some(true)));
        assert_eq!(Figure::from_line("warming up"), None);
    }

    #[test]
    fn the_table_is_aligned_and_names_what_fails() {
        let good = Figure::from_line(LINE).unwrap();
        let bad = Figure { name: "p99".into(), value: 0.25, holds: Some(false), ..good.clone() };
        let table = table(&[good, bad]);
        assert_eq!(
            table,
            "figure    value  unit      peer  ratio  goal     holds\n\
             appends  12,346  events/s               >= 5000  yes\n\
             p99        0.25  events/s               >= 5000  NO\n"
        );
    }
}
