//! Rules that stages have in common, whoever lists them.

use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::node::Spanned;

/// All of the clients, in hundredths of a percent.
pub(super) const ALL: u32 = 10_000;

/// Whether shares rise, from more than nothing to all. Says what is wrong if not.
pub(super) fn check_rising(shares: &[Spanned<u32>], faults: &mut Faults) -> bool {
    let errors = faults.errors();
    if let Some(zero) = shares.iter().find(|step| step.value == 0) {
        faults
            .error(&zero.span, "a step must be more than 0 %")
            .help("leave it out, or write a small share such as `0.1`");
    }
    for pair in shares.windows(2) {
        if pair[1].value <= pair[0].value {
            faults
                .error(&pair[1].span, "the steps must rise")
                .label("not more than the step before")
                .related(&pair[0].span, "the step before")
                .help("write each share once, the smallest first");
        }
    }
    if let Some(last) = shares.last().filter(|last| last.value != ALL) {
        faults
            .error(&last.span, "the last step must be 100")
            .label("some clients would never get the new version")
            .help("add `100` at the end");
    }
    faults.errors() == errors
}

/// Names tell cohorts apart in messages and at the edge.
pub(super) fn check_names(names: &[Spanned<String>], faults: &mut Faults) {
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names[..index].iter().find(|earlier| earlier.value == name.value) {
            faults
                .error(&name.span, format!("two cohorts are called {}", quoted(&name.value)))
                .related(&first.span, "the first one")
                .help("give each its own name, so that messages can tell them apart");
        }
    }
}
