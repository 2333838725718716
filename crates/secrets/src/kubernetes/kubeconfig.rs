//! The file by which `kubectl` finds clusters
//! (<https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>).

use std::path::Path;

use pilotage_spec::read_document;
use serde::Deserialize;

use super::KubernetesError;
use crate::file::{read, read_bytes};
use crate::{Secret, base64};

/// How a cluster is reached, and as whom.
pub(super) struct Access {
    /// The base URL of its API, without a slash at the end.
    pub(super) server: String,
    /// Whom to trust, in PEM; without it, whom the machine trusts.
    pub(super) authority: Option<Vec<u8>>,
    pub(super) token: Option<Secret>,
    /// A certificate of our own, with its key.
    pub(super) identity: Option<(Vec<u8>, Secret)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    current_context: String,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
    #[serde(default)]
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority: Option<String>,
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct User {
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<String>,
    client_certificate: Option<String>,
    client_certificate_data: Option<String>,
    client_key: Option<String>,
    client_key_data: Option<String>,
    exec: Option<serde_json::Value>,
    auth_provider: Option<serde_json::Value>,
    username: Option<String>,
}

/// What a `kubeconfig` says of a context, or of its current one.
pub(super) fn read_access(path: &Path, text: &str, context: Option<&str>) -> Result<Access, KubernetesError> {
    let wrong = |reason: String| KubernetesError::Kubeconfig { path: path.to_owned(), reason };
    let value = read_document("kubeconfig", text).map_err(|_| wrong("it is not plain YAML".to_owned()))?;
    // The words of serde could repeat a value.
    let file: File = serde_json::from_value(value).map_err(|_| {
        wrong("it does not have the form of one (`contexts`, `clusters`, `users`)".to_owned())
    })?;
    let name = context.unwrap_or(&file.current_context);
    let context = file.contexts.into_iter().find(|known| known.name == name);
    let Context { cluster, user } = context
        .ok_or_else(|| wrong(format!("it has no context `{}`; correct `context`", name.escape_debug())))?
        .context;
    let found = file.clusters.into_iter().find(|known| known.name == cluster);
    let cluster =
        found.ok_or_else(|| wrong(format!("it has no cluster `{}`", cluster.escape_debug())))?.cluster;
    let found = file.users.into_iter().find(|known| known.name == user);
    let user = found.map(|known| known.user).unwrap_or_default();
    if cluster.insecure_skip_tls_verify {
        return Err(wrong(
            "`insecure-skip-tls-verify` would hand the credentials to anybody; name the cluster's certificate authority".to_owned(),
        ));
    }
    let server = cluster.server.trim_end_matches('/').to_owned();
    if !server.starts_with("https://") && !server.starts_with("http://") {
        return Err(wrong("the server of its cluster begins with neither https:// nor http://".to_owned()));
    }
    let files = Files { path, folder: path.parent().unwrap_or(Path::new("/")) };
    let authority = files.data(cluster.certificate_authority_data, cluster.certificate_authority)?;
    let (token, identity) = files.credentials(user)?;
    Ok(Access { server, authority, token, identity })
}

/// Reads the file; blocks for as long as the disk takes.
pub(super) fn read_file(path: &Path, context: Option<&str>) -> Result<Access, KubernetesError> {
    let bytes = read_bytes(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| KubernetesError::Kubeconfig {
        path: path.to_owned(),
        reason: "it is not text".to_owned(),
    })?;
    read_access(path, text, context)
}

/// Where the files are that a `kubeconfig` names: relative to itself.
struct Files<'a> {
    path: &'a Path,
    folder: &'a Path,
}

type Credentials = (Option<Secret>, Option<(Vec<u8>, Secret)>);

impl Files<'_> {
    fn credentials(&self, user: User) -> Result<Credentials, KubernetesError> {
        let token = match (user.token_file, user.token) {
            (Some(file), _) => Some(read(&self.folder.join(file))?),
            (None, token) => token.map(Secret::from),
        };
        let chain = self.data(user.client_certificate_data, user.client_certificate)?;
        let key = self.data(user.client_key_data, user.client_key)?;
        let identity = chain.zip(key.map(Secret::new));
        let other = user.exec.is_some() || user.auth_provider.is_some() || user.username.is_some();
        if token.is_none() && identity.is_none() && other {
            return Err(self.wrong(
                "its user logs in by a program or a password, which is not supported; give it a `token`, a `tokenFile` or a \
                 client certificate",
            ));
        }
        Ok((token, identity))
    }

    /// What is written in Base64, or else lies in a file.
    fn data(
        &self,
        written: Option<String>,
        file: Option<String>,
    ) -> Result<Option<Vec<u8>>, KubernetesError> {
        match (written, file) {
            (Some(written), _) => {
                let decoded = base64::decode(&written);
                decoded.map(Some).ok_or_else(|| self.wrong("one of its `-data` fields is not Base64"))
            }
            (None, Some(file)) => Ok(Some(read_bytes(&self.folder.join(file))?.to_vec())),
            (None, None) => Ok(None),
        }
    }

    fn wrong(&self, reason: &str) -> KubernetesError {
        KubernetesError::Kubeconfig { path: self.path.to_owned(), reason: reason.to_owned() }
    }
}
