//! The client: a base address, perhaps a token, and questions.

use std::fmt;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use pilotage_spec::{Version, Workload};

use super::PrometheusError;
use super::answer::{Envelope, Numbers};
use super::query::{critical_alerts, substituted};
use pilotage_fetch::{
    TIMEOUT, Transport, TransportError, bearer, described, percent_encoded, request, without_user,
};

/// A Prometheus server, or anything that speaks its query API.
#[derive(Clone)]
pub struct PrometheusClient {
    /// Scheme, host, port and path prefix, without a slash at the end.
    base: String,
    /// `Bearer …`, marked as sensitive.
    authorization: Option<HeaderValue>,
    transport: Transport,
}

impl fmt::Debug for PrometheusClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusClient").field("base", &self.base).finish_non_exhaustive()
    }
}

impl PrometheusClient {
    /// For the server at a base URL such as `http://prometheus:9090` or `https://metrics.example.com/prometheus`. The
    /// token is sent as `Authorization: Bearer`. Asks nothing yet.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, PrometheusError> {
        let (base, tls) = parsed(url)?;
        let authorization =
            token.map(|token| bearer(&token)).transpose().map_err(|_| PrometheusError::Token)?;
        let no_roots = |error: std::io::Error| PrometheusError::NoRoots { reason: error.to_string() };
        let transport = Transport::new(tls).map_err(no_roots)?;
        Ok(Self { base, authorization, transport })
    }

    /// The same server, asked with this token.
    pub fn authorized(&self, token: &str) -> Result<Self, PrometheusError> {
        let authorization = bearer(token).map_err(|_| PrometheusError::Token)?;
        Ok(Self { authorization: Some(authorization), ..self.clone() })
    }

    /// The number that a query of the team's own yields now, or `None` if it yields nothing. `$SERVICE`, `$ENVIRONMENT`
    /// and `$VERSION` in it are substituted, `$$` is a literal dollar.
    pub async fn metric(
        &self,
        query: &str,
        workload: &Workload,
        version: &Version,
    ) -> Result<Option<f64>, PrometheusError> {
        let query = substituted(query, workload, version)
            .map_err(|error| PrometheusError::Query { reason: error.to_string() })?;
        self.instant(&query).await
    }

    /// The number that a query yields now, or `None` if it yields nothing.
    pub async fn instant(&self, query: &str) -> Result<Option<f64>, PrometheusError> {
        self.ask(query).await?.one()
    }

    /// The names of the alerts with `severity="critical"` that fire for the workload, sorted. An alert without a `service`
    /// or `environment` label counts for all.
    pub async fn critical_alerts(&self, workload: &Workload) -> Result<Vec<String>, PrometheusError> {
        let Numbers::Rows(rows) = self.ask(&critical_alerts(workload)).await? else { return Ok(Vec::new()) };
        let mut names: Vec<String> =
            rows.into_iter().filter_map(|mut row| row.metric.remove("alertname")).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn ask(&self, query: &str) -> Result<Numbers, PrometheusError> {
        let answer = self.transport.send(self.request(query)?).await.map_err(|error| self.failed(error))?;
        let (status, body) = (answer.status(), answer.into_body());
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(PrometheusError::Unauthorized { url: self.base.clone(), status: status.as_u16() });
        }
        let envelope: Result<Envelope, _> = serde_json::from_slice(&body);
        match envelope {
            Ok(envelope) if status.is_success() && envelope.status == "success" => {
                envelope.numbers(|reason| self.not_prometheus(reason))
            }
            // 400 and 422 are about the query; so says the API.
            Ok(Envelope { error: Some(reason), .. }) if status.is_success() || is_about_query(status) => {
                Err(PrometheusError::Query { reason })
            }
            Ok(Envelope { error, .. }) if !status.is_success() => Err(self.status(status, error)),
            Err(_) if !status.is_success() => Err(self.status(status, None)),
            Ok(_) => Err(self.not_prometheus("its answer says neither success nor error".to_owned())),
            Err(_) => Err(self.not_prometheus(described(&body))),
        }
    }

    fn request(&self, query: &str) -> Result<Request<Full<Bytes>>, PrometheusError> {
        let uri = format!("{}/api/v1/query?query={}", self.base, percent_encoded(query));
        // The address was parsed before, so what can still be wrong with it is its length.
        request(&uri, self.authorization.as_ref())
            .map_err(|error| PrometheusError::Query { reason: error.to_string() })
    }

    fn failed(&self, error: TransportError) -> PrometheusError {
        let url = self.base.clone();
        match error {
            TransportError::Timeout => PrometheusError::Timeout { url, after: TIMEOUT },
            TransportError::TooLong => self.not_prometheus("its answer is longer than 1 MiB".to_owned()),
            TransportError::Unreachable(reason) => PrometheusError::Unreachable { url, reason },
        }
    }

    fn status(&self, status: StatusCode, reason: Option<String>) -> PrometheusError {
        PrometheusError::Status { url: self.base.clone(), status: status.as_u16(), reason }
    }

    fn not_prometheus(&self, reason: String) -> PrometheusError {
        PrometheusError::NotPrometheus { url: self.base.clone(), reason }
    }
}

fn is_about_query(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY)
}

/// Checks a base URL; yields it without a slash at the end, and whether it wants TLS.
fn parsed(url: &str) -> Result<(String, bool), PrometheusError> {
    let refused = |shown: &str, reason: &str| {
        Err(PrometheusError::Url { url: shown.to_owned(), reason: reason.to_owned() })
    };
    let Ok(uri) = url.parse::<Uri>() else {
        return refused(&without_user(url), "write it as http://host:9090 or https://host/path");
    };
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return refused(&without_user(url), "it must start with http:// or https://"),
    };
    if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return refused(&without_user(url), "leave user and password out; set `token` instead");
    }
    if uri.query().is_some() {
        return refused(url, "leave out what follows the `?`");
    }
    Ok((url.trim_end_matches('/').to_owned(), tls))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn refusal(url: &str) -> String {
        PrometheusClient::new(url, None).unwrap_err().to_string()
    }

    #[test]
    fn an_address_that_cannot_work_is_refused_at_once() {
        assert!(refusal("prometheus:9090").contains("http://"));
        assert!(refusal("ftp://prometheus").contains("must start with http://"));
        assert!(refusal("http://host/?x=1").contains("`?`"));
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let message = refusal("https://admin:hunter2@metrics.example.com");
        assert!(message.contains("set `token` instead") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_token_is_never_shown() {
        let client = PrometheusClient::new("http://localhost:9090/", Some("s3cret".to_owned())).unwrap();
        let request = client.request("up").unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer s3cret");
        assert_eq!(request.uri().path(), "/api/v1/query");
        assert!(!format!("{client:?} {request:?}").contains("s3cret"));
        let broken = PrometheusClient::new("http://localhost", Some("s3cret\n".to_owned())).unwrap_err();
        assert!(!broken.to_string().contains("s3cret"));
    }
}
