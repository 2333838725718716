//! The rules, one function each.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use pilotage_spec::{Release, Version};

use super::subject::{Behaviour, Subject};
use super::wait::{Outcome, Violation, hold, observe, refused, until, until_ready};
use crate::{Fence, InstanceState, Routed, TargetError, Traffic};

/// The token of the suite; raised by the rule about tokens alone.
const FENCE: Fence = Fence(10);
const NEWER: Fence = Fence(11);

type Rule = for<'a> fn(&'a mut dyn Subject) -> BoxFuture<'a, Outcome>;

/// All rules by name. The one about tokens is the last: after it, the suite's token is refused.
pub const RULES: &[(&str, Rule)] = &[
    ("ensure is idempotent and stops none", |s| Box::pin(ensure_is_idempotent(s))),
    ("observe tells of instances that cannot start", |s| Box::pin(observe_tells_of_failure(s))),
    ("a crash is announced and mended", |s| Box::pin(a_crash_is_announced(s))),
    ("route switches at once and keeps its address", |s| Box::pin(route_switches(s))),
    ("retire keeps what is to be kept", |s| Box::pin(retire_keeps(s))),
    ("whoever comes back finds everything", |s| Box::pin(reopening_finds_everything(s))),
    ("remove leaves nothing", |s| Box::pin(remove_leaves_nothing(s))),
    ("an effect with an old token is refused", |s| Box::pin(old_tokens_are_refused(s))),
];

/// Checks all rules, one after the other.
pub async fn check(subject: &mut dyn Subject) -> Result<(), Violation> {
    for (rule, holds) in RULES {
        holds(subject).await.map_err(|found| Violation { rule, found })?;
    }
    Ok(())
}

/// So that the next rule begins with nothing.
async fn clean(subject: &dyn Subject) -> Outcome {
    subject.target().remove(&subject.workload(), FENCE).await.map_err(refused)
}

fn version(minor: u64) -> Result<Version, String> {
    format!("1.{minor}.0").parse().map_err(|error| format!("{error}"))
}

async fn good(subject: &dyn Subject, minor: u64) -> Result<Release, String> {
    Ok(subject.release(&version(minor)?, Behaviour::Good).await)
}

async fn ensure(subject: &dyn Subject, release: &Release, replicas: u32) -> Outcome {
    subject.target().ensure(&subject.workload(), release, replicas, FENCE).await.map_err(refused)
}

async fn route(subject: &dyn Subject, shares: &[(&Release, u32)]) -> Result<Routed, String> {
    let traffic = traffic(subject, shares);
    subject.target().route(&subject.workload(), &traffic, FENCE).await.map_err(refused)
}

fn traffic(subject: &dyn Subject, shares: &[(&Release, u32)]) -> Traffic {
    let shares = shares.iter().map(|(release, share)| (release.id.version.clone(), *share)).collect();
    Traffic { shares, hold_ms: 10_000, ..Traffic::new(subject.listen()) }
}

async fn ensure_is_idempotent(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    ensure(subject, &release, 2).await?;
    ensure(subject, &release, 2).await?;
    let instances = until_ready(subject, &release.id.version, 2).await?;
    let names: BTreeSet<_> = instances.iter().map(|instance| &instance.name).collect();
    hold(names.len() == 2, || format!("two instances share a name: {instances:?}"))?;
    let told = instances.iter().all(|instance| instance.address.is_some() && instance.release == release.id);
    hold(told, || format!("an instance without its address or release: {instances:?}"))?;
    ensure(subject, &release, 1).await?;
    let seen = observe(subject).await?;
    hold(seen.instances.len() == 2, || format!("ensure stopped an instance: {seen:?}"))?;
    clean(subject).await
}

async fn observe_tells_of_failure(subject: &mut dyn Subject) -> Outcome {
    let release = subject.release(&version(1)?, Behaviour::EndsAtOnce).await;
    ensure(subject, &release, 1).await?;
    let failed = |state: &InstanceState| match state {
        InstanceState::Failed { reason } => Some(reason.clone()),
        _ => None,
    };
    let seen = until(subject, "it is given up", |seen| {
        seen.instances.iter().any(|instance| failed(&instance.state).is_some())
    })
    .await?;
    let reason = seen.instances.iter().find_map(|instance| failed(&instance.state)).unwrap_or_default();
    hold(!reason.is_empty(), || "an instance failed without a reason".to_owned())?;
    clean(subject).await
}

async fn a_crash_is_announced(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    ensure(subject, &release, 1).await?;
    let before = until_ready(subject, &release.id.version, 1).await?.remove(0);
    subject.crash(&before).await;
    let seen = until(subject, "it was started again", |seen| {
        seen.instances.iter().any(|instance| instance.restarts > 0 && instance.state == InstanceState::Ready)
    })
    .await?;
    hold(seen.instances.len() == 1, || format!("a crash made more of one instance: {seen:?}"))?;
    clean(subject).await
}

async fn route_switches(subject: &mut dyn Subject) -> Outcome {
    let (old, new) = (good(subject, 0).await?, good(subject, 2).await?);
    for release in [&old, &new] {
        ensure(subject, release, 1).await?;
        until_ready(subject, &release.id.version, 1).await?;
    }
    let first = route(subject, &[(&old, 10_000)]).await?;
    let answered = subject.answered_by(first.listen).await;
    hold(answered.as_ref() == Some(&old.id.version), || format!("{answered:?} answered before the switch"))?;
    let second = route(subject, &[(&new, 10_000)]).await?;
    let answered = subject.answered_by(second.listen).await;
    hold(answered.as_ref() == Some(&new.id.version), || format!("{answered:?} answered after the switch"))?;
    hold(second.listen == first.listen, || format!("the address moved from {first:?} to {second:?}"))?;
    hold(second.epoch > first.epoch, || format!("the epoch did not rise from {first:?} to {second:?}"))?;
    let seen = observe(subject).await?;
    let shares = [(new.id.version.clone(), 10_000)].into();
    hold(seen.shares() == shares && seen.listen() == Some(second.listen), || format!("observed {seen:?}"))?;
    clean(subject).await
}

async fn retire_keeps(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    ensure(subject, &release, 3).await?;
    until_ready(subject, &release.id.version, 3).await?;
    for keep in [1, 1, 2, 0] {
        let workload = subject.workload();
        subject.target().retire(&workload, &release.id.version, keep, FENCE).await.map_err(refused)?;
        let left = observe(subject).await?.instances.len();
        let expected = if keep == 0 { 0 } else { 1 };
        hold(left == expected, || format!("{left} instances are left of a retirement that keeps {keep}"))?;
    }
    Ok(())
}

async fn reopening_finds_everything(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    ensure(subject, &release, 2).await?;
    let before = until_ready(subject, &release.id.version, 2).await?;
    let routed = route(subject, &[(&release, 10_000)]).await?;
    subject.reopen().await;
    let after = observe(subject).await?;
    let processes = |instances: &[crate::Instance]| -> BTreeSet<_> {
        instances.iter().map(|instance| (instance.name.clone(), instance.pid)).collect()
    };
    hold(processes(&before) == processes(&after.instances), || format!("{before:?} became {after:?}"))?;
    hold(after.listen() == Some(routed.listen), || format!("{routed:?} became {after:?}"))?;
    let answered = subject.answered_by(routed.listen).await;
    hold(answered.as_ref() == Some(&release.id.version), || format!("{answered:?} answered"))?;
    ensure(subject, &release, 2).await?;
    let again = observe(subject).await?;
    hold(again.instances.len() == 2, || format!("ensure did not know what was there: {again:?}"))?;
    clean(subject).await
}

async fn remove_leaves_nothing(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    ensure(subject, &release, 1).await?;
    until_ready(subject, &release.id.version, 1).await?;
    let routed = route(subject, &[(&release, 10_000)]).await?;
    for _ in 0..2 {
        clean(subject).await?;
        let seen = observe(subject).await?;
        let nothing = seen.instances.is_empty() && seen.traffic.is_none();
        hold(nothing, || format!("left behind: {seen:?}"))?;
    }
    let answered = subject.answered_by(routed.listen).await;
    hold(answered.is_none(), || format!("{answered:?} still answers"))
}

async fn old_tokens_are_refused(subject: &mut dyn Subject) -> Outcome {
    let release = good(subject, 0).await?;
    let workload = subject.workload();
    subject.target().ensure(&workload, &release, 1, NEWER).await.map_err(refused)?;
    until_ready(subject, &release.id.version, 1).await?;
    subject.reopen().await;
    let target = subject.target();
    let traffic = traffic(subject, &[(&release, 10_000)]);
    let outcomes = [
        target.ensure(&workload, &release, 2, FENCE).await,
        target.route(&workload, &traffic, FENCE).await.map(|_| ()),
        target.retire(&workload, &release.id.version, 0, FENCE).await,
        target.remove(&workload, FENCE).await,
    ];
    for outcome in outcomes {
        let fenced = matches!(outcome, Err(TargetError::Fenced { .. }));
        hold(fenced, || format!("an effect with an old token came to {outcome:?}"))?;
    }
    let seen = observe(subject).await?;
    hold(seen.instances.len() == 1 && seen.traffic.is_none(), || format!("and did something: {seen:?}"))?;
    target.remove(&workload, NEWER).await.map_err(refused)
}
