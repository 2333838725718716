//! Several workloads at one address, and workloads at unix sockets, behind the real edge.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::{SocketAddr, TcpListener};

use pilotage_spec::{ListenOn, RouteSettings, Workload};
use pilotage_targets::{Fence, InstanceState, Target, Traffic};
use support::{World, ask, eventually, get_of, traffic, version};

/// An address that is free now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn named(service: &str) -> Workload {
    Workload { environment: "test".parse().unwrap(), service: service.parse().unwrap() }
}

/// Version 1.0.0 of a service, named by its own number, gets all requests for a path and hosts.
async fn serve(world: &World, service: &str, name: &str, route: RouteSettings, listen: SocketAddr) {
    let release = world.release(name, &[]).await;
    let workload = named(service);
    world.target().ensure(&workload, &release, 1, Fence(1)).await.unwrap();
    eventually("it is ready", || async {
        let seen = world.target().observe(&workload).await.unwrap();
        seen.instances.iter().all(|instance| instance.state == InstanceState::Ready)
    })
    .await;
    let wanted = Traffic { listen, route, ..traffic(&[(name, 10_000)]) };
    world.target().route(&workload, &wanted, Fence(1)).await.unwrap();
}

fn route(host: Option<&str>, path: &str) -> RouteSettings {
    let hosts = host.iter().map(|host| host.parse().unwrap()).collect();
    RouteSettings { hosts, path: path.parse().unwrap(), ..RouteSettings::default() }
}

#[tokio::test]
async fn services_share_an_address_by_path_and_host() {
    let mut world = World::new().await;
    let listen = free();
    serve(&world, "web", "1.0.0", route(None, "/"), listen).await;
    serve(&world, "api", "2.0.0", route(None, "/api"), listen).await;
    serve(&world, "other", "3.0.0", route(Some("other.example.com"), "/"), listen).await;
    let told = |host: &str, path: &str| get_of(listen, host, path).unwrap().1;
    for _ in 0..2 {
        assert_eq!(told("shop.example.com", "/"), "1.0.0");
        assert_eq!(told("shop.example.com", "/apiary"), "1.0.0");
        assert_eq!(told("shop.example.com", "/api/orders"), "2.0.0");
        assert_eq!(told("other.example.com", "/"), "3.0.0");
        world.restart_control_plane().await;
    }
    // What ends does not take the others with it.
    world.target().remove(&named("api"), Fence(1)).await.unwrap();
    assert_eq!(told("shop.example.com", "/api/orders"), "1.0.0");

    let same = Traffic { listen, route: route(None, "/"), ..traffic(&[("2.0.0", 10_000)]) };
    let refused = world.target().route(&named("api"), &same, Fence(1)).await.unwrap_err().to_string();
    assert!(refused.contains("test/web has them"), "{refused}");
    for service in ["web", "other"] {
        world.target().remove(&named(service), Fence(1)).await.unwrap();
    }
}

#[tokio::test]
async fn instances_at_unix_sockets_are_switched_and_drained_like_others() {
    let world = World::new().await;
    let mut releases = Vec::new();
    for (name, listen) in
        [("1.0.0", ListenOn::Port), ("1.1.0", ListenOn::Socket), ("1.2.0", ListenOn::Passed)]
    {
        let mut release = world.release(name, &[]).await;
        release.instance.listen = listen;
        world.ensure(&release, 2).await;
        world.ready(name, 2).await;
        releases.push(release);
    }
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    for name in ["1.1.0", "1.2.0", "1.1.0", "1.0.0", "1.2.0"] {
        world.route(&[(name, 10_000)]).await;
        assert_eq!(ask(listen, "/").await, (200, name.to_owned()));
    }
    // One instance goes while a request is with it, and the version keeps its share.
    let slow: Vec<_> = (0..4).map(|_| tokio::spawn(ask(listen, "/slow"))).collect();
    eventually("slow requests are in flight", || async {
        let stats = world.target().edge().stats().await.unwrap();
        stats.routes["test/api"].versions["1.2.0"].in_flight == 4
    })
    .await;
    world.target().retire(&world.workload(), &version("1.2.0"), 1, Fence(1)).await.unwrap();
    for answer in slow {
        assert_eq!(answer.await.unwrap(), (200, "slow".to_owned()));
    }
    assert_eq!(ask(listen, "/").await, (200, "1.2.0".to_owned()));
}
