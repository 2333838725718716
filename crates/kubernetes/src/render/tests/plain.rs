use std::fs;
use std::os::unix::fs::symlink;

use pilotage_spec::Digest;

use super::Project;
use super::folder::{DEPLOYMENT, names, plain};

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata: { name: api }\nspec: { selector: { app: api } }\n";

#[tokio::test]
async fn objects_of_several_files_and_lists_are_taken_in_their_order() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- { apiVersion: v1, kind: ConfigMap, metadata: { name: one } }\n\
                - { apiVersion: v1, kind: ConfigMapList, items: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: two } }] }\n";
    let project =
        Project::new(&[("k8s/a.yaml", DEPLOYMENT), ("k8s/b.yaml", &format!("{SERVICE}---\n{list}"))]);
    let rendered = project.render(&plain(&["k8s/b.yaml", "k8s/a.yaml"])).await.unwrap();
    assert_eq!(names(&rendered.objects), ["Service api", "ConfigMap one", "ConfigMap two", "Deployment api"]);
    assert_eq!(rendered.warnings, [""; 0]);
}

#[tokio::test]
async fn the_digest_is_that_of_the_objects_and_not_of_how_they_are_written() {
    let project = Project::new(&[("a.yaml", DEPLOYMENT)]);
    let first = project.render(&plain(&["a.yaml"])).await.unwrap();
    project.write("a.yaml", &format!("# a comment\n---\n{DEPLOYMENT}"));
    let second = project.render(&plain(&["a.yaml"])).await.unwrap();
    assert_eq!(first, second);
    project.write("a.yaml", &DEPLOYMENT.replace("old", "new"));
    let third = project.render(&plain(&["a.yaml"])).await.unwrap();
    assert_ne!(first.digest, third.digest);
    // Both are still there, also for a renderer that has seen neither, and without the files.
    fs::remove_dir_all(project.root()).unwrap();
    fs::create_dir(project.root()).unwrap();
    assert_eq!(project.renderer().load(&first.digest).await.unwrap(), first.objects);
    assert_eq!(project.renderer().load(&third.digest).await.unwrap(), third.objects);
}

#[tokio::test]
async fn kept_objects_that_were_changed_or_are_gone_are_not_used() {
    let project = Project::new(&[("a.yaml", DEPLOYMENT)]);
    let rendered = project.render(&plain(&["a.yaml"])).await.unwrap();
    let [kept] = project.kept().try_into().unwrap();
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace("old", "bad")).unwrap();
    let error = project.renderer().load(&rendered.digest).await.unwrap_err().to_string();
    assert!(error.contains("not what was kept; remove the file"), "{error}");
    // What can be rendered again is.
    assert_eq!(project.render(&plain(&["a.yaml"])).await.unwrap(), rendered);
    assert_eq!(project.renderer().load(&rendered.digest).await.unwrap(), rendered.objects);
    let other = Digest::from_bytes([7; 32]);
    let error = project.renderer().load(&other).await.unwrap_err().to_string();
    assert!(error.contains("they are gone; deploy the version anew"), "{error}");
}

#[tokio::test]
async fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new(&[("a.yaml", DEPLOYMENT)]);
    project.render(&plain(&["a.yaml"])).await.unwrap();
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(project.path("state/renders")), 0);
    assert!(project.kept().into_iter().all(|file| mode(file) == 0));
}

#[tokio::test]
async fn paths_do_not_lead_out_of_the_project() {
    let project = Project::new(&[("a.yaml", DEPLOYMENT)]);
    fs::write(project.path("outside.yaml"), DEPLOYMENT).unwrap();
    symlink(project.path("outside.yaml"), project.root().join("link.yaml")).unwrap();
    symlink("a.yaml", project.root().join("inside.yaml")).unwrap();
    fs::create_dir(project.root().join("folder")).unwrap();
    let fault = project.fault(&plain(&["link.yaml"])).await;
    assert!(fault.starts_with("link.yaml: leads out of the project's folder by a link"), "{fault}");
    assert!(project.fault(&plain(&["folder"])).await.contains("is no plain file"));
    assert!(project.fault(&plain(&["none.yaml"])).await.starts_with("none.yaml: cannot be read"));
    project.render(&plain(&["inside.yaml"])).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_applied_is_refused_with_its_place() {
    let twice = format!("{DEPLOYMENT}---\n{SERVICE}---\n{SERVICE}");
    let two = format!(
        "{}---\n{}",
        DEPLOYMENT.replace("name: api", "name: one"),
        DEPLOYMENT.replace("name: api", "name: two")
    );
    let cases = [
        ("", "hold no Deployment or StatefulSet"),
        (SERVICE, "hold no Deployment or StatefulSet"),
        (two.as_str(), "several workloads (Deployment one, Deployment two)"),
        (
            twice.as_str(),
            "document 3, line 16: Service api is there twice, first at a.yaml, document 2, line 11",
        ),
        ("- 1\n", "a.yaml, document 1, line 1: this is no object of Kubernetes"),
        ("kind: ConfigMap\n", "`apiVersion` is missing"),
        ("apiVersion: v1\nkind: [x]\n", "`kind` is missing"),
        ("apiVersion: v1\nkind: ConfigMap\n", "`metadata.name` is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: { generateName: x- }\n", "a new object each time"),
        ("apiVersion: v1\nkind: Pod\nmetadata: { name: ../x }\n", "is no name of an object"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: { name: x, labels: { on: yes } }\n",
            "put numbers, `yes` and `true` in quotes",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: { name: x, namespace: kube-system }\n",
            "for the namespace `kube-system`, and the target's is `shop`",
        ),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n",
            "Namespace shop belongs to the whole cluster",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: x }\n",
            "belongs to the whole cluster",
        ),
        ("apiVersion: v1\nkind: List\nitems: { a: b }\n", "`metadata.name` is missing"),
        ("apiVersion: v1\nkind: ConfigMap\nkind: Pod\n", "line 3: `kind` is written twice"),
    ];
    for (text, expected) in cases {
        let project = Project::new(&[("a.yaml", text)]);
        let fault = project.fault(&plain(&["a.yaml"])).await;
        assert!(fault.contains(expected), "{text}: {fault}");
        assert_eq!(project.kept().len(), 0, "nothing that was refused is kept");
    }
}

#[tokio::test]
async fn of_several_workloads_the_one_with_the_name_of_the_service_is_taken() {
    let worker = DEPLOYMENT.replace("name: api", "name: worker");
    let project = Project::new(&[("a.yaml", &format!("{worker}---\n{DEPLOYMENT}"))]);
    assert_eq!(project.render(&plain(&["a.yaml"])).await.unwrap().objects.len(), 2);
}

#[tokio::test]
async fn secrets_in_plain_text_and_services_beside_the_shares_are_worth_a_word() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { a: hunter2 }\n";
    let empty = "apiVersion: v1\nkind: Secret\nmetadata: { name: made-elsewhere }\n";
    let beside = SERVICE.replace("name: api", "name: api-internal");
    let headless = "apiVersion: v1\nkind: Service\nmetadata: { name: peers }\nspec: { clusterIP: None, selector: { app: api } }\n";
    let text = [DEPLOYMENT, SERVICE, secret, empty, &beside, headless].join("---\n");
    let project = Project::new(&[("a.yaml", &text)]);
    let rendered = project.render(&plain(&["a.yaml"])).await.unwrap();
    let [plain_text, bypass] = rendered.warnings.as_slice() else { panic!("{:?}", rendered.warnings) };
    assert!(
        plain_text.contains("document 3") && plain_text.contains("Secret keys holds its values"),
        "{plain_text}"
    );
    assert!(!plain_text.contains("hunter2"));
    assert!(bypass.starts_with("Service api-internal reaches the pods of every version"), "{bypass}");
    // Known from before, and said again.
    assert_eq!(project.render(&plain(&["a.yaml"])).await.unwrap(), rendered);
}

#[tokio::test]
async fn too_many_objects_and_too_long_files_are_refused() {
    let one = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n---\n";
    let project =
        Project::new(&[("many.yaml", &one.repeat(5_001)), ("long.yaml", &" ".repeat((16 << 20) + 1))]);
    assert!(project.fault(&plain(&["many.yaml"])).await.contains("more than 5000 objects"));
    assert!(project.fault(&plain(&["long.yaml"])).await.contains("has more than"));
}
