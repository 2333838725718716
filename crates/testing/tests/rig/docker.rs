//! The Docker rig: containers answer at their addresses, and come from a real registry.

use pilotage_testing::need_docker;
use pilotage_testing::rig::{Image, PrivateRegistry};

use crate::support::{Container, eventually, said};

#[test]
fn a_container_of_a_pulled_image_answers_at_its_address() {
    let Some(docker) = need_docker("docker rig") else { return };
    let image = docker.sample_image("1.4.0").unwrap();
    assert!(image.starts_with(&format!("{}/sample@sha256:", docker.registry())), "{image}");
    let container = Container::run(&docker, &image, &[]);
    eventually("the container answers", || container.answers("/").is_some());
    let (status, answer) = container.answers("/").unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("1.4.0"), "it says its version: {answer}");
}

#[test]
fn versions_differ_in_their_digests_and_one_version_does_not() {
    let Some(docker) = need_docker("docker rig") else { return };
    let [one, two, again] = ["2.0.0", "2.0.1", "2.0.0"].map(|version| docker.sample_image(version).unwrap());
    assert_ne!(one, two);
    assert_eq!(one, again);
}

#[test]
fn faults_are_arguments_of_the_container() {
    let Some(docker) = need_docker("docker rig") else { return };
    let image = docker.sample_image("1.4.0").unwrap();
    let unready = Container::run(&docker, &image, &["--ready-after-ms", "3600000"]);
    eventually("it says that it is not ready", || {
        unready.answers("/ready").is_some_and(|(status, _)| status == 503)
    });
    let crashing = Container::run(&docker, &image, &["--crash-after-ms", "1"]);
    let state = || said(docker.client().args(["inspect", "--format", "{{.State.ExitCode}}", &crashing.id]));
    eventually("it ends with an error", || state().trim() != "0");
}

#[test]
fn a_program_of_ones_own_is_made_into_an_image() {
    let Some(docker) = need_docker("docker rig") else { return };
    let folder = tempfile::tempdir().unwrap();
    let greeting = folder.path().join("greeting");
    std::fs::write(&greeting, "good morning\n").unwrap();
    let image = docker
        .push_image(&Image {
            name: "greeter",
            version: "1",
            program: "/bin/cat".as_ref(),
            entrypoint: &["/bin/cat"],
            environment: &[("LANG", "C")],
            files: &[(&greeting, "/etc/greeting")],
        })
        .unwrap();
    assert_eq!(said(docker.client().args(["run", "--rm", &image, "/etc/greeting"])), "good morning\n");
}

#[test]
fn a_private_registry_lets_in_who_says_who_he_is() {
    let Some(docker) = need_docker("docker rig") else { return };
    let private = PrivateRegistry::start().unwrap();
    let image = docker.sample_image("1.5.0").unwrap();
    let inside = private.take(&docker, &image, "shop/sample").unwrap();
    let stranger = docker.client().args(["pull", &inside]).output().unwrap();
    let refusal = String::from_utf8_lossy(&stranger.stderr).into_owned();
    assert!(refusal.contains("no basic auth credentials"), "{refusal}");
    said(private.client(&docker).args(["pull", "--quiet", &inside]));
    let digest = |name: &str| name.rsplit_once('@').map(|(_, digest)| digest.to_owned());
    assert_eq!(digest(&inside), digest(&image), "it is the same image");
}
