//! One object of each kind and shape that we write.

use pilotage_targets::Traffic;
use serde_json::Value;

use super::super::gateway::Gateway;
use super::super::istio::Istio;
use super::super::provider::Provider;
use super::super::testing::{cohort, everything, scene, traffic};
use super::super::traefik::Traefik;
use super::super::{argo_rollouts, flagger};

/// The objects, each with what it is called in messages.
pub(super) fn samples() -> Vec<(String, Value)> {
    let mut samples = Vec::new();
    let gateway = Gateway { parent: "public".to_owned(), namespace: Some("gateways".to_owned()) };
    of_provider(&mut samples, "gateway", &gateway, "v1");
    of_provider(&mut samples, "gateway", &gateway, "v1beta1");
    let istio = Istio { gateways: vec!["istio-system/public".to_owned()] };
    for version in ["v1", "v1beta1", "v1alpha3"] {
        of_provider(&mut samples, "istio", &istio, version);
    }
    of_provider(&mut samples, "traefik", &Traefik { entry_points: vec!["web".to_owned()] }, "v1alpha1");
    for strategy in [argo_rollouts::tests::canary(), argo_rollouts::tests::blue_green()] {
        let handed = argo_rollouts::tests::objects(&strategy).unwrap();
        samples.extend(handed.objects.into_iter().map(|object| ("argo-rollouts".to_owned(), object)));
    }
    let handed = flagger::tests::objects(&flagger::tests::canary(), "istio").unwrap();
    samples.extend(handed.objects.into_iter().map(|object| ("flagger".to_owned(), object)));
    samples
}

fn of_provider<P: Provider>(samples: &mut Vec<(String, Value)>, name: &str, provider: &P, version: &str) {
    for (words, traffic) in traffics() {
        let scene = scene();
        for (kind, mut object) in provider.beside(&scene, &traffic) {
            object["apiVersion"] = format!("{}/{version}", kind.group).into();
            object["kind"] = kind.kind.into();
            samples.push((format!("{name} beside {words}"), object));
        }
        let route = provider.route(&scene, &traffic, version).unwrap();
        samples.push((format!("{name} {version} {words}"), route));
    }
}

fn traffics() -> Vec<(&'static str, Traffic)> {
    let hosted = |mut traffic: Traffic| {
        traffic.route.hosts = vec!["shop.example.com".parse().unwrap()];
        traffic
    };
    let mut cohorts = hosted(traffic(&[("2.0.0", 1_000), ("1.0.0", 9_000)]));
    cohorts.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    vec![
        ("with everything", everything()),
        ("with a cohort", cohorts),
        ("rolled back", hosted(traffic(&[("1.0.0", 10_000)]))),
        ("for nobody", hosted(traffic(&[]))),
    ]
}
