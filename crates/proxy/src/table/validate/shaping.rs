//! Clients' keys, cohorts and mirrors.

use std::collections::BTreeSet;

use super::RouteFault;
use super::name::{cookie, header, parameter};
use crate::comparison::Pointer;
use crate::table::{ClientKey, Cohort, FULL_WEIGHT, Mirror, Route, Source};

pub(super) fn shaping(route: &Route) -> Result<(), RouteFault> {
    client_keys(&route.client_keys)?;
    let mut names = BTreeSet::new();
    for cohort in &route.cohorts {
        if !names.insert(&cohort.name) {
            return Err(RouteFault::Duplicate { what: "cohort", name: cohort.name.clone() });
        }
        self::cohort(route, cohort)?;
    }
    route.mirror.as_ref().map_or(Ok(()), |mirror| self::mirror(route, mirror))
}

fn client_keys(keys: &[ClientKey]) -> Result<(), RouteFault> {
    for (index, key) in keys.iter().enumerate() {
        match key {
            ClientKey::Cookie => {}
            ClientKey::Header(name) => header(name)?,
            ClientKey::Address if index + 1 == keys.len() => {}
            ClientKey::Address => return Err(RouteFault::KeyAfterAddress),
        }
    }
    Ok(())
}

fn cohort(route: &Route, cohort: &Cohort) -> Result<(), RouteFault> {
    let by = format!("cohort `{}`", cohort.name);
    if cohort.when.is_empty() {
        return Err(RouteFault::NoCondition { cohort: cohort.name.clone() });
    }
    for condition in &cohort.when {
        match &condition.source {
            Source::Header(name) => header(name)?,
            Source::Cookie(name) => cookie(name)?,
            Source::Query(name) => parameter(name)?,
        }
    }
    share(&by, cohort.share)?;
    has_version(route, by, &cohort.version)
}

fn mirror(route: &Route, mirror: &Mirror) -> Result<(), RouteFault> {
    let by = "the mirror".to_owned();
    share(&by, mirror.share)?;
    has_version(route, by, &mirror.version)?;
    let serves_all = |pool: &crate::Pool| pool.version == mirror.version && pool.weight == FULL_WEIGHT;
    if route.pools.iter().any(serves_all) {
        return Err(RouteFault::MirrorsItself { version: mirror.version.clone() });
    }
    let mut ignored = mirror.compare.iter().flat_map(|comparison| &comparison.ignore);
    ignored.try_for_each(|text| pointer(text))
}

fn pointer(text: &str) -> Result<(), RouteFault> {
    match Pointer::parse(text) {
        Some(_) => Ok(()),
        None => Err(RouteFault::Pointer { pointer: text.to_owned() }),
    }
}

fn share(by: &str, share: u32) -> Result<(), RouteFault> {
    if share <= FULL_WEIGHT { Ok(()) } else { Err(RouteFault::Share { by: by.to_owned(), share }) }
}

fn has_version(route: &Route, by: String, version: &str) -> Result<(), RouteFault> {
    if route.pools.iter().any(|pool| pool.version == version) {
        return Ok(());
    }
    Err(RouteFault::UnknownVersion { by, version: version.to_owned() })
}
