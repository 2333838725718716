//! A release is judged by numbers that a server of the team's own hands out as JSON.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};

use harness::{Sample, World, sample_project};
use pilotage_engine::Outcome;
use pilotage_engine::judge::{Known, MetricReading};
use pilotage_views::DeploymentRecord;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");

/// The bearer token that the server wants to see.
const TOKEN: &str = "t0ken-of-the-shop";

/// Hands out the orders of a minute by version: 100 with 1.0.0, and as many as given with any other. The thread ends with the
/// test's process.
fn shop(orders: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let signed_in = head.iter().any(|line| line.ends_with(&format!("Bearer {TOKEN}")));
            let stable = head.first().is_some_and(|request| request.contains("version=1.0.0"));
            let (status, orders) = match signed_in {
                true => ("200 OK", if stable { 100 } else { orders }),
                false => ("401 Unauthorized", 0),
            };
            let body = format!(r#"{{"orders": {{"per_minute": {orders}}}}}"#);
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    address
}

/// A metric of the shop's orders, and what else it says.
fn orders(shop: SocketAddr, name: &str, rest: &str) -> String {
    let url = format!("http://{shop}/stats?service=$SERVICE&version=$VERSION");
    let token = r#"token: { secret: "env:SHOP_TOKEN" }"#;
    format!(r#"{{ name: {name}, json: {{ url: "{url}", pointer: /orders/per_minute, {token} }}, {rest} }}"#)
}

/// Deploys 1.1.0 beside 1.0.0, both of which answer every request well, and says what became of it.
async fn deploy(triggers: &str) -> (Outcome, DeploymentRecord) {
    let strategy = "canary: { steps: [50, 100], watch: 3s, soak: 0s }";
    let project = sample_project(PROGRAM, 1, strategy).replace("min_requests: 20", triggers);
    let mut world = World::new(PROGRAM, &project);
    world.serve(&[("SHOP_TOKEN", TOKEN)]).await;
    let first = world.release(&Sample::good("1.0.0"));
    assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
    let second = world.release(&Sample::good("1.1.0"));
    let (id, outcome) = world.deploy("1.1.0", &second).await;
    let record = world.record(id).unwrap();
    assert!(!serde_json::to_string(&record.deployment.plan).unwrap().contains(TOKEN));
    (outcome, record)
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_ratio_to_the_stable_version_takes_a_release_back() {
    run(async {
        let metric = orders(shop(40), "orders", "compare: ratio, below: 0.8, above: 5");
        let (outcome, record) = deploy(&format!("metrics: [{metric}]")).await;
        let (_, reason, _) = record.deployment.end.clone().unwrap();
        let expected = "orders is 40 against 100 on the stable version (0.4×); below 0.8× or above 5× takes the release back";
        assert_eq!((outcome, reason.as_deref()), (Outcome::RolledBack, Some(expected)));
        let wanted = MetricReading {
            name: "orders".to_owned(),
            value: Known::Value(40.0),
            stable: Known::Value(100.0),
        };
        assert_eq!(record.last_reading().unwrap().metrics, [wanted]);
    });
}

#[test]
fn a_score_takes_a_release_back_and_says_what_lowered_it() {
    run(async {
        let shop = shop(40);
        let metrics = [
            orders(shop, "few", "below: 50, critical: false, weight: 2"),
            orders(shop, "some", "below: 30, critical: false"),
        ];
        let (outcome, record) = deploy(&format!("metrics: [{}]", metrics.join(", "))).await;
        let (_, reason, _) = record.deployment.end.clone().unwrap();
        let expected = "the score is 33.33 %; 95 % passes, below 75 % fails; few is 40; below 50 is bad";
        assert_eq!((outcome, reason.as_deref()), (Outcome::RolledBack, Some(expected)));
    });
}

#[test]
fn what_is_good_what_only_reports_and_what_cannot_be_asked_take_nothing_back() {
    run(async {
        let shop = shop(98);
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let metrics = [
            orders(shop, "ratio", "compare: ratio, below: 0.8"),
            orders(shop, "scored", "compare: difference, below: -3, critical: false"),
            orders(shop, "dry", "above: 1, dry_run: true"),
            orders(nobody, "down", "above: 1"),
        ];
        let (outcome, record) = deploy(&format!("metrics: [{}]", metrics.join(", "))).await;
        assert_eq!(outcome, Outcome::Succeeded);
        let told = format!("{:?}", pilotage_views::explain(&record).unwrap());
        assert!(told.contains("metrics.dry (would fail: dry run): dry is 98; above 1 is bad"), "{told}");
        assert!(told.contains(&format!("down is not known: cannot reach http://{nobody}/stats")), "{told}");
    });
}
