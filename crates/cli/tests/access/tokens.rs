//! Tokens: what they are good for, and what becomes of wrong ones.

use std::path::Path;

use crate::site::{Site, access};

const MACHINES: &str =
    "  machines:\n    ci: { roles: [operator], for: anna }\n    other: { roles: [viewer] }\n";
const PEOPLE: &str = "    anna: { roles: [developer] }\n";

fn rewrite(site: &Site, from: &str, to: &str) {
    let file = std::fs::read_to_string(site.world.root().join("pilotage.yaml")).unwrap();
    assert!(file.contains(from));
    site.world.write("pilotage.yaml", &file.replace(from, to));
}

#[test]
fn a_token_counts_until_it_is_revoked_or_its_principal_is_gone() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let token = site.token(&["--for", "ci", "--purpose", "the pipeline"]);
    assert_eq!(site.whoami(&token).as_deref(), Ok("ci"));
    let list = site.run(&["token", "list"], &[]).expect(0).stdout;
    assert!(list.contains("ci") && list.contains("the pipeline") && list.contains("* in */*"), "{list}");
    let id = &token[4..15];
    site.run(&["token", "revoke", id], &[]).expect(0);
    assert_eq!(site.whoami(&token), Err("this token was revoked".to_owned()));

    let token = site.token(&["--for", "ci"]);
    rewrite(&site, "project: world", "project: another");
    assert_eq!(site.whoami(&token), Err("this token was issued for another project".to_owned()));
    rewrite(&site, "project: another", "project: world");
    assert_eq!(site.whoami(&token).as_deref(), Ok("ci"));
    rewrite(&site, "roles: [operator]", "roles: [viewer]");
    assert_eq!(
        site.get("/v1/audit", &token).status,
        403,
        "a role that is taken away is gone from the token too"
    );
    rewrite(&site, "    ci: { roles", "    cd: { roles");
    assert!(site.whoami(&token).unwrap_err().contains("not in the file any more"));
    let file = std::fs::read_to_string(site.world.root().join("pilotage.yaml")).unwrap();
    site.world.write("pilotage.yaml", file.split("access:").next().unwrap());
    assert!(site.whoami(&token).is_err(), "without `access`, tokens count for nothing");
}

#[test]
fn wrong_tokens_count_for_nothing_and_nobody_stands_in_for_them() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let token = site.token(&["--for", "ci"]);
    let changed = format!("{}{}", &token[..20], if &token[20..21] == "a" { "b" } else { "a" }) + &token[21..];
    let unknown = pilotage_access::TokenText::new().unwrap();
    let upper = token.to_uppercase();
    for wrong in
        [changed.as_str(), &token[..64], &token[1..], unknown.reveal(), &upper, "plt_", "x", "e30.e30.x"]
    {
        let message = site.whoami(wrong).unwrap_err();
        assert!(!message.contains(wrong) || wrong.len() < 5, "{message}");
        // Over the socket the owner may do everything; a wrong token is wrong all the same.
        let said = site.run(&["status"], &[("PILOTAGE_TOKEN", wrong)]).expect(1);
        assert!(!said.stderr.contains(wrong) || wrong.len() < 5, "{}", said.stderr);
    }
    site.run(&["status"], &[("PILOTAGE_TOKEN", "")]).expect(64);
    site.run(&["status", "--token-file", "/dev/null"], &[]).expect(64);
    site.run(&["status", "--token-file", "/nowhere"], &[]).expect(64);
    site.run(&["status"], &[("PILOTAGE_TOKEN", &token)]).expect(0);
    let file = site.world.write("token", &format!("{token}\n"));
    let said = site.run(&["whoami", "--token-file", file.to_str().unwrap()], &[]).expect(0);
    assert!(said.stdout.starts_with("ci (anna), a machine, known by a token"), "{}", said.stdout);
    assert!(said.stdout.contains("vouched by  owner"), "{}", said.stdout);
}

#[test]
fn a_token_is_cut_down_to_its_scope_and_begets_no_other() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let token = site.token(&[
        "--for",
        "ci",
        "--verb",
        "read",
        "--verb",
        "deploy",
        "--env",
        "production",
        "--expires",
        "1h",
    ]);
    let with = |arguments: &[&str]| site.run(arguments, &[("PILOTAGE_TOKEN", &token)]);
    let said = with(&["deploy", "api", "1.0.0", "--env", "dev"]).expect(1);
    assert!(said.stderr.contains("`ci` may not `deploy` api in dev"), "{}", said.stderr);
    with(&["audit"]).expect(1);
    let said = with(&["token", "create", "--for", "ci"]).expect(1);
    assert!(said.stderr.contains("a token cannot issue another"), "{}", said.stderr);
    let tokens = with(&["token", "list", "--output", "json"]).expect(0).stdout;
    assert_eq!(tokens.lines().count(), 1, "its own principal's alone: {tokens}");
    let admin = site.token(&["--for", "owner"]);
    let id = &admin[4..15];
    let said = with(&["token", "revoke", id]).expect(64);
    assert!(said.stderr.contains("there is no token"), "{}", said.stderr);
    for wrong in [
        vec!["--expires", "367d"],
        vec!["--expires", "1s"],
        vec!["--for", "nobody"],
        vec!["--env", "prod"],
        vec!["--verb", "all"],
    ] {
        site.run(&[&["token", "create"], &wrong[..]].concat(), &[]).expect(64);
    }
}

#[test]
fn the_secret_of_a_token_is_nowhere_but_with_its_holder() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let token = site.token(&["--for", "ci"]);
    let secret = token.rsplit_once('_').unwrap().1;
    let said = site.run(&["audit", "--output", "json"], &[("PILOTAGE_TOKEN", &token)]).expect(0);
    assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret));
    let release = site.world.release("1.0.0", "");
    site.run(&["deploy", "api", "1.0.0", "--artifact", &release], &[("PILOTAGE_TOKEN", &token)]).expect(0);
    assert_eq!(holds(site.world.root(), secret), Vec::<String>::new());
    // Neither an argument nor a variable of anything that runs.
    for process in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        for file in ["cmdline", "environ"] {
            let bytes = std::fs::read(process.path().join(file)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{}", process.path().display());
        }
    }
}

/// The files below a folder that hold a text.
fn holds(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holds(&entry.path(), text));
        } else if kind.is_file()
            && std::fs::read(entry.path()).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
        {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[test]
fn whoever_is_not_in_the_file_may_do_nothing_even_at_the_socket() {
    let site = Site::new(&access(PEOPLE, MACHINES));
    let user = crate::site::user();
    rewrite(&site, &format!("unix:{user}"), "unix:somebody-else");
    let said = site.run(&["status"], &[]).expect(1);
    assert!(
        said.stderr.contains(&format!("the user `{user}` is nobody who may do anything here")),
        "{}",
        said.stderr
    );
    for arguments in [vec!["history"], vec!["audit"], vec!["whoami"], vec!["token", "list"], vec!["down"]] {
        site.run(&arguments, &[]).expect(1);
    }
    // A file that cannot be read takes no right away and gives none.
    rewrite(&site, "project: world", "project: [");
    site.run(&["status"], &[]).expect(1);
    rewrite(&site, "project: [", "project: world");
    rewrite(&site, "unix:somebody-else", &format!("unix:{user}"));
    site.run(&["status"], &[]).expect(0);
}
