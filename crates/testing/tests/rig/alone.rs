//! API servers that belong to one test.

use pilotage_testing::need_api_server;

use crate::support::eventually;

#[test]
fn two_clusters_of_one_test_are_two_and_come_back_with_what_they_had() {
    let Some(one) = need_api_server("api servers") else { return };
    let Some(two) = need_api_server("api servers") else { return };
    let identity = "jsonpath={.metadata.uid}";
    let [first, second] = [&one, &two]
        .map(|kube| kube.kubectl(&["get", "namespace", "kube-system", "--output", identity]).unwrap());
    assert_ne!(first, second, "a cluster is known by the id of its system's namespace");
    one.kubectl(&["create", "deployment", "web", "--image", "nothing"]).unwrap();
    eventually("its controllers work", || one.kubectl(&["get", "pods"]).unwrap().contains("Pending"));
    assert!(!two.kubectl(&["get", "deployments"]).unwrap().contains("web"));
    one.kill("kube-apiserver").unwrap();
    assert!(one.kubectl(&["get", "deployments"]).is_err(), "it is gone");
    one.start("kube-apiserver").unwrap();
    assert!(one.kubectl(&["get", "deployments"]).unwrap().contains("web"));
}
