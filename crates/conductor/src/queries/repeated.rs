//! A question that is asked again and again in the background.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::conductor::lock;

/// The time between two rounds of questions.
pub(super) const ROUND: Duration = Duration::from_secs(2);

/// An answer from before so many rounds says nothing about now.
const ROUNDS_OF_USE: u32 = 3;

/// The last answer to a question that is asked every round, until this is dropped.
pub(super) struct Repeated<T> {
    last: Arc<Mutex<Option<(T, Instant)>>>,
    task: JoinHandle<()>,
}

/// What is known by now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last<T> {
    /// There was no answer yet.
    None,
    /// The last answer.
    Fresh(T),
    /// The last answer is as old as this, and says nothing any more.
    Old(Duration),
}

impl<T> Drop for Repeated<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T: Clone + Send + 'static> Repeated<T> {
    /// Begins to ask. A question waits for a permit, and holds it until it is answered, so that many questions do not become
    /// many connections at once; each has its own round, so that a slow one holds up no other.
    pub(super) fn start<F, Answer>(permits: Arc<Semaphore>, ask: F) -> Self
    where
        F: Fn() -> Answer + Send + 'static,
        Answer: Future<Output = T> + Send,
    {
        let last: Arc<Mutex<Option<(T, Instant)>>> = Arc::default();
        let told = Arc::clone(&last);
        let task = tokio::spawn(async move {
            let mut rounds = tokio::time::interval(ROUND);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                let Ok(permit) = permits.acquire().await else { return };
                let asked_at = Instant::now();
                let answer = ask().await;
                drop(permit);
                *lock(&told) = Some((answer, asked_at));
            }
        });
        Self { last, task }
    }

    /// What is known by now.
    pub(super) fn last(&self) -> Last<T> {
        match &*lock(&self.last) {
            None => Last::None,
            Some((answer, asked_at)) => {
                let age = asked_at.elapsed();
                if age > ROUND * ROUNDS_OF_USE { Last::Old(age) } else { Last::Fresh(answer.clone()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Longer than any test takes; the clock of these tests runs by itself.
    const FOREVER: Duration = Duration::from_secs(1_000_000);

    #[tokio::test(start_paused = true)]
    async fn a_question_is_asked_every_round() {
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        let repeated = Repeated::start(Arc::new(Semaphore::new(1)), move || {
            let count = counter.fetch_add(1, Ordering::Relaxed);
            async move { count }
        });
        assert_eq!(repeated.last(), Last::None);
        tokio::time::sleep(ROUND * 4 + ROUND / 2).await;
        assert_eq!(repeated.last(), Last::Fresh(4));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_renewed_grows_old() {
        let first = Arc::new(AtomicU32::new(0));
        let repeated = Repeated::start(Arc::new(Semaphore::new(1)), move || {
            let hangs = first.fetch_add(1, Ordering::Relaxed) > 0;
            async move {
                if hangs {
                    tokio::time::sleep(FOREVER).await;
                }
                7
            }
        });
        tokio::time::sleep(ROUND * 3).await;
        assert_eq!(repeated.last(), Last::Fresh(7));
        tokio::time::sleep(ROUND).await;
        assert_eq!(repeated.last(), Last::Old(ROUND * 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_question_holds_up_no_other() {
        let permits = Arc::new(Semaphore::new(2));
        let slow = Repeated::start(Arc::clone(&permits), || tokio::time::sleep(FOREVER));
        let quick = Repeated::start(permits, || std::future::ready(1));
        tokio::time::sleep(ROUND * 10).await;
        assert_eq!((slow.last(), quick.last()), (Last::None, Last::Fresh(1)));
    }
}
