//! `pilotage kubernetes rollout`: the objects of a strategy for a controller that a team stays on.

use pilotage_kubernetes::{CanaryRequest, HandedOver, RolloutRequest, WorkloadReference, manifests};
use pilotage_server::read_project;
use pilotage_spec::{KubernetesTraffic, TargetSettings, Version, Workload};
use serde_json::json;

use crate::arguments::{Global, RolloutObjects};
use crate::failure::{DONE, Failure};
use crate::place::{environment, project_file};
use crate::printer::Printer;

/// Prints what `kubectl apply` is to be given, and what of the strategy it does not hold as comments.
pub fn run(asked: &RolloutObjects, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let handed = objects(asked, global)?;
    if printer.json() {
        printer.object(&json!({ "objects": handed.objects, "left": handed.left }));
        return Ok(DONE);
    }
    for left in &handed.left {
        // A comment ends with its line.
        printer.line(format!("# stays with Pilotage: {}", left.replace(char::is_control, " ")));
    }
    printer.line(manifests(&handed.objects).trim_end());
    Ok(DONE)
}

fn objects(asked: &RolloutObjects, global: &Global) -> Result<HandedOver, Failure> {
    let project = read_project(&project_file(global)?)?;
    let (service_name, service) = project.service(&asked.service)?;
    let (environment_name, environment) = environment(&project, asked.env.as_deref())?;
    let strategy = asked.strategy.as_deref().unwrap_or(environment.strategy.as_str());
    let (_, strategy) = project.strategy(strategy)?;
    let version = asked.version.as_deref().map(str::parse::<Version>).transpose()?;
    let TargetSettings::Kubernetes(settings) = &environment.target else {
        return Err(no_controller(environment_name.as_str(), environment.target.kind()));
    };
    let workload = Workload { environment: environment_name.clone(), service: service_name.clone() };
    let deployment = asked.deployment.as_deref().unwrap_or(service_name.as_str());
    let namespace = settings.namespace.to_string();
    let prometheus = environment.prometheus.as_ref();
    let handed = match &settings.traffic {
        KubernetesTraffic::ArgoRollouts => {
            let request = RolloutRequest {
                project: &project.name,
                workload: &workload,
                namespace: &namespace,
                version: version.as_ref(),
                strategy,
                replicas: project.replicas(environment_name, service_name).unwrap_or(service.replicas),
                pods: WorkloadReference {
                    deployment: deployment.to_owned(),
                    // One that the pods of the versions' own Deployments do not have.
                    selector: [("app".to_owned(), deployment.to_owned())].into(),
                },
                prometheus,
            };
            request.objects()
        }
        KubernetesTraffic::Flagger { provider } => {
            let request = CanaryRequest {
                project: &project.name,
                workload: &workload,
                namespace: &namespace,
                version: version.as_ref(),
                strategy,
                provider,
                deployment,
                container_port: service.container_port,
                prometheus,
            };
            request.objects()
        }
        other => return Err(no_controller(environment_name.as_str(), other.name())),
    };
    handed.map_err(|error| Failure::failed(error.to_string()))
}

fn no_controller(environment: &str, what: &str) -> Failure {
    Failure::usage(format!("{environment} leaves rollouts to no controller (`{what}`)"))
        .hint("this is for Kubernetes targets with `traffic: argo-rollouts` or `traffic: { flagger: … }`")
}
