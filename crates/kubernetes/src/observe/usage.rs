//! What pods use: from the metrics API where there is one, else from the kubelets where we may ask them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use crate::cluster::Cluster;

/// Readings are no older, while somebody looks.
const EVERY: Duration = Duration::from_secs(10);
/// After a refusal nobody is asked for a while.
const PAUSE: Duration = Duration::from_secs(60);
/// The path of the metrics API.
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";

/// What one pod uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Thousandths of a processor core.
    pub cpu_millis: Option<u32>,
    /// Bytes.
    pub memory_bytes: Option<u64>,
}

/// The last readings.
#[derive(Clone, Default)]
pub(crate) struct Usage {
    inner: Arc<Mutex<Readings>>,
}

#[derive(Default)]
struct Readings {
    by_pod: BTreeMap<String, Used>,
    next: Option<Instant>,
}

impl Usage {
    /// What a pod used when it was read last.
    pub fn of(&self, pod: &str) -> Used {
        let readings = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        readings.by_pod.get(pod).copied().unwrap_or_default()
    }

    /// Reads anew if it is time, without holding anybody up.
    pub fn refresh(&self, cluster: &Cluster) {
        {
            let mut readings = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            if readings.next.is_some_and(|next| Instant::now() < next) {
                return;
            }
            readings.next = Some(Instant::now() + EVERY);
        }
        let (usage, cluster) = (self.clone(), cluster.clone());
        tokio::spawn(async move {
            let read = read(&cluster).await;
            let mut readings = usage.inner.lock().unwrap_or_else(PoisonError::into_inner);
            match read {
                Some(by_pod) => readings.by_pod = by_pod,
                None => {
                    readings.by_pod.clear();
                    readings.next = Some(Instant::now() + PAUSE);
                }
            }
        });
    }
}

async fn read(cluster: &Cluster) -> Option<BTreeMap<String, Used>> {
    let selector = cluster.owner().selector().replace('=', "%3D").replace(',', "%2C");
    let path = format!("{METRICS}/namespaces/{}/pods?labelSelector={selector}", cluster.namespace());
    match raw(cluster, &path).await {
        Some(metrics) => Some(of_metrics(&metrics)),
        None => of_kubelets(cluster).await,
    }
}

async fn of_kubelets(cluster: &Cluster) -> Option<BTreeMap<String, Used>> {
    let pods = cluster.list(&cluster.api::<Pod>(), &cluster.owner().selector()).await.ok()?;
    let nodes: BTreeSet<String> = pods.into_iter().filter_map(|pod| pod.spec?.node_name).collect();
    let mut used = BTreeMap::new();
    for node in nodes {
        let summary = raw(cluster, &format!("/api/v1/nodes/{node}/proxy/stats/summary")).await?;
        used.extend(of_summary(&summary, cluster.namespace()));
    }
    Some(used)
}

async fn raw(cluster: &Cluster, path: &str) -> Option<Value> {
    let client = cluster.client();
    let asked = cluster
        .ask("read what pods use", || {
            let client = client.clone();
            let request = http::Request::get(path).body(Vec::new());
            async move { client.request::<Value>(request.map_err(kube::Error::HttpError)?).await }
        })
        .await;
    asked.ok()
}

/// `PodMetricsList` of metrics.k8s.io: quantities of all containers.
fn of_metrics(list: &Value) -> BTreeMap<String, Used> {
    let items = list["items"].as_array().into_iter().flatten();
    let pod = |item: &Value| {
        let name = item["metadata"]["name"].as_str()?.to_owned();
        let containers = item["containers"].as_array()?;
        let sum = |resource: &str, unit: f64| {
            let used: Option<f64> =
                containers.iter().map(|container| quantity(container["usage"][resource].as_str()?)).sum();
            used.map(|used| used * unit)
        };
        Some((
            name,
            Used {
                cpu_millis: sum("cpu", 1_000.0).and_then(whole),
                memory_bytes: sum("memory", 1.0).and_then(large),
            },
        ))
    };
    items.filter_map(pod).collect()
}

/// The summary of a kubelet: `usageNanoCores` and `workingSetBytes` of each pod.
fn of_summary(summary: &Value, namespace: &str) -> BTreeMap<String, Used> {
    let pods = summary["pods"].as_array().into_iter().flatten();
    let ours = pods.filter(|pod| pod["podRef"]["namespace"] == namespace);
    let pod = |pod: &Value| {
        let name = pod["podRef"]["name"].as_str()?.to_owned();
        let cpu = pod["cpu"]["usageNanoCores"].as_u64().map(|nanos| nanos / 1_000_000);
        let cpu_millis = cpu.and_then(|millis| u32::try_from(millis).ok());
        Some((name, Used { cpu_millis, memory_bytes: pod["memory"]["workingSetBytes"].as_u64() }))
    };
    ours.filter_map(pod).collect()
}

/// A quantity of Kubernetes, such as `250m`, `128974848` or `129Mi`; see
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
fn quantity(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1.0));
    number.parse::<f64>().ok().map(|number| number * unit).filter(|value| value.is_finite() && *value >= 0.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within the range")]
fn whole(value: f64) -> Option<u32> {
    (value <= f64::from(u32::MAX)).then(|| value.round() as u32)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within the range")]
fn large(value: f64) -> Option<u64> {
    // The greatest integer up to which all are floats as well.
    (value <= 9_007_199_254_740_992.0).then(|| value.round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        for (text, value) in
            [("250m", 0.25), ("128974848", 128_974_848.0), ("129Mi", 135_266_304.0), ("1e3", 1e3)]
        {
            assert_eq!(quantity(text), Some(value), "{text}");
        }
        for text in ["", "Mi", "-1", "x", "1e999"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn a_pod_uses_what_its_containers_use() {
        let list = json!({"items": [{"metadata": {"name": "api-1"}, "containers": [
            {"usage": {"cpu": "150m", "memory": "10Mi"}}, {"usage": {"cpu": "1", "memory": "1Mi"}}
        ]}]});
        let used = Used { cpu_millis: Some(1_150), memory_bytes: Some(11_534_336) };
        assert_eq!(of_metrics(&list), [("api-1".to_owned(), used)].into());
    }

    #[test]
    fn a_kubelet_tells_of_the_pods_of_all_namespaces() {
        let pod = |namespace: &str| {
            json!({"podRef": {"name": "api-1", "namespace": namespace},
                   "cpu": {"usageNanoCores": 20_000_000_u64}, "memory": {"workingSetBytes": 4096}})
        };
        let summary = json!({"pods": [pod("others"), pod("shop")]});
        let used = Used { cpu_millis: Some(20), memory_bytes: Some(4096) };
        assert_eq!(of_summary(&summary, "shop"), [("api-1".to_owned(), used)].into());
        assert_eq!(of_summary(&summary, "none"), BTreeMap::new());
    }
}
