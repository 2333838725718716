//! What a file's columns, or a JSON object's keys, are called.

/// A column that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Time,
    Version,
    Requests,
    Failed,
    FailedClients,
    P50,
    P95,
    P99,
    Share,
}

/// How many there are.
pub const COLUMNS: usize = 9;

impl Column {
    /// All, in the order in which a [`Record`](super::record::Record) has them.
    pub const ALL: [(Self, &str); COLUMNS] = [
        (Self::Time, "time"),
        (Self::Version, "version"),
        (Self::Requests, "requests"),
        (Self::Failed, "failed"),
        (Self::FailedClients, "failed_clients"),
        (Self::P50, "p50_ms"),
        (Self::P95, "p95_ms"),
        (Self::P99, "p99_ms"),
        (Self::Share, "share"),
    ];

    /// Those that every file must have.
    pub const NEEDED: [Self; 4] = [Self::Time, Self::Version, Self::Requests, Self::Failed];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(column, _)| column)
    }

    pub const fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// That a column is not known, and which one may have been meant.
pub fn unknown(name: &str) -> String {
    let near = pilotage_spec::nearest(name, Column::ALL.map(|(_, name)| name));
    let meant = near.map(|near| format!("; `{near}` may be meant")).unwrap_or_default();
    format!("the column {} is not known and was left out{meant}", super::fault::quoted(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_at_their_places() {
        for (index, (column, name)) in Column::ALL.into_iter().enumerate() {
            assert_eq!((column as usize, column.name(), Column::named(name)), (index, name, Some(column)));
        }
        assert!(unknown("request").ends_with("`requests` may be meant"));
    }
}
