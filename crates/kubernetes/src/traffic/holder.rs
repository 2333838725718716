//! Whose object holds the route of a workload: ours, or one that the team has made and handed over.

use pilotage_targets::{TargetError, Traffic};
use serde_json::{Map, Value, json};

use super::objects::{Changed, Objects, Write};
use super::provider::Provider;
use super::refusal::Refusal;
use super::scene::{NOWHERE, Scene, is_ours, name_of, text, written};
use super::services::Services;
use crate::names;

/// Annotation of the team: this route's rules for the workload are ours to change.
pub(crate) const HAND_OVER: &str = "pilotage.dev/hand-over";
/// Annotation of ours: the `spec` as it was before we changed it.
const ORIGINAL: &str = "pilotage.dev/original";
/// How often a change is tried again that somebody else has overtaken.
const ATTEMPTS: usize = 3;

/// Who holds the route.
#[derive(Debug, Clone)]
pub(super) enum Holder {
    /// Nobody yet.
    Nobody,
    /// An object of ours.
    Ours(Value),
    /// An object of the team.
    Team(Value),
}

impl Holder {
    /// The object, if there is one.
    pub(super) fn object(&self) -> Option<&Value> {
        match self {
            Self::Nobody => None,
            Self::Ours(object) | Self::Team(object) => Some(object),
        }
    }
}

/// Finds who holds the route: the object with our name and labels, else the one of somebody else that names our Services.
pub(super) async fn find<P: Provider>(
    provider: &P,
    objects: &Objects,
    services: &Services,
) -> Result<Holder, TargetError> {
    let scene = &services.scene;
    if let Some(object) = objects.get(&scene.service).await?.filter(is_ours) {
        scene.need_own(&object)?;
        return Ok(Holder::Ours(object));
    }
    let names_ours = |object: &Value| {
        provider.mentions(object, &scene.service)
            || services.backends.keys().any(|service| provider.mentions(object, service))
    };
    let mut others = objects.list(None).await?;
    others.retain(|object| names_ours(object) && !is_ours(object));
    match others.len() {
        0 => Ok(Holder::Nobody),
        1 => Ok(Holder::Team(others.swap_remove(0))),
        _ => Err(several(provider, &others).into()),
    }
}

fn several<P: Provider>(provider: &P, others: &[Value]) -> Refusal {
    let found: Vec<&str> = others.iter().map(name_of).collect();
    Refusal::new(
        format!("several objects of kind {} for the service ({})", provider.kind().kind, found.join(", ")),
        "leave one of them, so that one write switches all requests",
    )
}

/// Writes the route for the traffic, or only tries to.
pub(super) async fn write<P: Provider>(
    provider: &P,
    objects: &Objects,
    scene: &Scene,
    holder: &Holder,
    traffic: &Traffic,
    only_try: bool,
) -> Result<Value, TargetError> {
    match holder {
        Holder::Nobody | Holder::Ours(_) => {
            let route = provider.route(scene, traffic, objects.version())?;
            let how = match holder {
                _ if only_try => Write::Try,
                Holder::Nobody => Write::Politely,
                _ => Write::Again,
            };
            match objects.write(&route, how).await {
                // Changed by hand since: said in the plan by nobody, taken back when the time comes.
                Err(TargetError::Conflict { .. }) if only_try && matches!(holder, Holder::Ours(_)) => {
                    Ok(route)
                }
                written => written,
            }
        }
        Holder::Team(object) => borrow(provider, objects, scene, object, traffic, only_try).await,
    }
}

async fn borrow<P: Provider>(
    provider: &P,
    objects: &Objects,
    scene: &Scene,
    object: &Value,
    traffic: &Traffic,
    only_try: bool,
) -> Result<Value, TargetError> {
    let mut object = object.clone();
    for _ in 0..ATTEMPTS {
        let original = original(provider, scene, &object);
        let fields = provider.borrowed(scene, traffic, &original, objects.version())?;
        if !is_handed_over(&object) {
            return politely(provider, objects, &object, &fields).await;
        }
        if only_try {
            return Ok(object);
        }
        let change = json!({
            "metadata": {
                "resourceVersion": text(&object, "/metadata/resourceVersion"),
                "annotations": { names::TRAFFIC: written(traffic), ORIGINAL: original.to_string() },
            },
            "spec": fields,
        });
        match objects.change(name_of(&object), &change).await? {
            Changed::Done(object) => return Ok(object),
            Changed::Stale | Changed::Missing => {}
        }
        object = objects.get(name_of(&object)).await?.ok_or_else(|| gone(provider, &object))?;
    }
    Err(TargetError::Failed {
        doing: format!("change {} {}", provider.kind().kind, name_of(&object)),
        reason: "somebody else keeps changing it at the same time; try again".to_owned(),
    })
}

/// Somebody's object that was not handed over: the server names who owns the fields. If it finds nobody, we say what to do.
async fn politely<P: Provider>(
    provider: &P,
    objects: &Objects,
    object: &Value,
    fields: &Value,
) -> Result<Value, TargetError> {
    let wanted = json!({
        "metadata": { "name": name_of(object), "namespace": text(object, "/metadata/namespace") },
        "spec": fields,
    });
    objects.write(&wanted, Write::Try).await?;
    Err(Refusal::new(
        format!(
            "{} {}, which the team has made, as the route of the service",
            provider.kind().kind,
            name_of(object)
        ),
        format!(
            "hand it over with the annotation `{HAND_OVER}: \"true\"`, or take its rules for the service out"
        ),
    )
    .into())
}

fn gone<P: Provider>(provider: &P, object: &Value) -> TargetError {
    TargetError::Failed {
        doing: format!("change {} {}", provider.kind().kind, name_of(object)),
        reason: "somebody has deleted it; deploy again to make one of our own".to_owned(),
    }
}

/// Whether the team lets us change the object.
pub(super) fn is_handed_over(object: &Value) -> bool {
    annotation(object, HAND_OVER).is_some_and(|value| value == "true")
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(name)?.as_str()
}

/// The `spec` before we changed it: as kept, unless the team has written its own anew since, which names the users' Service.
fn original<P: Provider>(provider: &P, scene: &Scene, object: &Value) -> Value {
    let kept = annotation(object, ORIGINAL).and_then(|text| serde_json::from_str(text).ok());
    let live = || object.get("spec").cloned().unwrap_or_default();
    match kept {
        Some(kept) if !provider.mentions(object, &scene.service) => kept,
        _ => live(),
    }
}

/// Ends the route: ours is deleted, the team's gets back what it said.
pub(super) async fn end<P: Provider>(
    provider: &P,
    objects: &Objects,
    scene: &Scene,
    holder: &Holder,
) -> Result<(), TargetError> {
    match holder {
        Holder::Nobody => Ok(()),
        Holder::Ours(object) => objects.delete(object).await,
        Holder::Team(object) => {
            if annotation(object, ORIGINAL).is_none() {
                return Ok(());
            }
            let original = original(provider, scene, object);
            let changed = provider.borrowed(scene, &Traffic::new(NOWHERE), &original, objects.version())?;
            let touched = changed.as_object().cloned().unwrap_or_default();
            let restored: Map<String, Value> = touched
                .into_iter()
                .map(|(key, _)| (key.clone(), original.get(&key).cloned().unwrap_or_default()))
                .collect();
            let annotations = json!({ names::TRAFFIC: null, ORIGINAL: null });
            let change = json!({ "metadata": { "annotations": annotations }, "spec": restored });
            objects.change(name_of(object), &change).await.map(drop)
        }
    }
}
