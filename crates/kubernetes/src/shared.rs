//! One look, shared by everybody who asks at the same time: two hundred workloads that are observed at once are a handful of
//! requests.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pilotage_targets::TargetError;
use tokio::sync::Mutex;

/// Looks at something, shared. Nobody gets a look that began before it asked.
pub(crate) struct Shared<T> {
    begun: AtomicU64,
    last: Mutex<Last<T>>,
}

struct Last<T> {
    number: u64,
    seen: Option<Result<Arc<T>, Again>>,
}

/// An error for all who waited for it.
struct Again {
    engine: String,
    reason: String,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), last: Mutex::new(Last { number: 0, seen: None }) }
    }
}

impl<T> Shared<T> {
    /// A look that begins after this call does.
    pub async fn fresh<F, Looking>(&self, look: F) -> Result<Arc<T>, TargetError>
    where
        F: FnOnce() -> Looking,
        Looking: Future<Output = Result<T, TargetError>>,
    {
        let wanted = self.begun.load(Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if last.number >= wanted {
            match &last.seen {
                Some(Ok(seen)) => return Ok(Arc::clone(seen)),
                Some(Err(again)) => return Err(again.error()),
                None => {}
            }
        }
        last.number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        // Should nobody wait for it any more, what was seen before is not what is there now.
        last.seen = None;
        match look().await {
            Ok(seen) => {
                let seen = Arc::new(seen);
                last.seen = Some(Ok(Arc::clone(&seen)));
                Ok(seen)
            }
            Err(error) => {
                // A server that does not answer is not asked by each of them in turn.
                if let TargetError::Unreachable { engine, reason } = &error {
                    last.seen = Some(Err(Again { engine: engine.clone(), reason: reason.clone() }));
                }
                Err(error)
            }
        }
    }
}

impl Again {
    fn error(&self) -> TargetError {
        TargetError::Unreachable { engine: self.engine.clone(), reason: self.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn all_who_ask_during_a_look_share_the_next_one() {
        let (shared, looks, go) = (Shared::default(), AtomicUsize::new(0), Notify::new());
        let look = || async {
            let number = looks.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                go.notified().await;
            }
            Ok::<usize, TargetError>(number)
        };
        let asked = join_all((0..50).map(|_| shared.fresh(look)));
        let release = async { go.notify_one() };
        let (seen, ()) = tokio::join!(asked, release);
        let seen: Vec<usize> = seen.into_iter().map(|seen| *seen.unwrap()).collect();
        assert_eq!(looks.load(Ordering::SeqCst), 2, "{seen:?}");
        // A further question is not answered by what was seen before it.
        assert_eq!(*shared.fresh(look).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_asked_once_for_all() {
        let (shared, looks) = (Shared::<()>::default(), AtomicUsize::new(0));
        let look = || async {
            looks.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(TargetError::Unreachable { engine: "it".to_owned(), reason: "gone".to_owned() })
        };
        let seen = join_all((0..50).map(|_| shared.fresh(look))).await;
        assert!(seen.iter().all(Result::is_err));
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }
}
