//! What a file means once it has been read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]
#![allow(clippy::disallowed_methods, reason = "the samples are files; the crate itself touches none")]

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_spec::{
    Comparison, EnvironmentName, LookupError, MetricLimit, MetricSource, Project, RollBackWhen, RollingUnit,
    SecretSource, ServiceName, StrategyKind, TargetSettings, Value, json_schema, read,
};

fn project(text: &str) -> Project {
    read("pilotage.yaml", text).unwrap()
}

fn sample(name: &str) -> Project {
    let path = format!("{}/tests/corpus/valid/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    project(&std::fs::read_to_string(path).unwrap())
}

fn names(project: &Project) -> (EnvironmentName, ServiceName) {
    (project.environments.keys().next().unwrap().clone(), project.services.keys().next().unwrap().clone())
}

#[test]
fn a_small_file_gets_every_default() {
    let project = sample("smallest");
    let (dev, web) = names(&project);
    assert_eq!((dev.as_str(), web.as_str()), ("dev", "web"));

    let service = &project.services[&web];
    assert_eq!((service.replicas, service.port), (1, None));
    assert_eq!(
        (service.stop_grace, service.start_timeout),
        (Duration::from_secs(10), Duration::from_secs(30))
    );
    assert_eq!((&service.health.live, &service.health.ready), (&None, &None));
    assert_eq!(
        (service.health.interval, service.health.timeout),
        (Duration::from_millis(500), Duration::from_secs(1))
    );

    let environment = &project.environments[&dev];
    assert_eq!(environment.target, TargetSettings::Process);
    assert_eq!(environment.listen.to_string(), "127.0.0.1");
    assert_eq!(environment.strategy.as_str(), "rolling");
    assert!(!environment.policy.confirm && !environment.policy.gradual);
}

#[test]
fn the_strictness_of_an_environment_follows_its_name() {
    let text = "project: a\nservices: { a: { run: [a], artifact: a } }\n\
                environments: { dev: , staging: , canary: , production: }\n";
    let found: BTreeMap<String, (String, bool, bool)> = project(text)
        .environments
        .into_iter()
        .map(|(name, e)| (name.to_string(), (e.strategy.to_string(), e.policy.confirm, e.policy.gradual)))
        .collect();
    let row = |name: &str, strategy: &str, strict| (name.to_owned(), (strategy.to_owned(), strict, strict));
    let expected = [
        row("canary", "blue-green", false),
        row("dev", "rolling", false),
        row("production", "canary", true),
        row("staging", "blue-green", false),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn the_built_in_strategies_have_the_documented_defaults() {
    let strategies = sample("smallest").strategies;
    let found: Vec<(String, u64, u64)> = strategies
        .iter()
        .map(|(name, strategy)| (name.to_string(), strategy.watch.as_secs(), strategy.soak.as_secs()))
        .collect();
    let row = |name: &str, watch, soak| (name.to_owned(), watch, soak);
    assert_eq!(
        found,
        [
            row("blue-green", 300, 900),
            row("canary", 300, 900),
            row("recreate", 30, 0),
            row("rolling", 30, 900)
        ]
    );
    let kinds: Vec<StrategyKind> = strategies.values().map(|strategy| strategy.kind.clone()).collect();
    let rolling =
        StrategyKind::Rolling { max_surge: RollingUnit::Count(1), max_unavailable: RollingUnit::Count(0) };
    let canary = StrategyKind::Canary { steps: vec![100, 500, 2_500, 5_000, 10_000] };
    assert_eq!(kinds, [StrategyKind::BlueGreen, canary, StrategyKind::Recreate, rolling]);
    assert!(strategies.values().all(|strategy| strategy.roll_back_when == RollBackWhen::default()));
}

#[test]
fn what_is_written_is_what_is_read() {
    let project = sample("full");
    let (production, _) = project.environment("prod").unwrap();
    let (api, service) = project.service("api").unwrap();
    assert_eq!(production.as_str(), "production");
    assert_eq!(service.resources.cpu_millis, Some(500));
    assert_eq!(service.resources.memory_bytes, Some(256 * 1024 * 1024));
    assert_eq!((project.port(production, api), project.replicas(production, api)), (Some(80), Some(4)));

    let env = project.instance(production, api).unwrap().env;
    let value = |name: &str| env[&name.parse().unwrap()].clone();
    assert_eq!(value("LOG"), Value::Plain("warn".to_owned()));
    assert_eq!(value("CACHE"), Value::Plain("yes".to_owned()));
    assert_eq!(value("RUNTIME"), Value::Plain("1.10".to_owned()));
    assert_eq!(value("TLS_KEY"), Value::Secret(SecretSource::File("/run/secrets/tls.key".to_owned())));

    let (_, careful) = project.strategy("careful").unwrap();
    let triggers = &careful.roll_back_when;
    assert_eq!(careful.kind, StrategyKind::Canary { steps: vec![50, 500, 2_500, 5_000, 10_000] });
    assert_eq!((triggers.error_rate, triggers.p95_vs_stable, triggers.cpu), (Some(250), None, None));
    assert_eq!(
        (triggers.memory, triggers.probe_failures, triggers.min_requests),
        (Some(8_000), Some(5), 200)
    );
    let limits: Vec<MetricLimit> = triggers.metrics.iter().map(|metric| metric.limit).collect();
    assert_eq!(limits, [MetricLimit::Above(1000.0), MetricLimit::Below(0.5)]);
}

#[test]
fn metrics_are_read_with_how_they_are_compared_and_weighed() {
    let project = sample("metrics");
    let (_, careful) = project.strategy("careful").unwrap();
    let [orders, temperature, basket, refunds] = careful.roll_back_when.metrics.as_slice() else { panic!() };
    let MetricSource::Json(source) = &orders.source else { panic!("{:?}", orders.source) };
    assert_eq!(source.url, "https://shop.example.com/stats/${ENVIRONMENT}?v=$VERSION&at=$$1");
    assert_eq!(source.pointer, "/orders/0/a~1b");
    assert_eq!(source.token, Some(SecretSource::Env("SHOP_TOKEN".parse().unwrap())));
    assert_eq!(orders.compare, Comparison::Ratio);
    assert_eq!(orders.limit, MetricLimit::Outside { below: 0.8, above: 1.5 });
    assert!(orders.critical && !orders.dry_run && temperature.dry_run);
    assert_eq!((basket.critical, basket.weight, basket.group.as_deref()), (false, 500, Some("business")));
    assert_eq!((refunds.compare, refunds.weight), (Comparison::Difference, 1_000));
    let score = &careful.roll_back_when.score;
    assert_eq!((score.pass, score.marginal, score.groups["business"]), (9_000, 5_000, 2_000));
    let (_, queried) = project.strategy("queried").unwrap();
    assert!(queried.roll_back_when.score.is_default());
}

#[test]
fn unquoted_words_stay_as_they_are_written() {
    let project = sample("words-stay-texts");
    let service = project.services.values().next().unwrap();
    let expected = ["./serve", "yes", "010", "1e3", "1.10", "0x1F", "~user", "null", "", "-1", "2026-01-01"];
    assert_eq!(service.run, expected);
    let values: Vec<&Value> = service.env.values().collect();
    let plain: Vec<Value> = ["yes", "010", "1.10", "", "null", "off", "1_000", "12:30:45"]
        .map(|text| Value::Plain(text.to_owned()))
        .into();
    assert_eq!(values, plain.iter().collect::<Vec<_>>());
}

#[test]
fn a_strategy_of_the_file_replaces_the_built_in_one_of_its_name() {
    let project = sample("every-strategy");
    let (_, canary) = project.strategy("canary").unwrap();
    assert_eq!(canary.kind, StrategyKind::Canary { steps: vec![1_000, 10_000] });
}

#[test]
fn names_are_looked_up_with_the_nearest_and_all_known_ones() {
    let project = sample("full");
    let message = |error: LookupError| error.to_string();
    assert_eq!(
        message(project.environment("prodution").unwrap_err()),
        "unknown environment `prodution`: did you mean `production`? known: dev, production, staging, live, prod"
    );
    assert_eq!(message(project.service("worker").unwrap_err()), "unknown service `worker`: known: api, web");
    assert_eq!(
        message(project.strategy("carefull").unwrap_err()),
        "unknown strategy `carefull`: did you mean `careful`? known: at-once, blue-green, canary, careful, gently, \
         recreate, rolling"
    );
    for hostile in ["production; rm -rf /", "../../etc", ""] {
        assert!(matches!(project.environment(hostile), Err(LookupError::Malformed(_))), "{hostile}");
        assert!(matches!(project.service(hostile), Err(LookupError::Malformed(_))), "{hostile}");
    }
}

#[test]
fn a_project_survives_serialization() {
    for name in ["smallest", "full", "every-strategy", "quiet-triggers", "routes", "default-edge"] {
        let project = sample(name);
        let text = serde_json::to_string(&project).unwrap();
        assert_eq!(serde_json::from_str::<Project>(&text).unwrap(), project);
    }
}

#[test]
fn diagnostics_serialize_as_a_list_with_places_and_mends() {
    let error = read("shop/pilotage.yaml", "project: shop\nservices:\n  web: { run: [a], artefact: a }\n")
        .unwrap_err();
    insta::assert_snapshot!(serde_json::to_string_pretty(&error).unwrap(), @r#"
    [
      {
        "severity": "error",
        "file": "shop/pilotage.yaml",
        "line": 3,
        "column": 20,
        "message": "unknown key `artefact`",
        "help": "did you mean `artifact`?"
      }
    ]
    "#);
}

#[test]
fn every_property_of_the_schema_is_explained_and_unknown_ones_are_refused() {
    fn visit(schema: &serde_json::Value, path: &str) {
        if !schema.is_object() {
            return;
        }
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{path}");
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{path}.{name}");
                visit(property, &format!("{path}.{name}"));
            }
        }
        for key in ["additionalProperties", "items"] {
            visit(&schema[key], path);
        }
        for option in schema["anyOf"].as_array().into_iter().flatten() {
            visit(option, path);
        }
    }
    if json_schema()["properties"].is_object() {
        visit(&json_schema(), "$");
    }
    assert_eq!(json_schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(
        json_schema()["properties"]["services"]["additionalProperties"]["properties"]["replicas"]["default"],
        1
    );
}
