//! What is printed: one JSON object a figure.

/// What a figure is to be.
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    None,
}

/// Prints a figure.
pub fn print(name: &str, value: f64, unit: &str, goal: &Goal) {
    print_beside(name, value, unit, None, goal);
}

/// Prints a figure beside that of another way to judge, of which the ratio is made. The goal is that of the ratio then.
pub fn print_beside(name: &str, value: f64, unit: &str, peer: Option<(&str, f64)>, goal: &Goal) {
    let ratio = peer.map(|(_, theirs)| value / theirs);
    let measured = ratio.unwrap_or(value);
    let (words, holds) = match goal {
        Goal::AtMost(most) => (format!("\"<= {most}\""), (measured <= *most).to_string()),
        Goal::AtLeast(least) => (format!("\">= {least}\""), (measured >= *least).to_string()),
        Goal::None => ("null".to_owned(), "null".to_owned()),
    };
    let peer = peer.map_or("null".to_owned(), |(name, theirs)| format!("\"{name}: {theirs:.1}\""));
    let ratio =
        ratio.filter(|ratio| ratio.is_finite()).map_or("null".to_owned(), |ratio| format!("{ratio:.3}"));
    println!(
        r#"{{"name":"judge.{name}","value":{value:.4},"unit":"{unit}","peer":{peer},"ratio":{ratio},"goal":{words},"holds":{holds}}}"#
    );
}
