//! Which version a request belongs to: by the first cohort that fits, else by the weights.

use super::client::ClientId;
use super::cohort::Part;
use super::{Asked, CompiledRoute, Cookies};

/// Where a request belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The index of the pool in its route; `None` only if no pool has a share of the clients.
    pub(crate) pool: Option<usize>,
    /// The value of a `Set-Cookie` header for the answer: the client had no id and has been given one.
    pub(crate) cookie: Option<Vec<u8>>,
}

impl CompiledRoute {
    /// The version that a request belongs to. `draw` gives a random number for a client that has no id yet; it is asked
    /// only where it matters who the client is.
    pub(crate) fn assign(
        &self,
        asked: &impl Asked,
        cookies: &Cookies,
        draw: impl FnOnce() -> u64,
    ) -> Assignment {
        let cohort = self.cohorts.iter().find(|cohort| cohort.fits(asked));
        let cohort = cohort.filter(|cohort| cohort.part() != Part::None);
        match cohort {
            Some(cohort) if cohort.part() == Part::All => {
                return Assignment { pool: Some(cohort.pool), cookie: None };
            }
            None if !self.split => return Assignment { pool: self.pool_of(&[]), cookie: None },
            _ => {}
        }
        let client = self.client_keys.identify(asked, cookies, draw);
        let taken = cohort.filter(|cohort| cohort.takes(client.id())).map(|cohort| cohort.pool);
        Assignment { pool: taken.or_else(|| self.pool_of(client.id())), cookie: client.cookie }
    }

    /// What a request itself says of whose it is, by the keys of the route.
    pub(crate) fn known_client<'a>(&self, asked: &'a impl Asked, cookies: &Cookies) -> Option<ClientId<'a>> {
        self.client_keys.known(asked, cookies)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::super::sample::Sample;
    use super::super::{CookieKey, Registry};
    use super::*;
    use crate::{Cohort, Condition, FULL_WEIGHT, Pool, Protocol, Route, Source, Test};

    fn cookies() -> Cookies {
        Cookies::new(Arc::new(CookieKey::new(Zeroizing::new([3; CookieKey::LENGTH]))))
    }

    fn described(weights: &[u32]) -> Route {
        let pool = |(index, weight): (usize, &u32)| Pool {
            version: format!("{index}.0.0"),
            weight: *weight,
            protocol: Protocol::Http1,
            endpoints: vec![],
        };
        let listen = SocketAddr::from(([127, 0, 0, 1], 80));
        let pools = weights.iter().enumerate().map(pool).collect();
        Route { pools, ..Route::new("production/web", listen) }
    }

    fn compiled(route: &Route) -> CompiledRoute {
        CompiledRoute::new(route, None, &Registry::new(1, 0))
    }

    fn route(weights: &[u32]) -> CompiledRoute {
        compiled(&described(weights))
    }

    /// Testers go to the first version.
    fn with_cohort(weights: &[u32], share: u32) -> CompiledRoute {
        let tester = Condition { source: Source::Header("x-tester".to_owned()), test: Test::Present(true) };
        let cohort =
            Cohort { name: "testers".to_owned(), when: vec![tester], version: "0.0.0".to_owned(), share };
        compiled(&Route { cohorts: vec![cohort], ..described(weights) })
    }

    fn pool_of(route: &CompiledRoute, client: &[u8]) -> Option<usize> {
        let asked = Sample::new().with("x-client-id", client);
        route.assign(&asked, &cookies(), || panic!("the client has an id")).pool
    }

    fn tester(id: &str) -> Sample {
        Sample::new().with("x-tester", "1").with("x-client-id", id)
    }

    fn is_close(taken: usize, clients: u32, share: u32) -> bool {
        let share = f64::from(share) / f64::from(FULL_WEIGHT);
        let deviation = (f64::from(clients) * share * (1.0 - share)).sqrt();
        // Six standard deviations and a client: a chance of about one in a billion for a sound hash.
        (taken as f64 - f64::from(clients) * share).abs() <= 6.0 * deviation + 1.0
    }

    proptest! {
        #[test]
        fn once_new_always_new_while_the_weight_rises(
            client in proptest::collection::vec(any::<u8>(), 1..40),
            mut weights in proptest::collection::vec(0..=FULL_WEIGHT, 2..12),
        ) {
            weights.sort_unstable();
            let mut moved = false;
            for weight in weights {
                let new = pool_of(&route(&[weight, FULL_WEIGHT - weight]), &client) == Some(0);
                prop_assert!(new || !moved, "the client came back at weight {weight}");
                moved = new;
            }
        }

        #[test]
        fn a_third_version_moves_nobody_between_the_other_two(
            client in proptest::collection::vec(any::<u8>(), 1..40),
            newest in 0..=5_000u32,
            middle in 0..=5_000u32,
        ) {
            let before = pool_of(&route(&[0, middle, FULL_WEIGHT - middle]), &client);
            let after = pool_of(&route(&[newest, middle, FULL_WEIGHT - newest - middle]), &client);
            prop_assert!(after <= before, "from {before:?} to {after:?}");
        }

        #[test]
        fn weight_zero_takes_nobody(client in proptest::collection::vec(any::<u8>(), 1..40)) {
            prop_assert_eq!(pool_of(&route(&[0, FULL_WEIGHT]), &client), Some(1));
            prop_assert_eq!(pool_of(&route(&[FULL_WEIGHT, 0]), &client), Some(0));
            prop_assert_eq!(pool_of(&route(&[0, 5_000, 0, 5_000, 0]), &client).map(|pool| pool % 2), Some(1));
        }

        #[test]
        fn shares_keep_to_the_weight(weight in 0..=FULL_WEIGHT, seed in any::<u32>()) {
            const CLIENTS: u32 = 4_000;
            let route = route(&[weight, FULL_WEIGHT - weight]);
            let taken = (0..CLIENTS).filter(|n| pool_of(&route, format!("{seed}-{n}").as_bytes()) == Some(0)).count();
            prop_assert!(is_close(taken, CLIENTS, weight), "{taken} of {CLIENTS} at weight {weight}");
        }

        #[test]
        fn a_tester_never_comes_back_while_the_share_rises(
            client in "[a-z0-9]{1,20}",
            weight in 0..=FULL_WEIGHT,
            mut shares in proptest::collection::vec(0..=FULL_WEIGHT, 2..12),
        ) {
            shares.sort_unstable();
            let mut moved = false;
            for share in shares {
                let route = with_cohort(&[weight, FULL_WEIGHT - weight], share);
                let new = route.assign(&tester(&client), &cookies(), || 0).pool == Some(0);
                prop_assert!(new || !moved, "the client came back at share {share}");
                moved = new;
            }
        }

        #[test]
        fn the_share_of_a_cohort_is_kept_and_moves_nobody_else(share in 0..=FULL_WEIGHT, seed in any::<u32>()) {
            const CLIENTS: u32 = 4_000;
            let route = with_cohort(&[0, FULL_WEIGHT], share);
            let ids: Vec<_> = (0..CLIENTS).map(|n| format!("{seed}-{n}")).collect();
            let taken = ids.iter().filter(|id| route.assign(&tester(id), &cookies(), || 0).pool == Some(0)).count();
            prop_assert!(is_close(taken, CLIENTS, share), "{taken} of {CLIENTS} at share {share}");
            prop_assert!(ids.iter().take(100).all(|id| pool_of(&route, id.as_bytes()) == Some(1)));
        }
    }

    #[test]
    fn who_is_early_in_a_cohort_is_not_early_in_the_split_too() {
        let route = with_cohort(&[5_000, 5_000], 5_000);
        let cohort = &route.cohorts[0];
        let ids: Vec<_> = (0..2_000).map(|n| format!("client-{n}")).collect();
        let by_weight = |id: &&String| route.pool_of(id.as_bytes()) == Some(0);
        let both = ids.iter().filter(by_weight).filter(|id| cohort.takes(id.as_bytes())).count();
        assert!((400..600).contains(&both), "{both} of 2,000");
    }

    #[test]
    fn a_route_without_pools_takes_nobody() {
        let assigned = route(&[]).assign(&Sample::new(), &cookies(), || 0);
        assert_eq!(assigned, Assignment { pool: None, cookie: None });
    }

    #[test]
    fn an_id_is_drawn_only_where_it_matters() {
        let stranger = Sample::new();
        let never = || panic!("it does not matter who this is");
        assert_eq!(route(&[0, FULL_WEIGHT]).assign(&stranger, &cookies(), never).cookie, None);
        let everybody = with_cohort(&[0, FULL_WEIGHT], FULL_WEIGHT);
        let testing = stranger.clone().with("x-tester", "1");
        assert_eq!(everybody.assign(&testing, &cookies(), never), Assignment { pool: Some(0), cookie: None });
        assert_eq!(
            everybody.assign(&stranger, &cookies(), never),
            Assignment { pool: Some(1), cookie: None }
        );
        let nobody = with_cohort(&[0, FULL_WEIGHT], 0);
        assert_eq!(nobody.assign(&testing, &cookies(), never), Assignment { pool: Some(1), cookie: None });

        let some = with_cohort(&[0, FULL_WEIGHT], 5_000);
        assert!(some.assign(&testing, &cookies(), || 1).cookie.is_some());
        assert!(route(&[5_000, 5_000]).assign(&stranger, &cookies(), || 1).cookie.is_some());
    }

    #[test]
    fn a_cookie_keeps_a_client_where_it_was() {
        let route = route(&[5_000, 5_000]);
        for id in 0..50 {
            let first = route.assign(&Sample::new(), &cookies(), || id);
            let cookie = String::from_utf8(first.cookie.unwrap()).unwrap();
            let again = Sample::new().with("cookie", cookie.split_once(';').unwrap().0);
            let second = route.assign(&again, &cookies(), || panic!("the client has an id"));
            assert_eq!(second, Assignment { pool: first.pool, cookie: None });
        }
    }

    #[test]
    fn the_first_cohort_that_fits_decides() {
        let cohort = |name: &str, version: &str, share| Cohort {
            name: name.to_owned(),
            when: vec![Condition { source: Source::Header(name.to_owned()), test: Test::Present(true) }],
            version: version.to_owned(),
            share,
        };
        let cohorts = vec![cohort("a", "0.0.0", 0), cohort("b", "1.0.0", FULL_WEIGHT)];
        let route = compiled(&Route { cohorts, ..described(&[0, 0, FULL_WEIGHT]) });
        let pool = |names: &[&str]| {
            let asked = names.iter().fold(Sample::new(), |asked, name| asked.with(name, ""));
            route.assign(&asked, &cookies(), || 0).pool
        };
        assert_eq!(pool(&["b"]), Some(1));
        assert_eq!(pool(&["a", "b"]), Some(2), "the first fits, and its share is nobody: the weights decide");
        assert_eq!(pool(&[]), Some(2));
    }
}
