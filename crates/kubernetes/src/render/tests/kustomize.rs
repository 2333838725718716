use std::fs;
use std::os::unix::fs::symlink;

use pilotage_spec::Manifests;
use pilotage_testing::{Part, need};

use super::Project;
use super::folder::{DEPLOYMENT, names, program, relative};
use crate::render::Programs;

fn overlay() -> Manifests {
    Manifests::Kustomize(relative("k8s/overlays/prod"))
}

/// A base and an overlay of it.
fn project(overlay: &str) -> Project {
    Project::new(&[
        ("k8s/base/deployment.yaml", DEPLOYMENT),
        ("k8s/base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("k8s/overlays/prod/kustomization.yaml", overlay),
        ("k8s/overlays/prod/app.conf", "level=info\n"),
    ])
}

/// As old versions of Kustomize understand it too.
const OVERLAY: &str = "bases: [../../base]\nconfigMapGenerator: [{ name: settings, files: [app.conf] }]\n\
                       commonAnnotations: { team: shop }\n";

#[tokio::test]
async fn an_overlay_is_rendered_by_kubectl_with_its_base() {
    let Some(kubectl) = need("kustomize", Part::Kubectl) else { return };
    let mut project = project(OVERLAY);
    project.programs =
        Programs { kubectl: Some(kubectl), unshare: project.programs.unshare.clone(), ..Programs::default() };
    let rendered = project.render(&overlay()).await.unwrap();
    let [settings, deployment] = names(&rendered.objects).try_into().unwrap();
    assert!(settings.starts_with("ConfigMap settings-") && deployment == "Deployment api", "{settings}");
    assert_eq!(rendered.objects[1]["metadata"]["annotations"]["team"], "shop");

    project.write("k8s/overlays/prod/app.conf", "level=debug\n");
    let changed = project.render(&overlay()).await.unwrap();
    assert_ne!(changed.digest, rendered.digest, "a file that is only named is an input too");

    // The same load restrictor as on a command line: files lie in or below the folder that names them.
    project.write("k8s/secret.conf", "x");
    project.write(
        "k8s/overlays/prod/kustomization.yaml",
        "bases: [../../base]\nconfigMapGenerator: [{ name: settings, files: [../../secret.conf] }]\n",
    );
    let fault = project.fault(&overlay()).await;
    assert!(fault.starts_with("k8s/overlays/prod: `kubectl` has ended with exit status: 1"), "{fault}");
    assert!(!fault.contains("/work-"), "the temporary folder is nobody's business: {fault}");
}

#[tokio::test]
async fn what_was_rendered_is_not_rendered_again_and_another_version_of_the_program_is() {
    let mut project = project(OVERLAY);
    let runs = project.path("runs");
    let script = |version: &str, image: &str| {
        format!(
            "if [ $1 = version ]; then echo {version}; exit; fi\necho run >> {}\n/bin/cat <<END\n{}END",
            runs.display(),
            DEPLOYMENT.replace("old", image)
        )
    };
    let kustomize = program(&project.path("bin/kustomize"), &script("v5.0.0", "first"));
    project.programs = Programs { kustomize: Some(kustomize.clone()), ..Programs::default() };
    let first = project.render(&overlay()).await.unwrap();
    assert_eq!(project.render(&overlay()).await.unwrap(), first);
    assert_eq!(fs::read_to_string(&runs).unwrap(), "run\n");
    assert!(first.warnings[0].contains("was not kept from the network"), "{:?}", first.warnings);

    program(&kustomize, &script("v5.10.0", "second"));
    let second = project.render(&overlay()).await.unwrap();
    assert_ne!(first.digest, second.digest);
    assert_eq!(fs::read_to_string(&runs).unwrap(), "run\nrun\n");
}

#[tokio::test]
async fn a_program_has_neither_network_nor_credentials_nor_the_real_files() {
    let mut project = project(OVERLAY);
    let Some(unshare) = project.programs.unshare.clone() else { return };
    let seen = project.path("seen");
    // What a program could get at; each line of /proc/net/dev beyond two is an interface.
    let script = format!(
        "/usr/bin/env > {seen}; pwd >> {seen}; while read line; do echo \"net $line\"; done < /proc/net/dev >> {seen}\n\
         echo spoilt > k8s/base/deployment.yaml; /bin/cat <<END\n{DEPLOYMENT}END",
        seen = seen.display()
    );
    let kustomize = program(&project.path("bin/kustomize"), &script);
    project.programs = Programs { kustomize: Some(kustomize), unshare: Some(unshare), ..Programs::default() };
    let rendered = project.render(&overlay()).await.unwrap();
    let seen = fs::read_to_string(seen).unwrap();
    let state = project.path("state/renders");
    assert!(seen.contains(&format!("HOME={}/work-", state.display())), "{seen}");
    assert!(!seen.contains("KUBECONFIG=") && !seen.contains("CARGO"), "{seen}");
    if rendered.warnings.is_empty() {
        let interfaces: Vec<&str> =
            seen.lines().filter(|line| line.starts_with("net ") && line.contains(':')).collect();
        assert!(interfaces.iter().all(|line| line.starts_with("net lo:")), "{interfaces:?}");
    }
    assert_eq!(fs::read_to_string(project.root().join("k8s/base/deployment.yaml")).unwrap(), DEPLOYMENT);
    let left = fs::read_dir(state)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("work-"));
    assert_eq!(left.count(), 0, "sandboxes go away");
}

#[tokio::test]
async fn what_lies_elsewhere_is_refused_before_any_program_is_run() {
    let mut project = project(OVERLAY);
    let runs = project.path("runs");
    let kustomize = program(&project.path("bin/kustomize"), &format!("echo run >> {}", runs.display()));
    project.programs = Programs { kustomize: Some(kustomize), ..Programs::default() };
    fs::create_dir(project.path("outside")).unwrap();
    symlink(project.path("outside"), project.root().join("k8s/link")).unwrap();
    let cases = [
        ("https://example.com/base", "lies on the network, and nothing is fetched"),
        ("git@example.com:team/base", "lies on the network"),
        ("ssh://git@example.com/base", "lies on the network"),
        ("example.com/team/base?ref=v1", "lies on the network"),
        ("github.com/team/base", "is neither a file nor a folder of the project"),
        ("../../../../outside", "leads out of the project's folder"),
        ("/etc", "leads out of the project's folder"),
        ("../../link", "leads out of the project's folder by a link"),
        ("missing.yaml", "is neither a file nor a folder of the project"),
    ];
    for (resource, expected) in cases {
        for key in ["resources", "bases", "components"] {
            project.write("k8s/overlays/prod/kustomization.yaml", &format!("{key}: [\"{resource}\"]\n"));
            let fault = project.fault(&overlay()).await;
            assert!(fault.starts_with("k8s/overlays/prod/kustomization.yaml: `"), "{fault}");
            assert!(fault.contains(expected), "{resource}: {fault}");
        }
    }
    // Also behind a base.
    project.write("k8s/overlays/prod/kustomization.yaml", OVERLAY);
    project.write("k8s/base/kustomization.yaml", "resources: [\"https://example.com/base\"]\n");
    assert!(project.fault(&overlay()).await.starts_with("k8s/base/kustomization.yaml: "));
    assert!(!runs.exists());
}

#[tokio::test]
async fn folders_that_are_no_kustomization_are_refused() {
    let project = Project::new(&[
        ("k8s/a.yaml", DEPLOYMENT),
        ("two/kustomization.yaml", ""),
        ("two/Kustomization", ""),
    ]);
    symlink(".", project.root().join("two/again")).unwrap();
    let at = |path: &str| Manifests::Kustomize(relative(path));
    assert!(project.fault(&at("k8s")).await.contains("must hold exactly one of kustomization.yaml"));
    assert!(project.fault(&at("two")).await.contains("is a link to a folder"));
    fs::remove_file(project.root().join("two/again")).unwrap();
    assert!(project.fault(&at("two")).await.contains("must hold exactly one of"));
    assert!(project.fault(&at("nowhere")).await.starts_with("nowhere: cannot be read"));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let mut project = project(OVERLAY);
    project.programs = Programs::default();
    let fault = project.fault(&overlay()).await;
    assert!(
        fault.contains("`kustomize` or `kubectl` is not installed where Pilotage's server runs"),
        "{fault}"
    );
}
