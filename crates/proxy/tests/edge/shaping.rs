//! Many services on one address, and clients that go elsewhere than the weights say.

use pilotage_proxy::{Cohort, Condition, FULL_WEIGHT, Pool, Protocol, Route, RoutingTable, Source, Test};

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{World, endpoint};

fn pool(version: &str, weight: u32, upstream: &Upstream) -> Pool {
    Pool {
        version: version.to_owned(),
        weight,
        protocol: Protocol::Http1,
        endpoints: vec![endpoint(upstream.address)],
    }
}

fn route(world: &World, name: &str, hosts: &[&str], path: &str, upstream: &Upstream) -> Route {
    Route {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        path: path.to_owned(),
        pools: vec![pool("1.0.0", FULL_WEIGHT, upstream)],
        ..Route::new(name, world.listen)
    }
}

#[tokio::test]
async fn services_share_an_address_by_host_and_path() {
    let world = World::start().await;
    let (shop, cart, rest) =
        (Upstream::named("shop").await, Upstream::named("cart").await, Upstream::named("rest").await);
    let routes = vec![
        route(&world, "test/shop", &["shop.test", "*.shop.test"], "/", &shop),
        route(&world, "test/cart", &["shop.test"], "/cart", &cart),
        route(&world, "test/rest", &[], "/public", &rest),
    ];
    world.client.apply(RoutingTable { epoch: 1, routes, ..RoutingTable::empty() }).await.unwrap();

    let mut client = Client::connect(world.listen).await;
    for (host, path, status, text) in [
        ("shop.test", "/", 200, "shop"),
        ("SHOP.test:8080", "/cart/1?x=/", 200, "cart"),
        ("shop.test.", "/cartoon", 200, "shop"),
        ("shop.test", "/%63art", 200, "cart"),
        ("eu.shop.test", "/cart", 200, "shop"),
        ("a.eu.shop.test", "/public", 200, "rest"),
        ("other.test", "/public/x", 200, "rest"),
        ("other.test", "/publicity", 404, "Nothing is served here.\n"),
        ("shop.test", "/public/..%2Fcart", 400, "The path can be read in more than one way.\n"),
    ] {
        let answer = client.get_with(path, &[("host", host)]).await;
        assert_eq!((answer.status(), answer.text()), (status, text), "{host}{path}");
    }
    let stats = world.client.stats().await.unwrap();
    let requests = |name: &str| stats.routes[name].versions["1.0.0"].requests;
    assert_eq!(["test/shop", "test/cart", "test/rest"].map(requests), [3, 2, 2]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_cohort_goes_to_its_version_even_if_that_has_no_share() {
    let world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    let tester =
        Condition { source: Source::Cookie("tester".to_owned()), test: Test::Equals("yes".to_owned()) };
    let cohort = |share| Cohort {
        name: "testers".to_owned(),
        when: vec![tester.clone()],
        version: "2.0.0".to_owned(),
        share,
    };
    let route = |share| Route {
        pools: vec![pool("2.0.0", 0, &new), pool("1.0.0", FULL_WEIGHT, &old)],
        cohorts: vec![cohort(share)],
        ..Route::new("test/web", world.listen)
    };
    let table = |epoch, share| RoutingTable { epoch, routes: vec![route(share)], ..RoutingTable::empty() };
    let testing = [("cookie", "tester=yes")];

    world.client.apply(table(1, FULL_WEIGHT)).await.unwrap();
    let mut client = Client::connect(world.listen).await;
    let answer = client.get_with("/", &testing).await;
    assert_eq!((answer.text(), answer.version()), ("new", "2.0.0"));
    assert_eq!(answer.header("set-cookie"), None, "it does not matter who it is");
    assert_eq!(client.get("/").await.text(), "old");

    world.client.apply(table(2, 5_000)).await.unwrap();
    for _ in 0..10 {
        let first = client.get_with("/", &testing).await;
        let cookie = first.header("set-cookie").unwrap().split_once(';').unwrap().0;
        let known = format!("tester=yes; {cookie}");
        assert_eq!(client.get_with("/", &[("cookie", &known)]).await.text(), first.text());
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn cookies_outlive_the_edge_that_set_them() {
    let mut world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    world.route(&[("2.0.0", 5_000, &[new.address]), ("1.0.0", 5_000, &[old.address])]).await;
    let first = Client::connect(world.listen).await.get("/").await;
    let cookie = first.header("set-cookie").unwrap().split_once(';').unwrap().0.to_owned();

    let world = world.restart().await;
    let again = Client::connect(world.listen).await.get_with("/", &[("cookie", &cookie)]).await;
    assert_eq!((again.version(), again.header("set-cookie")), (first.version(), None));
    world.stop().await.unwrap();
}
