//! What came from the edge before this one: its counters, and for a while the edge itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::message::{Answer, Question};
use crate::edge::connection::Connection;
use crate::{EdgeStats, RoutingTable};

/// An edge that finishes what it has answers in no time. One that does not is asked again another time; until then it has
/// what it had.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// What came from the edge before this one.
#[derive(Debug, Default)]
pub(in crate::edge) struct Inherited {
    /// All that was counted before, as far as is known. Read also by those who must not wait for whoever has the table.
    counted: Arc<ArcSwap<EdgeStats>>,
    /// The edge before, as long as it has something to finish.
    finishing: Option<Finishing>,
}

/// What was counted before, as far as is known; at most a second old.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Counted(Arc<ArcSwap<EdgeStats>>);

impl Counted {
    /// Adds it.
    pub(in crate::edge) fn add_to(&self, own: &mut EdgeStats) {
        own.merge(&self.0.load());
    }
}

/// An edge that finishes what it has.
#[derive(Debug)]
struct Finishing {
    pid: u32,
    connection: Connection,
    /// Answers that have not come yet, this one's included while it is waited for.
    owed: usize,
}

impl Inherited {
    /// From an edge that has just handed over, and what it had counted by then.
    pub(super) fn from(pid: u32, connection: Connection, counted: EdgeStats) -> Self {
        let finishing = Some(Finishing { pid, connection, owed: 0 });
        Self { counted: Arc::new(ArcSwap::from_pointee(counted)), finishing }
    }

    /// What was counted before, as far as is known at each moment.
    pub(in crate::edge) fn counted(&self) -> Counted {
        Counted(Arc::clone(&self.counted))
    }

    /// Whether the edge before still finishes something.
    pub(in crate::edge) fn is_finishing(&self) -> bool {
        self.finishing.is_some()
    }

    /// Adds what was counted before, up to this moment.
    pub(in crate::edge) async fn add_to(&mut self, own: &mut EdgeStats) {
        self.refresh().await;
        own.merge(&self.counted.load());
    }

    /// Asks the edge before for its counters, if it is still there.
    pub(in crate::edge) async fn refresh(&mut self) {
        self.ask(&Question::Stats).await;
    }

    /// Has the edge before use a table for what it has left; returns when it does.
    pub(in crate::edge) async fn follow(&mut self, table: &RoutingTable) {
        if self.finishing.is_some() {
            self.ask(&Question::Follow { table: table.clone() }).await;
        }
    }

    /// Has the edge before finish what it has within a time that may be shorter than its own.
    pub(in crate::edge) async fn stop(&mut self, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.ask(&Question::Stop { grace_ms }).await;
    }

    async fn ask(&mut self, question: &Question) {
        let Some(finishing) = &mut self.finishing else { return };
        let pid = finishing.pid;
        match finishing.ask(question).await {
            Ok(Some(Answer::Stats { stats })) => self.counted.store(Arc::new(stats)),
            Ok(Some(Answer::Followed | Answer::Stopping)) => {}
            Ok(Some(Answer::Drained { stats })) => {
                tracing::info!(pid, "the edge before has finished");
                self.counted.store(Arc::new(stats));
                self.end();
            }
            Ok(Some(other)) => self.lose(&format!("it said {other:?}")),
            Ok(None) => tracing::warn!(pid, "the edge before does not answer"),
            Err(error) => self.lose(&error.to_string()),
        }
    }

    fn lose(&mut self, reason: &str) {
        let pid = self.finishing.as_ref().map(|finishing| finishing.pid);
        tracing::warn!(pid, "the edge before ended before it had finished: {reason}");
        self.end();
    }

    fn end(&mut self) {
        self.finishing = None;
        let mut counted = EdgeStats::clone(&self.counted.load());
        counted.settle();
        self.counted.store(Arc::new(counted));
    }
}

impl Finishing {
    /// Asks; `None` if the answer does not come in time. It is then passed over when it comes after all.
    async fn ask(&mut self, question: &Question) -> io::Result<Option<Answer>> {
        let said = tokio::time::timeout(ANSWER_LIMIT, self.connection.say(question)).await;
        match said {
            Ok(Ok(())) => self.owed += 1,
            // It may have ended while this was said: its last words are there to be read.
            Ok(Err(_)) => {}
            // What was said half cannot be said again.
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        }
        tokio::time::timeout(ANSWER_LIMIT, self.answer()).await.map_or(Ok(None), |heard| heard.map(Some))
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let answer = self.connection.hear().await?;
            self.owed = self.owed.saturating_sub(1);
            if self.owed == 0 || matches!(answer, Answer::Drained { .. }) {
                return Ok(answer);
            }
        }
    }
}
