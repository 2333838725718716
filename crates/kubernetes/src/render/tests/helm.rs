//! Helm is not among Debian's packages. Where it is installed, a test renders a real chart; a stand-in that only records its
//! arguments shows everywhere what it is asked to do.

use std::fs;

use pilotage_spec::Manifests;
use pilotage_testing::{Part, want};

use super::Project;
use super::folder::{DEPLOYMENT, names, program, relative};
use crate::render::Programs;

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec: { containers: [{ name: api, image: old }] }
";

const HOOK: &str = "\
apiVersion: batch/v1
kind: Job
metadata: { name: migrate, annotations: { helm.sh/hook: pre-upgrade } }
";

const TEST: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: probe, annotations: { helm.sh/hook: test } }
";

fn chart() -> Manifests {
    Manifests::Helm {
        chart: relative("charts/api"),
        values: vec![relative("values.yaml"), relative("prod/values.yaml")],
        release: None,
    }
}

fn project() -> Project {
    Project::new(&[
        ("charts/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n"),
        ("charts/api/templates/deployment.yaml", TEMPLATE),
        ("charts/api/templates/job.yaml", HOOK),
        ("charts/api/templates/test.yaml", TEST),
        ("values.yaml", "replicas: 1\n"),
        ("prod/values.yaml", "replicas: 3\n"),
    ])
}

#[tokio::test]
async fn a_chart_is_rendered_by_helm() {
    let Some(helm) = want("helm", Part::Helm) else { return };
    let mut project = project();
    project.programs.helm = Some(helm);
    let rendered = project.render(&chart()).await.unwrap();
    assert_eq!(names(&rendered.objects), ["Deployment api"]);
    assert_eq!(rendered.objects[0]["spec"]["replicas"], 3);
}

#[tokio::test]
async fn helm_is_asked_for_a_template_with_the_values_in_their_order() {
    let mut project = project();
    let asked = project.path("asked");
    let script = format!(
        "if [ $1 = version ]; then echo v3.0.0; exit; fi\nfor word in \"$@\"; do echo \"$word\"; done > {}\n\
         /bin/cat <<END\n{DEPLOYMENT}---\n{HOOK}---\n{TEST}END",
        asked.display()
    );
    let stand_in = program(&project.path("bin/helm"), &script);
    project.programs = Programs { helm: Some(stand_in), ..Programs::default() };
    let rendered = project.render(&chart()).await.unwrap();
    let asked = fs::read_to_string(asked).unwrap();
    let input = asked.lines().nth(2).and_then(|path| path.strip_suffix("/charts/api")).unwrap();
    assert!(input.contains("/work-"), "a copy of the chart, and not the chart: {input}");
    assert_eq!(
        asked.replace(input, "INPUT").lines().collect::<Vec<_>>(),
        [
            "template",
            "api",
            "INPUT/charts/api",
            "--namespace",
            "shop",
            "--values",
            "INPUT/values.yaml",
            "--values",
            "INPUT/prod/values.yaml",
            "--kube-version",
            "1.33.2",
        ]
    );
    assert_eq!(names(&rendered.objects), ["Deployment api"]);
    let hook = rendered.warnings.iter().find(|warning| warning.contains("hook")).unwrap();
    assert!(hook.contains("Job migrate is a hook of Helm (pre-upgrade) and is not run"), "{hook}");
    assert!(
        !rendered.warnings.iter().any(|warning| warning.contains("probe")),
        "tests of charts are left out"
    );
}

#[tokio::test]
async fn a_release_cannot_be_an_option_and_a_failure_is_told() {
    let mut project = project();
    let stand_in = program(
        &project.path("bin/helm"),
        "[ $1 = version ] || { echo 'Error: no such value' >&2; exit 1; }",
    );
    project.programs = Programs { helm: Some(stand_in), ..Programs::default() };
    let named = |release: &str| Manifests::Helm {
        chart: relative("charts/api"),
        values: Vec::new(),
        release: Some(release.to_owned()),
    };
    for release in ["--post-renderer", "", "A", "a b", &"a".repeat(54)] {
        assert!(project.fault(&named(release)).await.contains("the release's name"), "{release}");
    }
    let fault = project.fault(&chart()).await;
    assert_eq!(fault, "charts/api: `helm` has ended with exit status: 1: Error: no such value");
}
