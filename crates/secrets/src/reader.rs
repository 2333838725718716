//! Follows references to secrets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use pilotage_spec::{SecretSettings, SecretSource};

use crate::vault::Sessions;
use crate::{Known, Secret, SecretError, SecretFault, age, command, file, kubernetes, vault};

/// No secret takes longer than this, whatever it is read from.
const LIMIT: Duration = Duration::from_secs(20);

/// Reads secrets by their references, each time anew. Cheap to clone.
#[derive(Clone)]
pub struct SecretReader {
    inner: Arc<Inner>,
}

struct Inner {
    /// What relative paths are relative to.
    folder: PathBuf,
    settings: RwLock<Arc<SecretSettings>>,
    sessions: Sessions,
    known: Known,
}

impl SecretReader {
    /// A reader whose relative paths are relative to the project's folder. What it reads is `known` from then on.
    pub fn new(folder: &Path, settings: SecretSettings, known: Known) -> Self {
        let settings = RwLock::new(Arc::new(settings));
        let inner = Inner { folder: folder.to_owned(), settings, sessions: Sessions::default(), known };
        Self { inner: Arc::new(inner) }
    }

    /// The file may say otherwise by now how the sources are reached.
    pub fn configure(&self, settings: &SecretSettings) {
        let mut current = self.inner.settings.write().unwrap_or_else(PoisonError::into_inner);
        if **current != *settings {
            *current = Arc::new(settings.clone());
        }
    }

    /// How the sources are reached.
    pub fn settings(&self) -> Arc<SecretSettings> {
        Arc::clone(&self.inner.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was read so far.
    pub fn known(&self) -> &Known {
        &self.inner.known
    }

    /// Reads a secret.
    ///
    /// # Errors
    /// Fails if it cannot be reached within 20 s, is not there, is empty, or is longer than 64 KiB.
    pub async fn read(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        let seconds = LIMIT.as_secs();
        let read = tokio::time::timeout(LIMIT, self.fetch(source)).await;
        let secret = read.unwrap_or(Err(SecretFault::TookTooLong { seconds }));
        let secret = secret.and_then(within_limits).map_err(|fault| SecretError::new(source, fault))?;
        self.inner.known.learn(std::slice::from_ref(&secret));
        Ok(secret)
    }

    /// Reads a secret that is given to a service as a variable.
    ///
    /// # Errors
    /// As [`Self::read`], and if it is not a text that a variable can hold.
    pub async fn read_variable(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        let secret = self.read(source).await?;
        match secret.expose_text() {
            Some(text) if !text.contains('\0') => Ok(secret),
            _ => Err(SecretError::new(source, SecretFault::NotText)),
        }
    }

    /// Reads a secret that is sent in a header.
    ///
    /// # Errors
    /// As [`Self::read`], and if it is not visible ASCII, perhaps with spaces in it.
    pub async fn read_token(&self, source: &SecretSource) -> Result<Secret, SecretError> {
        let secret = self.read(source).await?;
        if secret.expose().iter().all(|byte| matches!(byte, b' '..=b'~')) {
            Ok(secret)
        } else {
            Err(SecretError::new(source, SecretFault::NotSendable))
        }
    }

    async fn fetch(&self, source: &SecretSource) -> Result<Secret, SecretFault> {
        let settings = self.settings();
        match source {
            SecretSource::Vault(wanted) => {
                let vault = settings.vault.as_ref().ok_or(SecretFault::NoSettings { key: "vault" })?;
                vault::read(self, &self.inner.sessions, vault, wanted).await
            }
            SecretSource::Kubernetes(wanted) => {
                Ok(kubernetes::read(&self.inner.folder, &settings.kubernetes, wanted, self.known()).await?)
            }
            SecretSource::Age(wanted) => {
                let identity = settings.age_identity.as_ref();
                let identity =
                    self.fetch_local(identity.ok_or(SecretFault::NoSettings { key: "age" })?).await?;
                let (path, field) = (self.inner.folder.join(&wanted.file), wanted.field.clone());
                Ok(blocking(move || age::read(&path, field.as_ref(), &identity)).await??)
            }
            local => self.fetch_local(local).await,
        }
    }

    /// A secret that needs no other to be read.
    pub(crate) async fn fetch_local(&self, source: &SecretSource) -> Result<Secret, SecretFault> {
        let secret = match source {
            SecretSource::Env(name) => {
                let value = std::env::var_os(name.as_str());
                let value = value.ok_or_else(|| SecretFault::NotSet { variable: name.to_string() })?;
                Secret::new(std::os::unix::ffi::OsStringExt::into_vec(value))
            }
            SecretSource::File(path) => {
                let path = self.inner.folder.join(path);
                blocking(move || file::read(&path)).await??
            }
            SecretSource::Command(name) => {
                let settings = self.settings();
                let missing = SecretFault::NoSettings { key: "commands" };
                let words = settings.commands.get(name).ok_or(missing)?;
                command::read(words, &self.inner.folder).await?
            }
            SecretSource::Vault(_) | SecretSource::Kubernetes(_) | SecretSource::Age(_) => {
                return Err(SecretFault::NotLocal);
            }
        };
        let secret = within_limits(secret)?;
        self.inner.known.learn(std::slice::from_ref(&secret));
        Ok(secret)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.inner.folder
    }
}

impl std::fmt::Debug for SecretReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretReader").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

fn within_limits(secret: Secret) -> Result<Secret, SecretFault> {
    match secret.expose().len() {
        0 => Err(SecretFault::Empty),
        length if length > crate::LIMIT_BYTES => Err(SecretFault::TooLong),
        _ => Ok(secret),
    }
}

/// Does what may take the disk long on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SecretFault> {
    let seconds = LIMIT.as_secs();
    tokio::task::spawn_blocking(work).await.map_err(|_| SecretFault::TookTooLong { seconds })
}
