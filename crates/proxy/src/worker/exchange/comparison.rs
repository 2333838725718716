//! The answer that a user gets, kept aside for the comparison with the answer to the copy. Neither waits for the other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Exchange;
use super::copy::Copy;
use crate::comparison::{Comparison, Glance, KeptAnswer, KeptBody};
use crate::message::RequestHead;
use crate::routing::{CompiledMirror, VersionCounters};
use crate::stats::{MirrorDifference, shown};
use crate::worker::client::ClientEnd;
use crate::worker::comparer::Pair;

/// Where the user's answer is kept until it is whole. If it never is, the copy hears of that.
pub(super) struct Kept {
    pub(super) body: KeptBody,
    whole: oneshot::Sender<KeptAnswer>,
}

/// What the copy is to be compared with.
pub(super) struct Awaited {
    comparison: Arc<Comparison>,
    whole: oneshot::Receiver<KeptAnswer>,
}

/// Both ends of what is kept for one comparison.
pub(super) fn keep(comparison: &Arc<Comparison>) -> (Kept, Awaited) {
    let (sender, receiver) = oneshot::channel();
    let kept = Kept { body: comparison.body(), whole: sender };
    (kept, Awaited { comparison: Arc::clone(comparison), whole: receiver })
}

impl<C: ClientEnd> Exchange<'_, C> {
    /// The instance has said all of the user's answer.
    pub(super) fn hand_over_answer(&mut self) {
        if let Some(Kept { body, whole }) = self.kept.take() {
            // The copy may have failed meanwhile.
            let _ = whole.send(KeptAnswer::new(self.response, body));
        }
    }
}

impl Awaited {
    /// Where the body of the answer to the copy is kept.
    pub(super) fn body(&self) -> KeptBody {
        self.comparison.body()
    }
}

impl Copy {
    /// Compares the answer to the copy with the user's, once that is whole too.
    pub(super) async fn compare(
        &mut self,
        answer: KeptAnswer,
        mirror: &CompiledMirror,
        counters: &Arc<VersionCounters>,
    ) {
        let Some(Awaited { comparison, whole }) = self.awaited.take() else { return };
        // Not needed any more, and a user may take long.
        self.body = Vec::new();
        let own = within(mirror.timeout, whole).await;
        let comparisons = counters.comparisons();
        let Some(own) = own else { return comparisons.uncompared() };
        match comparison.glance(&own, &answer) {
            Glance::Equal => comparisons.equal(),
            Glance::Differ => comparisons.differ(said_of(&self.head, &own, &answer)),
            Glance::Unreadable => comparisons.uncompared(),
            Glance::Read => self.worker.comparer().compare(Pair {
                request: said_of(&self.head, &own, &answer),
                own: own.body.unwrap_or_default(),
                copy: answer.body.unwrap_or_default(),
                counters: Arc::clone(counters),
                comparison,
            }),
        }
    }
}

async fn within(limit: Duration, whole: oneshot::Receiver<KeptAnswer>) -> Option<KeptAnswer> {
    tokio::time::timeout(limit, whole).await.ok()?.ok()
}

/// What is said of two answers that differ. The query of the request is left out, as it may hold secrets.
fn said_of(request: &RequestHead, own: &KeptAnswer, copy: &KeptAnswer) -> MirrorDifference {
    let path = request.target().split(|byte| *byte == b'?').next().unwrap_or_default();
    MirrorDifference {
        method: shown(request.method()),
        path: shown(path),
        own_status: own.status,
        copy_status: copy.status,
        pointer: None,
    }
}
