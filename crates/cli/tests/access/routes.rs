//! Every route of the table, asked by everybody.

use pilotage_server::{About, Needs, RouteInfo, route_table};
use pilotage_spec::Verb;
use serde_json::json;

use crate::site::{Answer, Site, access};

/// A project with a machine for each verb, one that may do everything in another place, and a viewer.
fn site() -> Site {
    let machine = |name: &str, roles: &str| format!("    {name}: {{ roles: [{roles}] }}\n");
    let one = |verb: Verb| {
        (machine(&format!("may-{verb}"), &format!("only-{verb}")), format!("    only-{verb}: [{verb}]\n"))
    };
    let (machines, roles): (String, String) = Verb::ALL.into_iter().map(one).unzip();
    let all = Verb::ALL.map(Verb::name).join(", ");
    let elsewhere = machine("elsewhere", "{ role: everything, environments: [production] }");
    let other = machine("other-service", "{ role: everything, services: [web] }");
    let viewer = machine("looks", "viewer") + &machine("nothing", "");
    let web = "  web: { run: [./web], artifact: releases }\n";
    let more = format!(
        "  machines:\n{machines}{elsewhere}{other}{viewer}  roles:\n{roles}    everything: [{all}]\n"
    );
    let site = Site::new(&access("", &more));
    let file = std::fs::read_to_string(site.world.root().join("pilotage.yaml")).unwrap();
    site.world.write("pilotage.yaml", &file.replacen("environments:\n", &format!("{web}environments:\n"), 1));
    let release = site.world.release("1.0.0", "");
    site.world.deploy("1.0.0", &release).expect(0);
    site
}

fn ask(site: &Site, route: &RouteInfo, token: Option<&str>) -> Answer {
    let workload = json!({ "service": "api", "environment": "dev", "version": "1.0.0", "command": "test" });
    let body = match (route.path, route.needs) {
        ("/v1/rollback" | "/v1/rollout/promote" | "/v1/rollout/abort" | "/v1/rollout/retry", _) => {
            json!({ "service": "api", "environment": "dev", "command": "test" })
        }
        ("/v1/up" | "/v1/down", _) => json!({ "command": "test" }),
        ("/v1/backup", _) => json!({ "path": site.world.root().join("copy") }),
        (_, Needs::Verb(_, About::Body)) => workload,
        _ => json!({}),
    };
    let path = route
        .path
        .replace("{name}", "none")
        .replace("{id}", if route.path.contains("tokens") { "AAAAAAAAAAA" } else { "d1" });
    let query =
        if matches!(route.needs, Needs::Verb(_, About::Query)) { "?service=api&environment=dev" } else { "" };
    let body = if route.method == "GET" { String::new() } else { body.to_string() };
    site.ask(route.method, &format!("{path}{query}"), token, &body)
}

#[test]
fn every_route_is_for_those_alone_who_may_use_it() {
    let site = site();
    let token = |name: &str| site.token(&["--for", name]);
    let (viewer, elsewhere, other, nothing) =
        (token("looks"), token("elsewhere"), token("other-service"), token("nothing"));
    let fit: Vec<(Verb, String)> = Verb::ALL.map(|verb| (verb, token(&format!("may-{verb}")))).into();
    // What ends the server comes last.
    let mut routes: Vec<RouteInfo> = route_table().collect();
    routes.sort_by_key(|route| route.path == "/v1/down");
    for route in &routes {
        let words = format!("{} {}", route.method, route.path);
        let of = |token: &str| ask(&site, route, Some(token)).status;
        let anonymous = ask(&site, route, None).status;
        match route.needs {
            Needs::Nobody => {
                assert!(!matches!(anonymous, 403 | 404), "{words}: {anonymous}");
                assert_eq!(route.path == "/v1/session", anonymous == 400, "{words}");
            }
            Needs::Somebody => {
                assert_eq!(anonymous, 401, "{words}");
                assert!(!matches!(of(&nothing), 401 | 403) || route.method == "POST", "{words}");
            }
            Needs::Verb(verb, about) => {
                assert_eq!(anonymous, 401, "{words}");
                assert_eq!(of(&nothing), 403, "{words}: somebody without roles");
                let looks = matches!(verb, Verb::Read | Verb::Plan);
                if !looks {
                    assert_eq!(of(&viewer), 403, "{words}: a viewer");
                }
                for (name, token) in [("another environment", &elsewhere), ("another service", &other)] {
                    let expected = if about == About::WhatMayBeSeen { 200 } else { 403 };
                    assert_eq!(of(token), expected, "{words}: {name}");
                }
                for (_, token) in fit.iter().filter(|(own, _)| *own != verb) {
                    assert_eq!(of(token), 403, "{words}: another verb");
                }
                let (_, token) = fit.iter().find(|(own, _)| *own == verb).unwrap();
                let answer = ask(&site, route, Some(token));
                assert!(!matches!(answer.status, 401 | 403 | 404 | 429), "{words}: {answer:?}");
            }
        }
    }
}

#[test]
fn what_is_not_in_the_table_is_not_served() {
    let site = Site::new(&access("", "  machines:\n    ci: { roles: [admin] }\n"));
    let token = site.token(&["--for", "ci"]);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/status"),
        ("HEAD", "/v1/status"),
        ("POST", "/v1/status"),
        ("GET", "/v1/status/"),
        ("GET", "/V1/status"),
        ("GET", "//v1/status"),
        ("GET", "/v1/deployments/d1/stop"),
        ("GET", "/v1/../v1/status"),
    ] {
        assert_eq!(site.ask(method, path, None, "").status, 401, "{method} {path}");
        assert_eq!(site.ask(method, path, Some(&token), "").status, 404, "{method} {path}");
    }
}

#[test]
fn lists_hold_what_one_may_read_and_nothing_else() {
    let machines = "  machines:\n    dev-only: { roles: [{ role: approver, environments: [dev] }] }\n    production-only: { roles: [{ role: \
                    approver, environments: [production] }] }\n";
    let site = Site::new(&access("", machines));
    let release = site.world.release("1.0.0", "");
    site.world.deploy("1.0.0", &release).expect(0);
    let (here, there) = (site.token(&["--for", "dev-only"]), site.token(&["--for", "production-only"]));
    for path in ["/v1/status", "/v1/history", "/v1/events", "/v1/audit"] {
        let (seen, unseen) = (site.get(path, &here), site.get(path, &there));
        assert_eq!((seen.status, unseen.status), (200, 200), "{path}");
        assert!(seen.body.contains("1.0.0") && seen.body.contains("\"dev\""), "{path}: {}", seen.body);
        assert!(
            !unseen.body.contains("1.0.0") && !unseen.body.contains("\"dev\""),
            "{path}: {}",
            unseen.body
        );
        for body in [seen.body, unseen.body] {
            assert!(!body.contains("token.created"), "{path}: who has tokens is not theirs to know");
        }
    }
    let all = site.run(&["audit", "--output", "json"], &[]).expect(0).stdout;
    assert!(all.contains("token.created") && all.contains("dev-only"), "{all}");
}

#[test]
fn the_log_names_the_principal_and_not_the_user() {
    let site = Site::new(&access("    anna: { roles: [developer] }\n", ""));
    let release = site.world.release("1.0.0", "");
    let token = site.token(&["--for", "anna"]);
    let deploy = ["deploy", "api", "1.0.0", "--artifact", &release];
    site.run(&deploy, &[("PILOTAGE_TOKEN", &token)]).expect(0);
    let history = site.run(&["history", "--output", "json"], &[]).expect(0).stdout;
    assert!(history.contains("\"started_by\":\"anna\""), "{history}");
    for outside in ["/etc", ".pilotage", "."] {
        let said = site
            .run(&["deploy", "api", "1.1.0", "--artifact", outside], &[("PILOTAGE_TOKEN", &token)])
            .expect(1);
        assert!(said.stderr.contains("is not in the project's folder"), "{}", said.stderr);
    }
}
