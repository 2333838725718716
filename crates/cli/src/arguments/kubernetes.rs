//! `pilotage kubernetes`, and the edge in a pod.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use pilotage_spec::{EnvironmentName, ProjectName};

use super::duration;

#[derive(Debug, Args)]
pub struct Kubernetes {
    #[command(subcommand)]
    pub verb: KubernetesVerb,
}

#[derive(Debug, Subcommand)]
pub enum KubernetesVerb {
    /// Print the manifests of the control plane, or of the edge, for `kubectl apply`
    Manifests(Manifests),
    /// Print the objects of a service's strategy for Argo Rollouts or Flagger, as the environment's `traffic` says
    Rollout(RolloutObjects),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: pilotage kubernetes rollout api --env production --strategy canary | kubectl apply -f -"
)]
pub struct RolloutObjects {
    /// The service, as in the file
    pub service: String,
    /// The environment [default: dev, or the only one]
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Another strategy than the environment's
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// The version, where queries of metrics name it; the objects are then for that one alone
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// The Deployment whose pods are rolled out [default: the service's name]
    #[arg(long, value_name = "NAME")]
    pub deployment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Manifests {
    /// The namespace that it runs in
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The image that holds `/bin/pilotage`, with tag or digest
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// The edge of this environment instead of the control plane
    #[arg(long, value_name = "ENVIRONMENT", requires = "project")]
    pub edge: Option<EnvironmentName>,
    /// The project of that edge
    #[arg(long, value_name = "NAME")]
    pub project: Option<ProjectName>,
    /// How many pods that edge has
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub replicas: u32,
    /// The class of the control plane's volume
    #[arg(long, value_name = "NAME")]
    pub storage_class: Option<String>,
    /// Also a ClusterRole that may read the identity of the cluster
    #[arg(long)]
    pub cluster_role: bool,
    /// Write the Helm chart of the control plane into this folder instead
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["namespace", "image", "edge"])]
    pub chart: Option<PathBuf>,
}

/// The edge in a pod, fed by the API server.
#[derive(Debug, Args)]
pub struct EdgeKubernetes {
    /// The project whose workloads are served
    #[arg(long, value_name = "NAME")]
    pub project: ProjectName,
    /// The environment whose workloads are served
    #[arg(long, value_name = "NAME")]
    pub environment: EnvironmentName,
    /// The namespace that is watched [default: the pod's]
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The folder of the last table and of the control socket
    #[arg(long, value_name = "FOLDER")]
    pub state_folder: PathBuf,
    /// Say here what is served and what was counted, to the control plane and the kubelet
    #[arg(long, value_name = "ADDRESS")]
    pub status: SocketAddr,
    /// Serve the edge's metrics here
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// How long requests in flight may take after SIGTERM, such as 30s
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    pub grace: Duration,
}

/// What a pod of the edge does before it is stopped.
#[derive(Debug, Args)]
pub struct EdgeLeave {
    /// Where the edge of this pod says what it serves
    #[arg(long, value_name = "ADDRESS")]
    pub status: SocketAddr,
    /// How long new connections may still come, such as 8s
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Duration,
}
