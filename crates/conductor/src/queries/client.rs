//! Who is asked, with the token as it is at that time: one that is replaced while a deployment is under way does not make it blind.

use std::sync::Arc;
use std::time::Duration;

use pilotage_secrets::{Secret, SecretReader};
use pilotage_signals::{JsonClient, PrometheusClient, Source};
use pilotage_spec::{JsonSource, Prometheus, SecretSource, Version, Workload};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is read anew after this time: a dozen questions a second are not to become a dozen questions to Vault.
const KEPT: Duration = Duration::from_secs(10);

/// A bearer token that may be replaced at any time.
#[derive(Clone)]
pub(crate) struct Token {
    source: Option<SecretSource>,
    secrets: SecretReader,
    kept: Arc<Mutex<Option<(Instant, Secret)>>>,
}

impl Token {
    pub(super) fn new(source: Option<SecretSource>, secrets: &SecretReader) -> Self {
        Self { source, secrets: secrets.clone(), kept: Arc::default() }
    }

    /// The token as it is now, or was a moment ago.
    async fn current(&self) -> Result<Option<Secret>, String> {
        let Some(source) = &self.source else { return Ok(None) };
        let mut kept = self.kept.lock().await;
        if let Some((_, token)) = kept.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(Some(token.clone()));
        }
        let token = self.secrets.read_token(source).await.map_err(|error| error.to_string())?;
        *kept = Some((Instant::now(), token.clone()));
        Ok(Some(token))
    }

    /// What went wrong, in words that hold no secret: those of others may.
    fn words(&self, error: &impl ToString) -> String {
        self.secrets.known().text(&error.to_string()).into_owned()
    }
}

/// A Prometheus, or why it cannot be asked.
#[derive(Clone)]
pub(crate) struct Client {
    client: Result<PrometheusClient, String>,
    token: Token,
}

impl Client {
    pub(super) fn new(prometheus: &Prometheus, secrets: &SecretReader) -> Self {
        let client = PrometheusClient::new(&prometheus.url, None).map_err(|error| error.to_string());
        Self { client, token: Token::new(prometheus.token.clone(), secrets) }
    }

    /// The critical alerts that fire for a workload.
    pub(super) async fn critical_alerts(&self, workload: &Workload) -> Result<Vec<String>, String> {
        let alerts = self.authorized().await?.critical_alerts(workload).await;
        alerts.map_err(|error| self.token.words(&error))
    }

    /// The number that a query yields.
    pub(super) async fn number(
        &self,
        query: &str,
        workload: &Workload,
        version: &Version,
    ) -> Result<f64, String> {
        let source = Source::Prometheus { client: self.authorized().await?, query: query.to_owned() };
        source.number(workload, version).await.map_err(|error| self.token.words(&error))
    }

    async fn authorized(&self) -> Result<PrometheusClient, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        match self.token.current().await? {
            Some(token) => client.authorized(text(&token)).map_err(|error| self.token.words(&error)),
            None => Ok(client.clone()),
        }
    }
}

/// A document with a number in it.
pub(crate) struct Document {
    client: Result<JsonClient, String>,
    token: Token,
}

impl Document {
    pub(super) fn new(source: &JsonSource, secrets: &SecretReader) -> Self {
        let client = JsonClient::new(source.clone(), None).map_err(|error| error.to_string());
        Self { client, token: Token::new(source.token.clone(), secrets) }
    }

    /// The number of one version.
    pub(super) async fn number(&self, workload: &Workload, version: &Version) -> Result<f64, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let client = match self.token.current().await? {
            Some(token) => &client.authorized(text(&token)).map_err(|error| self.token.words(&error))?,
            None => client,
        };
        client.number(workload, version).await.map_err(|error| self.token.words(&error))
    }
}

/// A token has been found to be visible ASCII.
fn text(token: &Secret) -> &str {
    token.expose_text().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pilotage_secrets::Known;
    use pilotage_spec::SecretSettings;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_replaced_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let write = |token: &str| std::fs::write(folder.path().join("token"), token).unwrap();
        let reader = SecretReader::new(folder.path(), SecretSettings::default(), Known::default());
        let token = Token::new(Some(SecretSource::File("token".to_owned())), &reader);
        assert!(token.current().await.unwrap_err().starts_with("secret file:token: "));
        write("first-token");
        assert_eq!(token.current().await.unwrap().unwrap().expose(), b"first-token");
        write("second-token");
        tokio::time::sleep(KEPT).await;
        assert_eq!(token.current().await.unwrap().unwrap().expose(), b"second-token");
        assert_eq!(token.words(&"no first-token, no second-token"), "no [masked], no [masked]");
        let none =
            Token::new(None, &SecretReader::new(Path::new("/"), SecretSettings::default(), Known::default()));
        assert_eq!(none.current().await.unwrap(), None);
    }
}
