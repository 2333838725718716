//! The swarm rig: services run, and their tasks answer at the addresses that need nothing of the kernel.

use pilotage_testing::need_swarm;
use pilotage_testing::rig::{SAMPLE_PORT, get};

use crate::support::{eventually, said};

#[test]
fn a_task_answers_at_its_address_on_the_engines_bridge() {
    let Some(swarm) = need_swarm("swarm rig") else { return };
    let image = swarm.docker().unwrap().sample_image("5.0.0").unwrap();
    let name = format!("web-{}", std::process::id());
    let mut create = swarm.client();
    create.args(["service", "create", "--detach", "--network", "bridge", "--name", &name, &image]);
    said(&mut create);
    let filter = format!("label=com.docker.swarm.service.name={name}");
    let format = "{{.NetworkSettings.Networks.bridge.IPAddress}}";
    eventually("the task answers", || {
        let tasks = said(swarm.client().args(["ps", "--quiet", "--filter", &filter]));
        let Some(task) = tasks.lines().next() else { return false };
        let address = said(swarm.client().args(["inspect", "--format", format, task]));
        get(&format!("{}:{SAMPLE_PORT}", address.trim()), "/")
            .is_ok_and(|(_, answer)| answer.contains("5.0.0"))
    });
    said(swarm.client().args(["service", "rm", &name]));
}
