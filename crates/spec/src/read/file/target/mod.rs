//! What runs the instances.

mod command;
mod docker;
mod kubernetes;

pub(crate) use kubernetes::KubernetesDraft;
pub(super) use kubernetes::{clusters, workload};

use command::command;
use docker::docker;
use kubernetes::kubernetes;

use crate::read::shape::{Either, Fields, Object, Scalar, Shape, field};
use crate::{CommandSettings, DockerSettings};

/// What is written about the target of an environment.
#[derive(Default)]
pub(crate) enum TargetDraft {
    #[default]
    Process,
    Docker(DockerSettings),
    Swarm(DockerSettings),
    Kubernetes(KubernetesDraft),
    Command(CommandSettings),
}

/// The shape of `target`.
pub(super) fn target() -> impl Shape<Value = TargetDraft> {
    Either {
        short: Scalar::word("a kind of target", &Short::WORDS).map(Short::draft),
        long: Object { expected: "`target`", fields },
    }
}

/// Those that need no settings.
#[derive(Clone, Copy)]
enum Short {
    Process,
    Docker,
}

impl Short {
    const WORDS: [(&'static str, Self); 2] = [("process", Self::Process), ("docker", Self::Docker)];

    fn draft(self) -> TargetDraft {
        match self {
            Self::Process => TargetDraft::Process,
            Self::Docker => TargetDraft::Docker(docker::usual()),
        }
    }
}

fn fields(fields: &mut Fields<'_>) -> Option<TargetDraft> {
    fields.exactly_one(&["docker", "swarm", "kubernetes", "command"]);
    let containers =
        fields.optional(field("docker", "Containers of one Docker Engine, or of podman."), &docker());
    let services = fields.optional(field("swarm", "Services of a Docker Swarm."), &docker());
    let pods = fields.optional(field("kubernetes", "Pods of a Kubernetes cluster."), &kubernetes());
    let program = fields
        .optional(field("command", "A program of the team's own that does what a target does."), &command());
    containers
        .map(TargetDraft::Docker)
        .or(services.map(TargetDraft::Swarm))
        .or(pods.map(TargetDraft::Kubernetes))
        .or(program.map(TargetDraft::Command))
}
