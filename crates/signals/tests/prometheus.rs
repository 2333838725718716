//! The client against a real Prometheus that scrapes a real exporter.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pilotage_signals::{PrometheusClient, PrometheusError, Source, SourceError};
use pilotage_spec::Workload;
use pilotage_testing::{Part, need};
use tempfile::TempDir;

/// A guard against hanging, nothing that is measured.
const PATIENCE: Duration = Duration::from_secs(60);

const METRICS: &str = "\
app_error_share{service=\"api\",environment=\"production\",version=\"1.2.0\"} 0.25
app_error_share{service=\"api\",environment=\"production\",version=\"1.1.0\"} 0.01
app_error_share{service=\"web\",environment=\"production\",version=\"3.0.0\"} 0.5
app_zero 0
";

const RULES: &str = r#"
groups:
  - name: test
    rules:
      - { alert: TooManyErrors, expr: "app_error_share > 0.2", labels: { severity: critical } }
      - { alert: DiskFull, expr: "vector(1)", labels: { severity: critical } }
      - { alert: OnlyStaging, expr: "vector(1)", labels: { severity: critical, environment: staging } }
      - { alert: NotSoBad, expr: "vector(1)", labels: { severity: warning, service: api } }
      - { alert: NotYet, expr: "vector(1)", for: 1h, labels: { severity: critical, service: api } }
"#;

/// A running Prometheus; stopped when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }}\n\
             rule_files: [rules.yml]\n\
             scrape_configs:\n  - {{ job_name: app, static_configs: [{{ targets: ['{}'] }}] }}\n",
            exporter()
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        let mut child = Command::new(program)
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = listening_address(&mut log);
        // Read on, so that a full pipe does not stop it.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, address, _folder: folder }
    }

    fn client(&self) -> PrometheusClient {
        PrometheusClient::new(&format!("http://{}/", self.address), None).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address with the port that the kernel chose, from the log.
fn listening_address(log: &mut impl Iterator<Item = std::io::Result<String>>) -> SocketAddr {
    let mut seen = String::new();
    for line in log.map_while(Result::ok) {
        let address = line.split_once("address=").map(|(_, address)| address.trim_matches('"'));
        if let Some(address) = address.and_then(|address| address.parse::<SocketAddr>().ok())
            && address.port() != 0
        {
            return address;
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    panic!("Prometheus ended before it listened:\n{seen}");
}

/// Serves the metrics. The thread ends with the test's process.
fn exporter() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = METRICS.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{METRICS}").as_bytes());
        }
    });
    address
}

fn api() -> Workload {
    Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() }
}

/// Waits until the first scrape has come in.
async fn scraped(client: &PrometheusClient) {
    let start = Instant::now();
    while client.instant("app_zero").await.ok().flatten().is_none() {
        assert!(start.elapsed() < PATIENCE, "Prometheus has scraped nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_query_yields_the_number_nothing_or_a_reason() {
    let Some(program) = need("Prometheus queries", Part::Prometheus) else { return };
    let prometheus = Prometheus::start(&program);
    let client = prometheus.client();
    scraped(&client).await;

    let query = r#"app_error_share{service="$SERVICE",environment="$ENVIRONMENT",version="$VERSION"}"#;
    let asked = async |version: &str| client.metric(query, &api(), &version.parse().unwrap()).await;
    assert_eq!(asked("1.2.0").await, Ok(Some(0.25)));
    assert_eq!(asked("9.9.9").await, Ok(None));
    assert_eq!(client.instant("sum(app_error_share)").await, Ok(Some(0.76)));
    assert_eq!(client.instant("1 + 1").await, Ok(Some(2.0)));

    let many = client.instant("app_error_share").await.unwrap_err();
    assert!(matches!(many, PrometheusError::ManyRows { rows: 3, .. }), "{many:?}");
    assert!(many.to_string().contains("version=\"1.2.0\""), "{many}");
    let divided = client.instant("app_zero / app_zero").await.unwrap_err();
    assert_eq!(divided, PrometheusError::NotFinite { value: "NaN".to_owned() });
    let infinite = client.instant("1 / app_zero").await.unwrap_err();
    assert_eq!(infinite, PrometheusError::NotFinite { value: "+Inf".to_owned() });
    let range = client.instant("app_zero[1m]").await.unwrap_err();
    assert_eq!(range, PrometheusError::NotANumber { found: "matrix".to_owned() });
    let nonsense = client.instant("sum(").await.unwrap_err();
    assert!(matches!(nonsense, PrometheusError::Query { .. }), "{nonsense:?}");
}

#[tokio::test]
async fn a_source_asks_for_either_version_and_says_where_there_is_nothing() {
    let Some(program) = need("Prometheus sources", Part::Prometheus) else { return };
    let prometheus = Prometheus::start(&program);
    let client = prometheus.client();
    scraped(&client).await;
    let source = |query: &str| Source::Prometheus { client: client.clone(), query: query.to_owned() };
    let share = source(r#"app_error_share{service="$SERVICE",version="$VERSION"}"#);
    let asked = async |version: &str| share.number(&api(), &version.parse().unwrap()).await;
    assert_eq!([asked("1.2.0").await, asked("1.1.0").await], [Ok(0.25), Ok(0.01)]);
    assert_eq!(asked("9.9.9").await, Err(SourceError::Nothing));
    let many = source("app_error_share").number(&api(), &"1.2.0".parse().unwrap()).await.unwrap_err();
    assert!(many.to_string().contains("3 series where one is wanted"), "{many}");
}

#[tokio::test]
async fn critical_alerts_are_those_that_fire_for_this_workload_or_for_all() {
    let Some(program) = need("Prometheus alerts", Part::Prometheus) else { return };
    let prometheus = Prometheus::start(&program);
    let client = prometheus.client();
    let start = Instant::now();
    let wanted = ["DiskFull", "TooManyErrors"];
    loop {
        let names = client.critical_alerts(&api()).await;
        if names.as_deref() == Ok(&wanted.map(str::to_owned)) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{names:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let other = Workload { environment: "dev".parse().unwrap(), service: "api".parse().unwrap() };
    assert_eq!(client.critical_alerts(&other).await.unwrap(), ["DiskFull"]);
}
