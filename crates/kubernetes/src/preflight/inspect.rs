//! How a target stands, for whoever sets it up.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use pilotage_spec::{ClusterName, KubernetesTraffic};
use pilotage_targets::{Finding, Inspection, TargetError};

use super::missing::words;
use super::{missing, needs};
use crate::answer;
use crate::client::{Connection, Way};
use crate::cluster::Cluster;
use crate::identity::{ClusterIdentity, Identities, identify};

/// How long a cluster of the inventory may take to say its version.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Looks at the cluster and the namespace of a target.
pub(crate) async fn inspect(connection: &Connection, traffic: &KubernetesTraffic) -> Inspection {
    match connection.identified().await {
        Ok((cluster, identity)) => inspect_namespace(&cluster, &identity, traffic).await,
        Err(error) => Inspection { findings: vec![not_reached(&error)] },
    }
}

/// The same where the cluster is known.
pub(super) async fn inspect_namespace(
    cluster: &Cluster,
    identity: &ClusterIdentity,
    traffic: &KubernetesTraffic,
) -> Inspection {
    let mut inspection = Inspection::default();
    match version(cluster).await {
        Ok(version) => {
            inspection.add(Finding::good("server", format!("{} answers, {version}", cluster.engine())))
        }
        Err(error) => {
            inspection.add(not_reached(&error));
            // Without it, nothing else can be known.
            return inspection;
        }
    }
    inspection.add(Finding::good("identity", identity.to_string()));
    inspection.add(namespace(cluster).await);
    inspection.extend(rights(cluster, traffic).await);
    inspection.extend(kinds(cluster, traffic).await);
    inspection
}

fn not_reached(error: &TargetError) -> Finding {
    let subject = if matches!(error, TargetError::Identity { .. }) { "identity" } else { "server" };
    Finding::bad(subject, error.to_string())
}

/// Looks at a cluster of the inventory: whether it answers, and whether it is the one that was used first. Records nothing: only
/// a use does.
pub async fn inspect_cluster(
    name: &ClusterName,
    cluster: &pilotage_spec::Cluster,
    project_folder: &Path,
    state_folder: &Path,
) -> Inspection {
    let engine = format!("cluster {name}");
    let way = Way {
        engine: engine.clone(),
        reach: cluster.reach.clone(),
        project_folder: project_folder.to_owned(),
    };
    let doing = "ask for its version";
    let reached = async {
        let (client, authorities) = way.client().await?;
        let version = match tokio::time::timeout(TIME_LIMIT, client.apiserver_version()).await {
            Ok(answer) => answer.map_err(|error| answer::refusal(&engine, doing, &error))?.git_version,
            Err(_) => return Err(answer::late(&engine, doing, TIME_LIMIT).into()),
        };
        Ok::<_, TargetError>((version, identify(&engine, &client, authorities.as_deref()).await))
    };
    let (version, identity) = match reached.await {
        Ok(reached) => reached,
        Err(error) => return Inspection { findings: vec![not_reached(&error)] },
    };
    let server = Finding::good("server", format!("{engine} answers, {version}"));
    Inspection { findings: vec![server, known_again(name.as_str(), identity, &Identities::at(state_folder))] }
}

/// Whether a cluster is the one that its name led to before.
fn known_again(
    name: &str,
    identity: Result<ClusterIdentity, TargetError>,
    identities: &Identities,
) -> Finding {
    let compared = identity.and_then(|found| Ok((identities.recorded(name)?, found)));
    match compared {
        Err(error) => Finding::bad("identity", error.to_string()),
        Ok((None, found)) => Finding::note("identity", format!("{found}, not used yet")),
        Ok((Some(recorded), found)) if recorded.matches(&found) => {
            Finding::good("identity", format!("{found}, as it was when it was used first"))
        }
        Ok((Some(recorded), found)) => {
            Finding::bad("identity", format!("it was {recorded} when it was used first, and is {found} now"))
                .mend(format!("look at its kubeconfig; if that is meant: pilotage clusters forget {name}"))
        }
    }
}

async fn version(cluster: &Cluster) -> Result<String, TargetError> {
    let client = cluster.client();
    let info = cluster.ask("ask for its version", || client.apiserver_version()).await?;
    Ok(info.git_version)
}

async fn namespace(cluster: &Cluster) -> Finding {
    let namespaces: Api<Namespace> = Api::all(cluster.client());
    let name = cluster.namespace();
    match cluster.get(&namespaces, name).await {
        Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => {
            Finding::bad("namespace", format!("{name} is being deleted"))
                .mend("wait until it is gone, create it anew, or name another one in pilotage.yaml")
        }
        Ok(Some(_)) => Finding::good("namespace", format!("{name} is there")),
        Ok(None) => Finding::bad("namespace", format!("{name} is not there"))
            .mend(format!("kubectl create namespace {name}")),
        // Many may do all in a namespace but read the namespace itself.
        Err(TargetError::Forbidden { .. }) => {
            Finding::note("namespace", format!("whether {name} is there is not known: we may not read it"))
        }
        Err(error) => Finding::bad("namespace", error.to_string()),
    }
}

async fn rights(cluster: &Cluster, traffic: &KubernetesTraffic) -> Vec<Finding> {
    let missing = match missing(cluster, &needs(cluster.namespace(), traffic, &[])).await {
        Ok(missing) => missing,
        Err(error) => return vec![Finding::bad("rights", error.to_string())],
    };
    if missing.is_empty() {
        return vec![Finding::good("rights", "all that is needed")];
    }
    let mut findings = Vec::new();
    if missing.is_serious() {
        findings.push(Finding::bad("rights", format!("we may not: {}", words(&missing.needed))));
    }
    if !missing.optional.is_empty() {
        let text = format!("less is known, as we may not: {}", words(&missing.optional));
        findings.push(Finding::note("rights", text));
    }
    if let Some(last) = findings.pop() {
        findings.push(last.mend(missing.roles()));
    }
    findings
}

/// Whether the kinds are installed that the way of traffic takes.
async fn kinds(cluster: &Cluster, traffic: &KubernetesTraffic) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (group, kind) in kinds_of(traffic) {
        findings.push(match cluster.resource(group, kind).await {
            Ok(Some(found)) => Finding::good("traffic", format!("{kind} as {}", found.api_version)),
            Ok(None) => Finding::bad("traffic", format!("the cluster knows no {kind} of {group}"))
                .mend("install it, or choose another `traffic` in pilotage.yaml"),
            Err(error) => Finding::bad("traffic", error.to_string()),
        });
    }
    findings
}

fn kinds_of(traffic: &KubernetesTraffic) -> &'static [(&'static str, &'static str)] {
    match traffic {
        KubernetesTraffic::Service | KubernetesTraffic::Host | KubernetesTraffic::Edge => &[],
        KubernetesTraffic::Gateway { .. } => {
            &[("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "Gateway")]
        }
        KubernetesTraffic::Istio { .. } => {
            &[("networking.istio.io", "VirtualService"), ("networking.istio.io", "DestinationRule")]
        }
        KubernetesTraffic::Nginx { .. } => &[("networking.k8s.io", "Ingress")],
        KubernetesTraffic::Traefik { .. } => {
            &[("traefik.io", "IngressRoute"), ("traefik.io", "TraefikService")]
        }
        KubernetesTraffic::ArgoRollouts => &[("argoproj.io", "Rollout")],
        KubernetesTraffic::Flagger { .. } => &[("flagger.app", "Canary")],
    }
}
