//! Folds of the journal: status, history, audit lines.
