//! `pilotage kubernetes manifests`.

use pilotage_kubernetes::{EdgeInstall, ServerInstall, chart_files, edge_objects, manifests, server_objects};

use crate::arguments::Manifests;
use crate::failure::{DONE, Failure};
use crate::printer::Printer;

/// Prints what `kubectl apply` is to be given; or writes the Helm chart.
pub fn run(asked: &Manifests, printer: &Printer) -> Result<u8, Failure> {
    if let Some(folder) = &asked.chart {
        for file in chart_files() {
            let path = folder.join(&file.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, file.text)?;
        }
        printer.say(format!("✓ the chart is in {}", folder.display()));
        return Ok(DONE);
    }
    let (Some(namespace), Some(image)) = (&asked.namespace, &asked.image) else {
        return Err(Failure::usage("which namespace, and which image?").hint("add --namespace and --image"));
    };
    let objects = match &asked.edge {
        Some(environment) => {
            let Some(project) = asked.project.clone() else {
                return Err(Failure::usage("whose edge?").hint("add --project with the project's name"));
            };
            edge_objects(&EdgeInstall {
                namespace: namespace.clone(),
                project,
                environment: environment.clone(),
                image: image.clone(),
                image_pull_secrets: Vec::new(),
                replicas: asked.replicas,
                policy_v1: true,
                ours: false,
            })
        }
        None => {
            let storage_class = asked.storage_class.clone();
            let cluster_role = asked.cluster_role;
            server_objects(&ServerInstall {
                storage_class,
                cluster_role,
                ..ServerInstall::new(namespace, image)
            })
        }
    };
    printer.line(manifests(&objects).trim_end());
    Ok(DONE)
}
