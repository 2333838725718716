//! The network: TLS or this machine, names that are ours, and not too often.

use crate::site::{Site, access, command};
use crate::world::{World, wait};

const CI: &str = "  machines:\n    ci: { roles: [viewer] }\n";

#[test]
fn tokens_never_travel_in_the_clear() {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7443"] {
        let said = wait(command(&world, &["serve", "--listen", address]).spawn().unwrap()).expect(1);
        assert!(said.stderr.contains("tokens would travel in the clear"), "{}", said.stderr);
    }
    assert!(!world.state().journal().exists(), "nothing was begun");
    for (server, words) in [
        ("http://192.0.2.1:7443", "for servers on this machine"),
        ("deploy.shop.example", "must be `https://"),
    ] {
        let said = wait(command(&world, &["status", "--server", server]).spawn().unwrap()).expect(64);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[test]
fn commands_work_over_tls_with_a_token() {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write("pilotage.yaml", &format!("{file}{}", access("", CI)));
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let chain = world.write("server.pem", &cert.pem());
    let key = world.write("server.key", &signing_key.serialize_pem());
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", key, "--tls-key", key];
    let said = wait(command(&world, &serve).spawn().unwrap()).expect(1);
    assert!(said.stderr.contains("there is no certificate in it"), "{}", said.stderr);
    let site = Site::serve(world, &["--listen", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", key]);
    let token = site.token(&["--for", "ci"]);
    let server = format!("https://localhost:{}", site.address.port());
    let trusting =
        [("SSL_CERT_FILE", chain), ("PILOTAGE_TOKEN", token.as_str()), ("PILOTAGE_SERVER", server.as_str())];
    let said = site.run(&["whoami"], &trusting).expect(0);
    assert!(said.stdout.starts_with("ci, a machine"), "{}", said.stdout);
    site.run(&["status"], &trusting).expect(0);
    let said = site.run(&["whoami"], &[trusting[0], trusting[2]]).expect(1);
    assert!(said.stderr.contains("every request needs a token"), "{}", said.stderr);
    let said = site.run(&["whoami"], &trusting[1..]).expect(1);
    assert!(said.stderr.contains("certificate"), "nobody is trusted who is not known: {}", said.stderr);
    for verb in ["up", "down"] {
        site.run(&[verb], &trusting).expect(64);
    }
}

#[test]
fn requests_that_are_slipped_to_a_browser_are_refused() {
    let site = Site::new(&access("", CI));
    let token = site.token(&["--for", "ci"]);
    let ask = |head: &str| {
        site.raw("GET", "/v1/status", &format!("{head}\r\nAuthorization: Bearer {token}\r\n"), "").status
    };
    let own = format!("Host: {}", site.address);
    assert_eq!(ask(&own), 200);
    assert_eq!(ask(&format!("Host: localhost:{}", site.address.port())), 200);
    for head in [
        "Host: evil.example".to_owned(),
        format!("{own}\r\nOrigin: https://evil.example"),
        format!("{own}\r\nOrigin: null"),
        format!("Host: evil.example\r\nX-Forwarded-Host: {}", site.address),
    ] {
        assert_eq!(ask(&head), 403, "{head}");
    }
}

#[test]
fn nobody_is_let_in_by_what_a_request_says_of_itself() {
    let site = Site::new(&access("", CI));
    let own = format!("Host: {}\r\n", site.address);
    for head in [
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "X-Remote-User: owner",
        "X-User: owner",
        "Cookie: token=x",
    ] {
        assert_eq!(site.raw("GET", "/v1/status", &format!("{own}{head}\r\n"), "").status, 401, "{head}");
    }
    let token = site.token(&["--for", "ci"]);
    let twice = format!("{own}Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n");
    assert_eq!(site.raw("GET", "/v1/status", &twice, "").status, 401);
    assert_eq!(site.raw("GET", &format!("/v1/status?access_token={token}"), &own, "").status, 401);
}

#[test]
fn whoever_guesses_is_slowed_down() {
    let site = Site::new(&access("", CI));
    let token = site.token(&["--for", "ci"]);
    let wrong: Vec<u16> = (0..40).map(|_| site.get("/v1/status", "plt_guess").status).collect();
    assert!(wrong.starts_with(&[401; 20]) && wrong.contains(&429), "{wrong:?}");
    let held = loop {
        let answer = site.get("/v1/status", "plt_guess");
        if answer.status == 429 {
            break answer;
        }
    };
    assert!(held.head.contains("\r\nretry-after: "), "{}", held.head);
    // Over the socket somebody else asks.
    site.run(&["status"], &[("PILOTAGE_TOKEN", &token)]).expect(0);
}
