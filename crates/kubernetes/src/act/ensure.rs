//! Brings pods up. The number of replicas is only ever raised here.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Api;
use kube::core::PartialObjectMeta;
use pilotage_spec::{KubernetesWorkload, Release, Workload, WorkloadKind};
use pilotage_targets::{Fence, TargetError};

use crate::adopt;
use crate::cluster::Cluster;
use crate::generate::{
    Blueprint, ReadSecrets, SecretNames, SecretObjects, deployment, version_selector, version_service,
};
use crate::names::{Names, SPEC};
use crate::observe::annotation;

use super::Actor;
use super::foreign::{foreign_owners, foreign_template};
use super::manifests::{apply_companions, apply_shared, listen_as_written, manifest_deployment};
use super::record::claim;
use super::scale::scale_up;

impl Actor {
    /// See [`pilotage_targets::Target::ensure`].
    pub async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let cluster = self.cluster().await?;
        claim(&cluster, workload, fence).await?;
        self.ensured.remember(workload, release);
        let names = cluster.names(workload);
        let settings = release.instance.kubernetes.clone().unwrap_or_default();
        if settings.kind == WorkloadKind::StatefulSet {
            return self.ensure_ordinals(&cluster, workload, release, replicas).await;
        }
        if self.ensure_adopted(&cluster, &names, release, &settings, replicas).await? {
            return Ok(());
        }
        let blueprint = self.blueprint(&cluster, &names, workload, release).await?;
        let api = cluster.api::<Deployment>();
        let name = names.of_version(&release.id.version);
        let live = cluster.get(&api, &name).await?;
        let (blueprint, secrets) = self.with_secrets(&cluster, blueprint, live.as_ref()).await?;
        let manifests = self.prepared(&blueprint).await?;
        let wanted = match &manifests {
            Some(prepared) => manifest_deployment(prepared, &blueprint)?,
            None => deployment(&blueprint)?,
        };
        let is_new = live.as_ref().and_then(|live| annotation(&live.metadata, SPEC))
            != annotation(&wanted.metadata, SPEC);
        if let Some(prepared) = manifests.as_ref().filter(|_| is_new) {
            apply_shared(&cluster, prepared).await?;
        }
        let applied = put_up(&cluster, &api, &wanted, live.as_ref()).await?;
        if let Some(prepared) = manifests.as_ref().filter(|_| is_new) {
            apply_companions(&cluster, prepared, &owner_reference(("Deployment", &applied.metadata))).await?;
        }
        self.own_secrets(&cluster, &names, release, secrets, ("Deployment", &applied.metadata)).await?;
        let mut service = version_service(&blueprint, version_selector(&blueprint));
        if manifests.is_some() {
            listen_as_written(&mut service, &wanted);
        }
        cluster.apply_again(&cluster.api::<Service>(), &service).await?;
        scale_up(&cluster, &name, replicas).await
    }

    /// An existing Deployment that runs this very release is left as it is, and counts as the version.
    async fn ensure_adopted(
        &self,
        cluster: &Cluster,
        names: &Names,
        release: &Release,
        settings: &KubernetesWorkload,
        replicas: u32,
    ) -> Result<bool, TargetError> {
        let Some(wanted) = &settings.adopt else { return Ok(false) };
        let Some(found) = adopt::adopt(cluster, names, wanted, release).await? else { return Ok(false) };
        adopt::users_service(cluster, names, &found).await?;
        let selector = found.spec.and_then(|spec| spec.selector.match_labels).unwrap_or_default();
        adopt::version_service(cluster, names, release, &selector).await?;
        scale_up(cluster, wanted, replicas).await?;
        Ok(true)
    }

    /// What the objects of a version are made from, without its secrets.
    pub(crate) async fn blueprint<'a>(
        &'a self,
        cluster: &Cluster,
        names: &'a Names,
        workload: &'a Workload,
        release: &'a Release,
    ) -> Result<Blueprint<'a>, TargetError> {
        Ok(Blueprint {
            names,
            workload,
            release,
            service_account: self.settings.service_account.as_deref(),
            image_pull_secrets: &self.settings.image_pull_secrets,
            secrets: SecretNames::default(),
            knows_sleep: cluster.knows_sleep().await?,
        })
    }

    /// The same with the names of its Secrets, which are there from then on. Instances that run keep the variables they began
    /// with: they are read again only when a version is made, or when its Secret is gone.
    pub(crate) async fn with_secrets<'a>(
        &self,
        cluster: &Cluster,
        mut blueprint: Blueprint<'a>,
        live: Option<&Deployment>,
    ) -> Result<(Blueprint<'a>, Option<ReadSecrets>), TargetError> {
        let current = live.is_some_and(|live| {
            annotation(&live.metadata, SPEC).is_some_and(|spec| *spec == blueprint.spec_digest())
        });
        let used = live.filter(|_| current).map(used_secrets).unwrap_or_default();
        if current && all_there(cluster, &used).await? {
            blueprint.secrets = used;
            return Ok((blueprint, None));
        }
        let read = ReadSecrets::read(blueprint.instance(), &self.secrets).await?;
        let made = SecretObjects::of(blueprint.names, &blueprint.release.id.version, &read, None);
        for object in &made.objects {
            cluster.apply_unseen(&cluster.api::<Secret>(), object).await?;
        }
        blueprint.secrets = made.names;
        Ok((blueprint, Some(read)))
    }

    /// Secrets go with what uses them.
    pub(crate) async fn own_secrets(
        &self,
        cluster: &Cluster,
        names: &Names,
        release: &Release,
        secrets: Option<ReadSecrets>,
        owner: (&str, &ObjectMeta),
    ) -> Result<(), TargetError> {
        let Some(secrets) = secrets else { return Ok(()) };
        let owner = owner_reference(owner);
        let owned = SecretObjects::of(names, &release.id.version, &secrets, Some(&owner));
        for object in &owned.objects {
            cluster.apply_unseen(&cluster.api::<Secret>(), object).await?;
        }
        Ok(())
    }
}

/// Applies a Deployment unless it is as it should be already. What others have changed of an object that is ours is put right;
/// whoever applies the same object for good is named.
async fn put_up(
    cluster: &Cluster,
    api: &Api<Deployment>,
    wanted: &Deployment,
    live: Option<&Deployment>,
) -> Result<Deployment, TargetError> {
    let Some(live) = live else { return cluster.apply(api, wanted).await };
    let name = live.metadata.name.clone().unwrap_or_default();
    foreign_owners(&live.metadata, &wanted.metadata, &format!("deployments {name}"))?;
    let changed = foreign_template(&live.metadata, cluster.field_manager());
    let same = annotation(&live.metadata, SPEC) == annotation(&wanted.metadata, SPEC);
    if same && changed.is_empty() {
        return Ok(live.clone());
    }
    for manager in &changed {
        tracing::warn!(deployment = name, manager, "somebody has changed what we run; it is put right");
    }
    cluster.apply_again(api, wanted).await
}

/// The Secrets that a Deployment uses now.
fn used_secrets(deployment: &Deployment) -> SecretNames {
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let env =
        pod.into_iter().flat_map(|pod| &pod.containers).flat_map(|container| container.env.iter().flatten());
    let variables = env
        .filter_map(|variable| variable.value_from.as_ref()?.secret_key_ref.as_ref())
        .map(|reference| reference.name.clone())
        .find(|name| name.contains("-env-"));
    let volumes = pod.into_iter().flat_map(|pod| pod.volumes.iter().flatten());
    let files = volumes
        .filter(|volume| volume.name == "secrets")
        .find_map(|volume| volume.secret.as_ref()?.secret_name.clone());
    SecretNames { variables, files }
}

/// Whether Secrets are there; their content is not read.
async fn all_there(cluster: &Cluster, names: &SecretNames) -> Result<bool, TargetError> {
    let api: Api<PartialObjectMeta<Secret>> = cluster.api();
    for name in [&names.variables, &names.files].into_iter().flatten() {
        if cluster.get(&api, name).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A reference to a Deployment or StatefulSet by which the garbage collector finds what goes with it.
fn owner_reference((kind, owner): (&str, &ObjectMeta)) -> OwnerReference {
    OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        name: owner.name.clone().unwrap_or_default(),
        uid: owner.uid.clone().unwrap_or_default(),
        ..OwnerReference::default()
    }
}
