//! Whole files.

use super::*;

const SHOP: &str = r#"
name: Shop
services:
  web_app:
    image: registry.example.com/shop/web:1.2
    ports: ["127.0.0.1:8080:80", "9090:9090", "53:53/udp"]
    environment:
      LEVEL: ${LEVEL:-info}
      TOKEN: ${TOKEN}
      URL: "http://${HOST}/"
    depends_on: { api: { condition: service_healthy } }
    healthcheck: { test: ["CMD", "curl", "-f", "http://localhost/health"], interval: 10s, timeout: 2s }
    deploy:
      replicas: 2
      resources: { limits: { cpus: "0.5", memory: 256M } }
      update_config: { parallelism: 1 }
    restart: always
  api:
    build: ./api
    entrypoint: ["/api", "--home", "$$HOME"]
    command: --port 8000
    expose: ["8000"]
    read_only: true
    cap_add: [NET_BIND_SERVICE]
    environment: ["PLAIN=1", "PASSED"]
    volumes: ["data:/data"]
volumes: { data: { driver: local } }
"#;

#[test]
fn what_is_understood_becomes_a_file_that_is_sound() {
    let converted = convert("compose.yaml", SHOP, "folder").unwrap();
    let project = pilotage_spec::read("pilotage.yaml", &converted.file).map_err(|faults| faults.to_string());
    let project = project.unwrap();
    assert_eq!(project.name.as_str(), "shop");
    let web = &project.services[&"web-app".parse().unwrap()];
    assert_eq!((web.port, web.container_port, web.replicas), (Some(8080), 80, 2));
    assert_eq!((web.resources.cpu_millis, web.resources.memory_bytes), (Some(500), Some(256 << 20)));
    assert_eq!(web.health.ready.as_ref().unwrap().as_str(), "/health");
    assert_eq!(web.needs[0].as_str(), "api");
    assert!(converted.file.contains("TOKEN: { secret: \"env:TOKEN\" }"), "{}", converted.file);
    assert!(
        converted.file.contains("LEVEL: \"info\"") && !converted.file.contains("URL"),
        "{}",
        converted.file
    );
    let api = &project.services[&"api".parse().unwrap()];
    assert_eq!(api.run, ["/api", "--home", "$$HOME", "--port", "8000"]);
    assert_eq!(api.container_port, 8000);
    assert!(converted.file.contains("PASSED: { secret: \"env:PASSED\" }"), "{}", converted.file);
    assert!(converted.file.contains("capabilities: [\"NET_BIND_SERVICE\"]"), "{}", converted.file);
}

#[test]
fn what_is_not_understood_is_said_line_by_line() {
    let remarks = convert("compose.yaml", SHOP, "folder").unwrap().remarks;
    for place in [
        "services.web_app: it is called `web-app` here",
        "services.web_app.image: the tag `1.2`",
        "services.web_app.ports[1]: left out: a service is served at one port",
        "services.web_app.ports[2]: left out: only TCP",
        "services.web_app.environment.URL: left out: `HOST` has no default",
        "services.web_app.deploy.update_config: left out: a strategy",
        "services.api.build: left out",
        "services.api.volumes: left out",
        "services.api: it names no image",
        "volumes: left out",
    ] {
        assert!(remarks.iter().any(|remark| remark.starts_with(place)), "{place}: {remarks:#?}");
    }
    assert_eq!(remarks.len(), 10, "{remarks:#?}");
}

#[test]
fn a_command_that_needs_a_shell_or_the_images_program_is_not_guessed_at() {
    let text = "services:\n  a:\n    image: a\n    command: serve --fast\n  b:\n    image: b\n    entrypoint: sh -c \"x; y\"\n";
    let converted = convert("compose.yaml", text, "folder").unwrap();
    assert!(!converted.file.contains("run:"), "{}", converted.file);
    assert!(
        converted.remarks.iter().any(|it| it.starts_with("services.a.command: left out: `run` replaces"))
    );
    assert!(
        converted.remarks.iter().any(|it| it.starts_with("services.b.entrypoint: left out: it is a command"))
    );
}

#[test]
fn anchors_are_refused_with_their_place() {
    let text = "services:\n  a: &base\n    image: a\n  b:\n    <<: *base\n";
    let refused = convert("compose.yaml", text, "folder").unwrap_err().to_string();
    assert!(refused.contains("compose.yaml:5") && refused.contains("anchors"), "{refused}");
}

#[test]
fn what_services_cannot_have_together_is_said() {
    let text = "services:\n  web:\n    image: web\n    ports: [\"80:80\"]\n    depends_on: [db, api]\n  api:\n    image: api:${TAG:?}\n    ports: [\"127.0.0.2:80:8000\"]\n";
    let converted = convert("compose.yaml", text, "folder").unwrap();
    pilotage_spec::read("pilotage.yaml", &converted.file).unwrap();
    assert_eq!(converted.services, ["api", "web"]);
    assert!(converted.file.contains("needs: [api]"), "{}", converted.file);
    assert!(converted.file.contains("# listen: 0.0.0.0"), "{}", converted.file);
    for remark in [
        "services.web.depends_on: left out: there is no service `db`",
        "services.web.ports: left out: port 80 is another service's already; a free one is chosen",
        "services.api.image: the tag `${TAG:?}` is left out: a version that is deployed is its own tag",
    ] {
        assert!(converted.remarks.iter().any(|it| it == remark), "{remark}: {:#?}", converted.remarks);
    }
}

#[test]
fn a_line_that_would_be_refused_is_left_out() {
    let text = "services:\n  a:\n    image: a\n    scale: 0\n    restart: on-failure\n    labels: { team: shop }\n    cap_add: [ALL]\n    environment: { PORT: 80, xpack.enabled: false, OK: yes }\n    healthcheck: { test: curl http://localhost/up, interval: 1ms, retries: 3 }\n";
    let converted = convert("compose.yaml", text, "folder").unwrap();
    let project = pilotage_spec::read("pilotage.yaml", &converted.file).unwrap();
    assert_eq!(project.services[&"a".parse().unwrap()].env.len(), 1);
    for place in [
        "services.a.scale: left out: ",
        "services.a.restart: left out: what ends is started again",
        "services.a.labels: left out: ",
        "services.a.cap_add: left out: `ALL` is not a single capability",
        "services.a.environment.PORT: left out: `PORT` is set for each instance",
        "services.a.environment.xpack.enabled: left out: ",
        "services.a.healthcheck: left out: ",
        "services.a.healthcheck.retries: left out: three probes",
    ] {
        assert!(
            converted.remarks.iter().any(|it| it.starts_with(place)),
            "{place}: {:#?}",
            converted.remarks
        );
    }
}
