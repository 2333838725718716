//! "Did you mean": the known word nearest to one that is not known.

/// Longer words than this are not compared: nobody mistypes them, and the comparison is quadratic.
const LONGEST: usize = 64;

/// The known word that `wanted` was most likely meant to be, if one is near enough.
///
/// Near is at most one slip (a wrong, missing, added or swapped character) for every three characters, or one word being
/// the beginning of the other, as `prod` is of `production`. Case does not count.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known.into_iter().filter(|c| c.len() <= LONGEST) {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        let Some(slips) = slips(&wanted, &letters) else { continue };
        if best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How far apart two words are, or `None` if they are too far apart to be meant for each other.
fn slips(wanted: &[char], known: &[char]) -> Option<usize> {
    let allowed = (wanted.len().max(known.len()) / 3).max(1);
    let distance = edit_distance(wanted, known);
    if distance <= allowed && distance < known.len() {
        return Some(distance);
    }
    let shorter = wanted.len().min(known.len());
    let is_word = wanted.iter().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let is_beginning = shorter >= 3 && wanted[..shorter] == known[..shorter];
    (is_word && is_beginning).then_some(distance)
}

/// The optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const ENVIRONMENTS: [&str; 4] = ["dev", "staging", "canary", "production"];

    #[test]
    fn one_slip_in_a_name_is_recognised() {
        for (typed, meant) in [
            ("prodution", "production"),
            ("porduction", "production"),
            ("Production", "production"),
            ("stagin", "staging"),
            ("sta-ging", "staging"),
            ("dve", "dev"),
        ] {
            assert_eq!(nearest(typed, ENVIRONMENTS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_beginning_is_recognised() {
        assert_eq!(nearest("prod", ENVIRONMENTS), Some("production"));
        assert_eq!(nearest("development", ENVIRONMENTS), Some("dev"));
    }

    #[test]
    fn other_words_get_no_suggestion() {
        for typed in ["", "x", "qa", "kubernetes", "production; rm -rf /", &"p".repeat(10_000)] {
            assert_eq!(nearest(typed, ENVIRONMENTS), None, "{typed}");
        }
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn the_nearest_of_several_wins_and_the_first_of_equals() {
        assert_eq!(nearest("api-2", ["api-1", "api-22", "api-2x"]), Some("api-1"));
        assert_eq!(nearest("staging2", ["staging1", "staging-2", "staging2"]), Some("staging2"));
    }
}
