//! What one numbered request is like.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, TE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri, Version};

use super::body::RequestBody;
use super::clients::Clients;
use super::plan::LoadPlan;
use crate::grpc;
use crate::random::Random;
use crate::sample::GRPC_SERVICE;

/// Where the sample service sends back what it is sent.
const ECHO_PATH: &str = "/echo";

/// One numbered request; what it is like follows from the plan's seed and its number.
#[derive(Debug)]
pub(super) struct Numbered<'a> {
    plan: &'a LoadPlan,
    clients: &'a Clients,
    pub(super) number: u64,
    pub(super) method: Method,
    client: u64,
    slow: bool,
    /// It uses a connection that is closed after it. Over HTTP/1.1 only.
    pub(super) own_connection: bool,
}

impl<'a> Numbered<'a> {
    pub(super) fn new(plan: &'a LoadPlan, clients: &'a Clients, number: u64) -> Self {
        let mut random = Random::for_item(plan.seed, number);
        let post = random.chance(plan.post_share);
        Self {
            plan,
            clients,
            number,
            method: if post { Method::POST } else { Method::GET },
            client: random.below(plan.clients.max(1)),
            slow: post && random.chance(plan.slow_upload_share),
            own_connection: random.chance(plan.new_connection_share),
        }
    }

    /// As it is sent over HTTP/1.1.
    pub(super) fn http1(&self, body: &Bytes) -> Result<Request<RequestBody>, http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.path())
            .header(HOST, self.plan.host.as_str())
            .body(self.body(body))?;
        if self.own_connection {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.identify(request.headers_mut());
        Ok(request)
    }

    /// As it is sent over HTTP/2.
    pub(super) fn http2(&self, body: &Bytes) -> Result<Request<RequestBody>, http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.absolute(self.path())?)
            .version(Version::HTTP_2)
            .body(self.body(body))?;
        self.identify(request.headers_mut());
        Ok(request)
    }

    /// As a call of a method of the sample's gRPC service.
    pub(super) fn call<B>(&self, method: &str, body: B) -> Result<Request<B>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.absolute(&format!("/{GRPC_SERVICE}/{method}"))?)
            .version(Version::HTTP_2)
            .header(CONTENT_TYPE, grpc::CONTENT_TYPE)
            .header(TE, "trailers")
            .body(body)?;
        self.identify(request.headers_mut());
        Ok(request)
    }

    /// What its messages say.
    pub(super) fn message(&self) -> String {
        format!("message {}", self.number)
    }

    /// Adds what tells its client from others.
    pub(super) fn identify(&self, headers: &mut HeaderMap) {
        self.clients.identify(self.client, headers);
    }

    /// Lets its client keep the cookie that it was given.
    pub(super) fn remember(&self, answer: &HeaderMap) {
        self.clients.remember(self.client, answer);
    }

    /// What an answer from the sample service has to consist of, if that is known.
    pub(super) fn echo<'b>(&self, body: &'b Bytes) -> Option<&'b Bytes> {
        Some(body).filter(|_| self.path() == ECHO_PATH)
    }

    fn path(&self) -> &str {
        if self.method == Method::POST { &self.plan.post_path } else { &self.plan.path }
    }

    fn absolute(&self, path: &str) -> Result<Uri, http::Error> {
        let authority: Authority = self.plan.host.parse()?;
        let path: PathAndQuery = path.parse()?;
        Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(path).build()
    }

    fn body(&self, content: &Bytes) -> RequestBody {
        match (self.method == Method::POST, self.slow) {
            (true, true) => RequestBody::slow(content.clone(), self.plan.slow_upload),
            (true, false) => RequestBody::whole(content.clone()),
            (false, _) => RequestBody::whole(Bytes::new()),
        }
    }
}
