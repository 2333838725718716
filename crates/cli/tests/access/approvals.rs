//! Approvals by several people, each known by their credential alone.

use crate::site::{Site, access};

const PEOPLE: &str = "    anna: { roles: [developer] }
    bert: { roles: [approver], groups: [sre] }
    carla: { roles: [approver] }
    carla-2: { roles: [approver] }
";
const MACHINES: &str =
    "  machines:\n    ci: { roles: [operator] }\n  agents:\n    helper: { roles: [operator, approver] }\n";

#[test]
fn a_plan_begins_once_two_others_have_approved_it() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let file = std::fs::read_to_string(site.world.root().join("pilotage.yaml")).unwrap();
    let open = "policy: { level: open, confirm: true, gradual: true, inconclusive: raise }";
    assert!(file.contains(open));
    let policy = "policy: { level: open, approvals: { count: 2, groups: [sre] } }";
    site.world.write("pilotage.yaml", &file.replace(open, policy));
    let token = |name: &str| site.token(&["--for", name]);
    let (ci, bert, carla, helper) = (token("ci"), token("bert"), token("carla"), token("helper"));
    let run = |arguments: &[&str], token: &str| site.run(arguments, &[("PILOTAGE_TOKEN", token)]);
    site.world.release("1.0.0", "");
    let deploy = ["deploy", "api", "1.0.0", "--env", "production"];
    let said = run(&deploy, &ci).expect(3);
    assert!(
        said.stdout.contains("d1 waits") && said.stdout.contains("0 of 2 approvals, none of sre"),
        "{}",
        said.stdout
    );
    assert!(said.stderr.contains("ask bert; they run"), "{}", said.stderr);
    // A machine without the role is refused; what an agent says is recorded, and counts for nothing.
    run(&["approve", "d1"], &ci).expect(1);
    run(&["approve", "d1"], &helper).expect(0);
    run(&["approve", "d1", "--reason", "looked at it"], &carla).expect(0);
    until(
        &site,
        &["gates", "d1"],
        "1 of 2 approvals, none of sre (not counted: helper: may not approve here)",
    );
    run(&["approve", "d1"], &bert).expect(0);
    until(&site, &["status", "--env", "production"], "1.0.0      1/1 ready");
    let audit = site.run(&["audit", "--env", "production", "--output", "json"], &[]).expect(0).stdout;
    let last = audit.lines().rfind(|line| line.contains("deployment.completed")).unwrap();
    assert!(last.contains(r#""approvers":["bert","carla"]"#), "{last}");
}

/// Asks again until the answer holds some words: what was said is looked at a moment later.
fn until(site: &Site, command: &[&str], words: &str) {
    let mut said = String::new();
    for _ in 0..400 {
        said = site.run(command, &[]).stdout;
        if said.contains(words) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{words} is not in {said}");
}
