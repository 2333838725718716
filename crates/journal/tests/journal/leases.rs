//! Leases, and appends that are fenced by them.

use pilotage_journal::{AppendError, Holder, Journal, LeaseError};
use serde_json::json;

use crate::support::{block_on, lease, note, temporary};

fn holder(what: &str) -> Holder {
    Holder { who: "ada".to_owned(), what: what.to_owned() }
}

#[test]
fn a_lease_has_one_holder_and_its_token_rises_for_ever() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let name = lease("workload/production/api");
    block_on(async {
        let first = journal.acquire(name.clone(), holder("d1")).await.unwrap();
        let error = journal.acquire(name.clone(), holder("d2")).await.unwrap_err();
        assert_eq!(error, LeaseError::Held(first.clone()));
        assert!(error.to_string().contains("held by ada for d1"), "{error}");
        assert_eq!(journal.leases().unwrap(), std::slice::from_ref(&first));

        journal.release(name.clone(), first.token).await.unwrap();
        assert_eq!(journal.leases().unwrap(), []);
        let error = journal.release(name.clone(), first.token).await.unwrap_err();
        assert_eq!(error, LeaseError::NotHeld { lease: name.clone(), token: first.token });

        let second = journal.acquire(name.clone(), holder("d2")).await.unwrap();
        assert!(second.token > first.token);
        journal.acquire(lease("workload/staging/api"), holder("d3")).await.unwrap();
    });
    drop(journal);

    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.leases().unwrap().len(), 2, "a lease outlives its process");
    let again = block_on(journal.take_over(name, holder("d2"))).unwrap();
    assert_eq!(again.token, 3);
}

#[test]
fn an_append_with_an_old_token_is_refused() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let name = lease("workload/production/api");
    let fenced = |token| note("deployment/d1", json!({})).fenced(name.clone(), token);
    let refused = |token, current| AppendError::Fenced { lease: name.clone(), token, current };
    block_on(async {
        assert_eq!(journal.append(fenced(1)).await.unwrap_err(), refused(1, None));
        let old = journal.acquire(name.clone(), holder("d1")).await.unwrap().token;
        journal.append(fenced(old)).await.unwrap();

        let new = journal.take_over(name.clone(), holder("d1")).await.unwrap().token;
        assert_eq!(journal.append(fenced(old)).await.unwrap_err(), refused(old, Some(new)));
        journal.append(fenced(new)).await.unwrap();

        let both = vec![note("deployment/d1", json!({})), fenced(old)];
        assert_eq!(journal.append_all(both).await.unwrap_err(), refused(old, Some(new)));

        journal.release(name.clone(), new).await.unwrap();
        assert_eq!(journal.append(fenced(new)).await.unwrap_err(), refused(new, None));
    });
    assert_eq!(journal.after(0, 10).unwrap().len(), 2);
}

#[test]
fn of_many_that_want_a_lease_one_gets_it() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                block_on(journal.acquire(lease("a"), holder(&format!("d{n}")))).is_ok()
            })
        })
        .collect();
    let won = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(won.filter(|won| *won).count(), 1);
}

#[test]
fn a_holder_needs_a_name() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let error = block_on(journal.acquire(lease("a"), holder(""))).unwrap_err();
    assert!(matches!(error, LeaseError::Holder(_)), "{error}");
}
