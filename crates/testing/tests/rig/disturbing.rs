//! Killed parts of the rigs: what runs on them goes on, and they are whole again afterwards.

use pilotage_testing::rig::get;
use pilotage_testing::{need_docker_alone, need_kube_alone};

use crate::support::{Container, Namespace, eventually, said};

#[test]
fn containers_go_on_without_their_engine_and_are_known_to_it_again() {
    let Some(docker) = need_docker_alone("docker rig") else { return };
    let image = docker.sample_image("1.4.0").unwrap();
    let container = Container::run(&docker, &image, &[]);
    let address = container.address();
    let answers = || get(&address, "/").is_ok_and(|(status, _)| status == 200);
    eventually("the container answers", answers);
    for part in ["dockerd", "containerd"] {
        docker.kill(part).unwrap();
        assert!(answers(), "it answers while {part} is dead");
        docker.start(part).unwrap();
    }
    let running = said(docker.client().args(["ps", "--quiet", "--no-trunc"]));
    assert!(running.contains(&container.id), "the engine knows it: {running}");
    assert!(answers());
}

#[test]
fn what_a_test_kills_is_started_again_when_it_ends() {
    let Some(docker) = need_docker_alone("docker rig") else { return };
    docker.kill("registry").unwrap();
    let address = docker.registry().to_owned();
    assert!(get(&address, "/v2/").is_err());
    drop(docker);
    assert_eq!(get(&address, "/v2/").map(|(status, _)| status).ok(), Some(200));
}

#[test]
fn pods_go_on_without_the_cluster_and_it_goes_on_when_its_parts_are_back() {
    let Some(kube) = need_kube_alone("kubernetes rig") else { return };
    let image = kube.docker().unwrap().sample_image("3.1.0").unwrap();
    let namespace = Namespace::new(&kube, "disturbed");
    namespace.deploy("web", &image, &[]);
    namespace.wait_ready("web");
    let address = namespace.pod_address("web");
    for part in ["kubelet", "kube-apiserver", "etcd"] {
        kube.kill(part).unwrap();
        assert!(get(&address, "/").is_ok(), "the pod answers while {part} is dead");
        kube.start(part).unwrap();
    }
    namespace.deploy("after", &image, &[]);
    namespace.wait_ready("after");
}
