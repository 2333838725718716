//! The Kubernetes rig: real pods answer from the machine, rights are checked, and custom resources are taken.

use pilotage_testing::rig::kube::{LIMITED, PILOTAGE};
use pilotage_testing::rig::{SAMPLE_PORT, get};
use pilotage_testing::{need_definitions, need_kube};
use serde_json::json;

use crate::support::{Namespace, eventually};

#[test]
fn a_pod_gets_ready_and_answers_at_its_address_and_at_its_service() {
    let Some(kube) = need_kube("kubernetes rig") else { return };
    let image = kube.docker().unwrap().sample_image("3.1.0").unwrap();
    let namespace = Namespace::new(&kube, "answers");
    namespace.deploy("web", &image, &[]);
    namespace.wait_ready("web");
    let (status, answer) = get(&namespace.pod_address("web"), "/").unwrap();
    assert_eq!(status, 200);
    assert!(answer.contains("3.1.0"), "{answer}");
    namespace.apply(&json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": SAMPLE_PORT}]},
    }));
    let address = namespace.kubectl(&["get", "service", "web", "--output", "jsonpath={.spec.clusterIP}"]);
    eventually("the Service's address answers", || {
        get(&format!("{address}:80"), "/").is_ok_and(|(status, _)| status == 200)
    });
    assert!(namespace.kubectl(&["logs", "deployment/web"]).contains("sample service listening"));
}

#[test]
fn a_pod_whose_probe_fails_is_not_ready() {
    let Some(kube) = need_kube("kubernetes rig") else { return };
    let image = kube.docker().unwrap().sample_image("3.1.0").unwrap();
    let namespace = Namespace::new(&kube, "unready");
    namespace.deploy("web", &image, &["--ready-after-ms", "3600000"]);
    eventually("the probe fails", || {
        namespace.kubectl(&["get", "events"]).contains("Readiness probe failed")
    });
    let path = "jsonpath={.status.readyReplicas}";
    assert_eq!(namespace.kubectl(&["get", "deployment", "web", "--output", path]), "");
}

#[test]
fn the_published_custom_resources_are_taken() {
    let Some(kube) = need_kube("kubernetes rig") else { return };
    let Some(folder) = need_definitions("kubernetes rig") else { return };
    let names = kube.install_definitions(&folder).unwrap();
    assert!(names.iter().any(|name| name == "httproutes.gateway.networking.k8s.io"), "{names:?}");
    let namespace = Namespace::new(&kube, "resources");
    namespace.apply(&json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": {"rules": [{"backendRefs": [{"name": "a", "port": 80, "weight": 9}, {"name": "b", "port": 80, "weight": 1}]}]},
    }));
    let weights = "jsonpath={.spec.rules[0].backendRefs[*].weight}";
    assert_eq!(namespace.kubectl(&["get", "httproute", "web", "--output", weights]), "9 1");
}

#[test]
fn users_may_do_what_their_roles_say() {
    let Some(kube) = need_kube("kubernetes rig") else { return };
    let namespace = Namespace::new(&kube, "rights");
    let may_list = |user: &str| {
        let mut client = namespace.kube.client();
        client.arg("--kubeconfig").arg(kube.kubeconfig_of(user).unwrap());
        client.args(["--namespace", &namespace.name, "get", "pods"]).output().unwrap().status.success()
    };
    assert!(!may_list(LIMITED) && !may_list(PILOTAGE), "nothing is given up front");
    namespace.kubectl(&["create", "rolebinding", "views", "--clusterrole", "view", "--user", PILOTAGE]);
    eventually("the role is in force", || may_list(PILOTAGE));
    assert!(!may_list(LIMITED), "a role is its holder's alone");
}

#[test]
fn pods_have_a_service_account_and_reach_the_api_server() {
    let Some(kube) = need_kube("kubernetes rig") else { return };
    let namespace = Namespace::new(&kube, "account");
    let get_token = "jsonpath={.data.token}";
    let secret = || namespace.kubectl(&["get", "secrets", "--output", "jsonpath={.items[*].type}"]);
    eventually("the namespace's account has a token", || {
        secret().contains("kubernetes.io/service-account-token")
    });
    let name = namespace.kubectl(&["get", "secrets", "--output", "jsonpath={.items[0].metadata.name}"]);
    assert!(!namespace.kubectl(&["get", "secret", &name, "--output", get_token]).is_empty());
    namespace.apply(&json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "caller"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "caller",
                "image": "pause:1",
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/busybox", "sh", "-c",
                    "test -s /var/run/secrets/kubernetes.io/serviceaccount/token \
                     && /bin/busybox nc -w 10 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null"],
            }],
        },
    }));
    let phase = || namespace.kubectl(&["get", "pod", "caller", "--output", "jsonpath={.status.phase}"]);
    eventually("the pod is done", || matches!(phase().as_str(), "Succeeded" | "Failed"));
    assert_eq!(phase(), "Succeeded");
}
