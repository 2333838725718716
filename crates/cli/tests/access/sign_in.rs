//! People who sign in, and jobs for whom their platform vouches, with a real issuer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use jsonwebtoken::Algorithm;
use serde_json::json;

use crate::issuer::{Issuer, Key, now};
use crate::site::{Site, access, command};
use crate::world::{Said, wait};

fn site(issuer: &Issuer) -> Site {
    let people = "    anna: { roles: [viewer], logins: [\"oidc:company#anna@shop.example\"] }\n";
    let more = format!(
        "  machines:\n    ci:\n      roles: [viewer]\n      workload: {{ issuer: \"{0}\", audience: pilotage, claims: {{ repository: \
         shop/api }} }}\n  sign_in:\n    company: {{ issuer: \"{0}\", client_id: cli, claim: email }}\n",
        issuer.url()
    );
    Site::new(&access(people, &more))
}

/// One request of a browser; what comes back, with its head.
fn browse(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    head
}

/// Begins to sign in, and says the page that is to be opened.
fn begin(site: &Site) -> (Child, BufReader<Box<dyn Read + Send>>, String) {
    let mut child = command(&site.world, &["login", "--server", &site.url()]).spawn().unwrap();
    let mut reader: BufReader<Box<dyn Read + Send>> = BufReader::new(Box::new(child.stderr.take().unwrap()));
    let page = loop {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "no page was named");
        if line.starts_with("http://") {
            break line.trim().to_owned();
        }
    };
    (child, reader, page)
}

fn end(mut child: Child, mut reader: BufReader<Box<dyn Read + Send>>) -> Said {
    let mut stderr = String::new();
    reader.read_to_string(&mut stderr).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    Said { code: child.wait().unwrap().code(), stdout, stderr }
}

fn redirect(page: &str) -> String {
    let head = browse(page);
    head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned()
}

#[test]
fn somebody_signs_in_with_a_browser_and_out_again() {
    let key = Key::new("first", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]);
    issuer.person(json!({ "sub": "1", "email": "anna@shop.example", "email_verified": true }));
    let site = site(&issuer);
    let (child, reader, page) = begin(&site);
    assert!(browse(&redirect(&page)).starts_with("HTTP/1.1 200"));
    let said = end(child, reader).expect(0);
    assert!(said.stdout.starts_with("✓ signed in as anna until "), "{}", said.stdout);
    let kept = site.world.root().join("config/pilotage/sessions.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let sessions: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
    let token = sessions[site.url()].as_str().unwrap().to_owned();

    let remote = ["--server", &site.url()];
    let run = |arguments: &[&str]| site.run(&[arguments, &remote].concat(), &[]);
    let who = run(&["whoami"]).expect(0).stdout;
    assert!(who.starts_with("anna, a person, known by having signed in"), "{who}");
    assert!(!who.contains("vouched"), "{who}");
    run(&["status"]).expect(0);
    run(&["audit"]).expect(1);
    let own = run(&["token", "create", "--quiet"]).expect(0).stdout;
    assert_eq!(
        site.whoami(own.trim()).as_deref(),
        Ok("anna"),
        "whoever has signed in may issue tokens to themselves"
    );
    run(&["token", "create", "--for", "ci"]).expect(1);
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(run(&["whoami"]).expect(1).stderr.contains("others can read it"));
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o600)).unwrap();

    run(&["logout"]).expect(0);
    assert!(site.whoami(&token).is_err(), "the session has ended on the server too");
    assert!(!std::fs::read_to_string(&kept).unwrap().contains(&token));
    run(&["status"]).expect(1);
}

#[test]
fn an_answer_to_another_question_signs_nobody_in() {
    let key = Key::new("first", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]);
    issuer.person(json!({ "sub": "1", "email": "anna@shop.example", "email_verified": true }));
    let site = site(&issuer);
    let (child, reader, page) = begin(&site);
    let back = redirect(&page);
    let (path, _) = back.split_once("&state=").unwrap();
    assert!(
        browse(&back.replace("/callback", "/other")).starts_with("HTTP/1.1 404"),
        "what else a browser asks for"
    );
    browse(&format!("{path}&state=somebody-elses"));
    let said = end(child, reader).expect(1);
    assert!(said.stderr.contains("does not belong to this sign-in"), "{}", said.stderr);

    for (person, words) in [
        (json!({ "email": "anna@shop.example", "email_verified": false }), "has not verified the `email`"),
        (json!({ "email": "carl@shop.example", "email_verified": true }), "nobody has the login"),
        (json!({ "email": "anna@shop.example", "email_verified": true, "nonce": "replayed" }), "`nonce`"),
        (json!({ "email": "anna@shop.example", "email_verified": true, "aud": "other" }), "`aud`"),
    ] {
        issuer.person(person.clone());
        let (child, reader, page) = begin(&site);
        browse(&redirect(&page));
        let said = end(child, reader).expect(1);
        assert!(said.stderr.contains(words), "{person}: {}", said.stderr);
    }
    assert!(!site.world.root().join("config/pilotage/sessions.json").exists());
}

#[test]
fn a_job_proves_who_it_is_by_its_platform() {
    let key = Key::new("first", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]);
    let site = site(&issuer);
    let job = |repository: &str| json!({ "iss": issuer.url(), "aud": "pilotage", "exp": now() + 300, "repository": repository });
    let token = key.sign(&job("shop/api"));
    let said = wait(
        command(&site.world, &["whoami", "--server", &site.url()])
            .env("PILOTAGE_ID_TOKEN", &token)
            .spawn()
            .unwrap(),
    );
    let said = said.expect(0);
    assert!(said.stdout.starts_with("ci, a machine, known by an id token"), "{}", said.stdout);
    assert_eq!(site.get("/v1/audit", &token).status, 403);
    assert_eq!(
        site.ask("POST", "/v1/tokens", Some(&token), "{}").status,
        403,
        "no lasting token for a passing job"
    );
    let other = key.sign(&job("shop/api-fork"));
    assert!(site.whoami(&other).unwrap_err().contains("`repository` is another"));
    let secret = token.rsplit_once('.').unwrap().1;
    let body = json!({ "id_token": token, "nonce": "" }).to_string();
    let answer = site.ask("POST", "/v1/session", None, &body);
    assert!(answer.status == 401 && !answer.body.contains(secret), "{answer:?}");
}
