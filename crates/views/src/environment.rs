//! The addresses that the services of an environment share: the stream of each environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use pilotage_journal::{NewEvent, Reader, StreamId};
use pilotage_spec::{EdgeSettings, EnvironmentName, NameError};
use serde::{Deserialize, Serialize};

use crate::RecordError;
use crate::workload::{json_event, payload};

/// One fact about an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum EnvironmentEvent {
    /// From now on the address is served like this, for all of the environment's services there.
    EdgeSet {
        /// The address, and how it is served.
        edge: Box<EdgeSettings>,
        /// What was typed or called.
        command: String,
    },
}

impl EnvironmentEvent {
    /// The fact as the journal takes it.
    ///
    /// # Errors
    /// Never for facts of this version; the journal checks all kinds alike.
    pub fn new_event(&self) -> Result<NewEvent, RecordError> {
        json_event("environment.edge_set", self)
    }
}

/// The stream of an environment.
///
/// # Errors
/// Never for well-formed names; the journal checks all names alike.
pub fn environment_stream(environment: &EnvironmentName) -> Result<StreamId, NameError> {
    format!("environment/{environment}").parse()
}

/// How each address is served that services of an environment share or have shared.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn edges(
    reader: &Reader,
    environment: &EnvironmentName,
) -> Result<BTreeMap<SocketAddr, EdgeSettings>, RecordError> {
    let events = reader.stream(&environment_stream(environment)?, 0)?;
    let mut edges = BTreeMap::new();
    for event in &events {
        let EnvironmentEvent::EdgeSet { edge, .. } = payload(event)?;
        edges.insert(edge.listen, *edge);
    }
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use pilotage_journal::{Append, Expected, Journal};

    use super::*;

    #[tokio::test]
    async fn the_last_word_on_an_address_counts() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
        let environment: EnvironmentName = "production".parse().unwrap();
        assert!(edges(&journal.reader(), &environment).unwrap().is_empty());
        let [first, second] = ["0.0.0.0:80", "0.0.0.0:8080"].map(|text| text.parse::<SocketAddr>().unwrap());
        let trusting = EdgeSettings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..EdgeSettings::plain(first)
        };
        for edge in [EdgeSettings::plain(first), EdgeSettings::plain(second), trusting.clone()] {
            let event = EnvironmentEvent::EdgeSet { edge: Box::new(edge), command: "pilotage up".to_owned() };
            let event = event.new_event().unwrap();
            let stream = environment_stream(&environment).unwrap();
            journal.append(Append::new(stream, Expected::Any, "anna", vec![event])).await.unwrap();
        }
        let found = edges(&journal.reader(), &environment).unwrap();
        assert_eq!(found, BTreeMap::from([(first, trusting), (second, EdgeSettings::plain(second))]));
    }
}
