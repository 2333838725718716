//! Environments: names, strategies and the defaults that depend on the environment's name.

use std::collections::BTreeMap;

use super::services::env;
use super::{policy, report_unknown, routes, targets};
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::file::{EnvironmentDraft, OverrideDraft, ServiceDraft};
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{
    Cluster, ClusterName, Environment, EnvironmentName, Goal, MetricSource, Policy, ServiceName,
    ServiceOverride, Strategy, StrategyKind, StrategyName,
};

/// Environments as they are written.
pub(super) type Environments = Named<EnvironmentName, EnvironmentDraft>;

/// Strategies by name; `None` for one that has a fault of its own.
type Strategies = BTreeMap<StrategyName, Option<Strategy>>;

/// What an environment overrides must be a service.
pub(super) fn check_services(
    environments: &Environments,
    services: &Named<ServiceName, ServiceDraft>,
    faults: &mut Faults,
) {
    let known = || services.iter().map(|(name, _)| name.value.as_str());
    for (name, _) in
        environments.iter().filter_map(|(_, draft)| draft.as_ref()).flat_map(|draft| &draft.services)
    {
        if !known().any(|service| service == name.value.as_str()) {
            report_unknown("service", name.value.as_str(), &name.span, known(), faults);
        }
    }
}

/// Other names of environments. Each name stands for one environment.
pub(super) fn aliases(
    environments: &Environments,
    faults: &mut Faults,
) -> BTreeMap<EnvironmentName, EnvironmentName> {
    let mut taken: BTreeMap<&EnvironmentName, &Span> =
        environments.iter().map(|(name, _)| (&name.value, &name.span)).collect();
    let mut aliases = BTreeMap::new();
    for (name, draft) in environments {
        for alias in draft.iter().flat_map(|draft| &draft.aliases) {
            if let Some(first) = taken.insert(&alias.value, &alias.span) {
                faults
                    .error(&alias.span, format!("`{}` already names an environment", alias.value))
                    .related(first, "named here")
                    .help("choose another alias");
            }
            aliases.insert(alias.value.clone(), name.value.clone());
        }
    }
    aliases
}

/// The environments in their final form; those with a fault are left out.
pub(super) fn resolve(
    drafts: Environments,
    services: &Named<ServiceName, ServiceDraft>,
    strategies: &Strategies,
    clusters: &BTreeMap<ClusterName, Cluster>,
    faults: &mut Faults,
) -> BTreeMap<EnvironmentName, Environment> {
    let names: Vec<EnvironmentName> = drafts.iter().map(|(name, _)| name.value.clone()).collect();
    let mut environments = BTreeMap::new();
    for (name, draft) in drafts {
        let Some(draft) = draft else { continue };
        let exposures = routes::exposures(&name, &draft, services);
        if let Some(environment) = environment(&name, draft, &names, strategies, clusters, faults) {
            environments.insert(name.value, Environment { exposures, ..environment });
        }
    }
    environments
}

fn environment(
    name: &Spanned<EnvironmentName>,
    draft: EnvironmentDraft,
    names: &[EnvironmentName],
    strategies: &Strategies,
    clusters: &BTreeMap<ClusterName, Cluster>,
    faults: &mut Faults,
) -> Option<Environment> {
    let edge = routes::edge(&draft).map(|edge| edge.value);
    let policy = policy::resolve(name, draft.policy, names, faults);
    let has_prometheus = draft.prometheus.is_some();
    let strategy = match draft.strategy {
        Some(strategy) => strategy,
        None => Spanned { value: default_strategy(name.value.as_str())?, span: name.span.clone() },
    };
    match strategies.get(&strategy.value) {
        Some(Some(known)) => check_strategy(&name.value, &strategy, known, &policy, has_prometheus, faults),
        Some(None) => {}
        None => {
            let known = strategies.keys().map(StrategyName::as_str);
            report_unknown("strategy", strategy.value.as_str(), &strategy.span, known, faults);
        }
    }
    Some(Environment {
        target: targets::resolve(draft.target?, clusters, faults)?,
        listen: draft.listen?,
        edge,
        exposures: BTreeMap::new(),
        strategy: strategy.value,
        policy,
        services: draft.services.into_iter().filter_map(service_override).collect(),
        prometheus: draft.prometheus,
    })
}

fn default_strategy(environment: &str) -> Option<StrategyName> {
    let name = match environment {
        "dev" => "rolling",
        policy::PRODUCTION => "canary",
        _ => "blue-green",
    };
    name.parse().ok()
}

/// What the environment asks of its strategy, and the strategy of its environment.
fn check_strategy(
    environment: &EnvironmentName,
    name: &Spanned<StrategyName>,
    strategy: &Strategy,
    policy: &Policy,
    has_prometheus: bool,
    faults: &mut Faults,
) {
    if policy.gradual && strategy.kind == StrategyKind::Recreate {
        faults
            .error(&name.span, format!("{} needs a gradual strategy, and {} stops everything first",
                quoted(environment.as_str()), quoted(name.value.as_str())))
            .label("not gradual")
            .help("use canary, rolling or blue-green; or write `policy: { gradual: false }` if an outage is acceptable");
    }
    if asks_prometheus(strategy) && !has_prometheus {
        faults
            .error(
                &name.span,
                format!(
                    "strategy {} asks Prometheus for metrics, and {} has none",
                    quoted(name.value.as_str()),
                    quoted(environment.as_str())
                ),
            )
            .help(
                "add `prometheus: { url: http://… }` to the environment, or use a strategy whose `metrics` have no `query` and whose `goal` is `errors`",
            );
    }
}

fn asks_prometheus(strategy: &Strategy) -> bool {
    let mut sources = strategy.roll_back_when.metrics.iter().map(|metric| &metric.source);
    let goal = match &strategy.kind {
        StrategyKind::Ab { trial } => &trial.goal,
        _ => &Goal::Errors,
    };
    *goal != Goal::Errors || sources.any(|source| matches!(source, MetricSource::Query(_)))
}

fn service_override(
    (name, draft): (Spanned<ServiceName>, Option<OverrideDraft>),
) -> Option<(ServiceName, ServiceOverride)> {
    let draft = draft?;
    let changed = ServiceOverride {
        port: draft.port.and_then(|port| port.value.try_into().ok()),
        replicas: draft.replicas.and_then(|replicas| replicas.try_into().ok()),
        env: env(draft.env),
    };
    Some((name.value, changed))
}
