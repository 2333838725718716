//! Clusters of Kubernetes, and services in them.

use crate::read::node::Spanned;
use crate::read::shape::{Either, Fields, ListOf, MapOf, Named, Object, Placed, Scalar, Shape, field};
use crate::read::values::{label, parsed, relative_path};
use crate::read::web::file_path;
use crate::{
    Cluster, ClusterName, ClusterReach, ImageReference, KubernetesTraffic, KubernetesWorkload, Manifests,
    Namespace, RelativePath, WorkloadKind,
};

/// What is written about the cluster of an environment.
pub(crate) struct KubernetesDraft {
    pub cluster: Option<Spanned<ClusterName>>,
    pub reach: ClusterReach,
    pub namespace: Spanned<Namespace>,
    pub traffic: KubernetesTraffic,
    pub service_account: Option<String>,
    pub image_pull_secrets: Vec<String>,
    pub edge_image: Option<ImageReference>,
}

pub(super) const fn kubernetes() -> Object<KubernetesDraft> {
    Object { expected: "`kubernetes`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<KubernetesDraft> {
    let cluster = field("cluster", "The cluster, by its name under `clusters`.").example("shop-eu");
    let cluster = fields.optional(cluster, &Placed(label("the name of a cluster")));
    let context = field("context", "The context of the `kubeconfig`, instead of a name of the inventory.");
    let context = fields.optional(context.example("shop-eu"), &Scalar::text("the name of a context"));
    let kubeconfig =
        field("kubeconfig", "The file that says how clusters are reached. Default: the usual one.");
    let kubeconfig = fields.optional(kubeconfig.example("deploy/kubeconfig"), &file_path());
    fields.unwanted_beside("context", "cluster");
    fields.unwanted_beside("kubeconfig", "cluster");
    let namespace = field("namespace", "The namespace, which must be there.").example("shop");
    let namespace = fields.required(namespace, &Placed(label("a namespace")));
    let about = "How users' requests come to the pods: `service` (a Service whose selector is switched), `host` (the edge of this \
                 machine), `edge` (edges in the cluster), `argo-rollouts`, or one of `gateway`, `istio`, `nginx`, `traefik` and \
                 `flagger` with its settings.";
    let traffic = fields.or(field("traffic", about), &traffic(), "service");
    let account = "The service account of the pods. Without it, they have no credential for the cluster.";
    let account = fields.optional(field("service_account", account), &object_name());
    let pull = fields.optional(
        field("image_pull_secrets", "The Secrets by which images are pulled."),
        &ListOf { item: object_name(), at_least: 0, expected: "a list of names", example: "[registry]" },
    );
    let image =
        "The image of Pilotage itself, for edges in the cluster. Default: what `PILOTAGE_IMAGE` says.";
    let image = fields.optional(
        field("edge_image", image).example("registry.example.com/pilotage:0.1.0"),
        &parsed("the name of an image", serde_json::json!({ "type": "string", "maxLength": 512 })),
    );
    let reach = match (context, kubeconfig) {
        (None, None) => ClusterReach::Usual,
        (context, file) => ClusterReach::Kubeconfig { file, context },
    };
    Some(KubernetesDraft {
        cluster,
        reach,
        namespace: namespace?,
        traffic: traffic?,
        service_account: account,
        image_pull_secrets: pull.unwrap_or_default(),
        edge_image: image,
    })
}

/// The name of an object, which may hold dots.
fn object_name() -> Scalar<String> {
    parsed::<crate::KubernetesName>(
        "the name of an object",
        serde_json::json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253 }),
    )
    .map(|name| name.as_str().to_owned())
}

fn traffic() -> impl Shape<Value = KubernetesTraffic> {
    Either {
        short: Scalar::word("a way of traffic", &Simple::WORDS).map(Simple::traffic),
        long: Object { expected: "`traffic`", fields: traffic_with_settings },
    }
}

/// Ways that need no settings.
#[derive(Clone, Copy)]
enum Simple {
    Service,
    Host,
    Edge,
    ArgoRollouts,
}

impl Simple {
    const WORDS: [(&'static str, Self); 4] = [
        ("service", Self::Service),
        ("host", Self::Host),
        ("edge", Self::Edge),
        ("argo-rollouts", Self::ArgoRollouts),
    ];

    fn traffic(self) -> KubernetesTraffic {
        match self {
            Self::Service => KubernetesTraffic::Service,
            Self::Host => KubernetesTraffic::Host,
            Self::Edge => KubernetesTraffic::Edge,
            Self::ArgoRollouts => KubernetesTraffic::ArgoRollouts,
        }
    }
}

fn traffic_with_settings(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    fields.exactly_one(&["gateway", "istio", "nginx", "traefik", "flagger"]);
    let gateway = field("gateway", "An HTTPRoute of the Gateway API.");
    let gateway = fields.optional(gateway, &Object { expected: "`gateway`", fields: gateway_fields });
    let istio = field("istio", "A VirtualService of Istio.");
    let istio = fields.optional(istio, &Object { expected: "`istio`", fields: istio_fields });
    let nginx = field("nginx", "Ingresses with the canary annotations of ingress-nginx.");
    let nginx = fields.optional(nginx, &Object { expected: "`nginx`", fields: nginx_fields });
    let traefik = field("traefik", "A TraefikService and an IngressRoute.");
    let traefik = fields.optional(traefik, &Object { expected: "`traefik`", fields: traefik_fields });
    let flagger = field("flagger", "A Canary, which Flagger carries out.");
    let flagger = fields.optional(flagger, &Object { expected: "`flagger`", fields: flagger_fields });
    gateway.or(istio).or(nginx).or(traefik).or(flagger)
}

fn gateway_fields(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    let parent = field("parent", "The Gateway that the route is attached to.").example("public");
    let parent = fields.required(parent, &object_name());
    let namespace = field("namespace", "The Gateway's namespace. Default: the target's.").example("gateways");
    let namespace = fields.optional(namespace, &label("a namespace"));
    Some(KubernetesTraffic::Gateway { parent: parent?, namespace })
}

fn istio_fields(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    let gateways = fields.optional(
        field("gateways", "Its gateways, `name` or `namespace/name`. Without any, the mesh alone."),
        &ListOf {
            item: Scalar::text("a gateway"),
            at_least: 0,
            expected: "a list of gateways",
            example: "[istio-system/public]",
        },
    );
    Some(KubernetesTraffic::Istio { gateways: gateways.unwrap_or_default() })
}

fn nginx_fields(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    let class = fields.or(field("class", "The ingress class."), &object_name(), "nginx");
    Some(KubernetesTraffic::Nginx { class: class? })
}

fn traefik_fields(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    let entry_points = fields.or(
        field("entry_points", "The entry points."),
        &ListOf {
            item: label::<Namespace>("an entry point").map(|name| name.as_str().to_owned()),
            at_least: 1,
            expected: "a list of entry points",
            example: "[web]",
        },
        "[web]",
    );
    Some(KubernetesTraffic::Traefik { entry_points: entry_points? })
}

fn flagger_fields(fields: &mut Fields<'_>) -> Option<KubernetesTraffic> {
    let provider =
        "Flagger's provider, such as `kubernetes`, `istio`, `nginx`, `traefik` or `gatewayapi:v1`.";
    let provider = fields.or(field("provider", provider), &Scalar::text("a provider"), "kubernetes");
    Some(KubernetesTraffic::Flagger { provider: provider? })
}

/// The shape of `clusters`.
pub(in crate::read::file) fn clusters() -> impl Shape<Value = Named<ClusterName, Cluster>> {
    MapOf {
        key: label("the name of a cluster"),
        value: Object { expected: "a cluster", fields: cluster },
        expected: "a mapping of clusters by name",
        at_least: 0,
    }
}

fn cluster(fields: &mut Fields<'_>) -> Option<Cluster> {
    let inside = "Whether it is the cluster in which the control plane itself runs.";
    let inside = fields.or(field("in_cluster", inside), &Scalar::truth(), "false")?;
    let kubeconfig = field("kubeconfig", "The file that says how it is reached. Default: the usual one.");
    let file = fields.optional(kubeconfig.example("deploy/kubeconfig"), &file_path());
    let context = field("context", "Its context there. Default: the file's current one.").example("shop-eu");
    let context = fields.optional(context, &Scalar::text("the name of a context"));
    let namespaces = fields.required(
        field("namespaces", "The namespaces that environments may use.").example("[shop]"),
        &ListOf {
            item: label("a namespace"),
            at_least: 1,
            expected: "a list of namespaces",
            example: "[shop]",
        },
    );
    let region = "Where it stands: clusters of one region may fail together.";
    let region = fields.optional(field("region", region).example("eu-west"), &Scalar::text("a region"));
    let reach = match inside {
        true => ClusterReach::InCluster,
        false => ClusterReach::Kubeconfig { file, context },
    };
    Some(Cluster { reach, namespaces: namespaces?, region })
}

/// The shape of `kubernetes` of a service.
pub(in crate::read::file) const fn workload() -> Object<KubernetesWorkload> {
    Object { expected: "`kubernetes`", fields: workload_fields }
}

fn workload_fields(fields: &mut Fields<'_>) -> Option<KubernetesWorkload> {
    let plain = fields.optional(
        field("manifests", "Files of YAML that its objects are made of."),
        &ListOf {
            item: relative_path(),
            at_least: 1,
            expected: "a list of files",
            example: "[k8s/api.yaml]",
        },
    );
    let folder =
        field("kustomize", "A folder with a `kustomization.yaml`.").example("k8s/overlays/production");
    let folder = fields.optional(folder, &relative_path());
    let chart =
        fields.optional(field("helm", "A chart of Helm."), &Object { expected: "`helm`", fields: helm });
    fields.unwanted_beside("kustomize", "manifests");
    fields.unwanted_beside("helm", "manifests");
    fields.unwanted_beside("helm", "kustomize");
    let kind = field("kind", "The kind of object that is generated: `deployment` or `stateful-set`.");
    let kind = fields.or(kind, &Scalar::word("a kind of workload", &WorkloadKind::WORDS), "deployment");
    let adopt =
        "A Deployment that runs already and becomes the stable version, without a restart of its pods.";
    let adopt = fields.optional(field("adopt", adopt).example("api"), &object_name());
    let manifests = plain.map(Manifests::Plain).or(folder.map(Manifests::Kustomize)).or(chart);
    Some(KubernetesWorkload { manifests, kind: kind?, adopt })
}

fn helm(fields: &mut Fields<'_>) -> Option<Manifests> {
    let chart =
        fields.required(field("chart", "The chart's folder.").example("charts/api"), &relative_path());
    let values: Option<Vec<RelativePath>> = fields.optional(
        field("values", "Files of values; the later ones win."),
        &ListOf { item: relative_path(), at_least: 0, expected: "a list of files", example: "[values.yaml]" },
    );
    let release = field("release", "The name of the release. Default: the service's.").example("api");
    let release = fields.optional(release, &object_name());
    Some(Manifests::Helm { chart: chart?, values: values.unwrap_or_default(), release })
}
