//! A request for tests.

use std::net::{IpAddr, Ipv4Addr};

use super::Asked;

/// A request that is only what a test says of it.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) target: String,
    pub(crate) safe: bool,
    pub(crate) client: IpAddr,
    pub(crate) secure: bool,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self {
            target: "/".to_owned(),
            safe: true,
            client: Ipv4Addr::new(192, 0, 2, 7).into(),
            secure: false,
            headers: Vec::new(),
        }
    }

    /// With one header more.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn at(target: &str) -> Self {
        Self { target: target.to_owned(), ..Self::new() }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}

impl Asked for Sample {
    fn target(&self) -> &[u8] {
        self.target.as_bytes()
    }

    fn method_is_safe(&self) -> bool {
        self.safe
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.values("cookie")
    }

    fn client(&self) -> IpAddr {
        self.client
    }

    fn is_secure(&self) -> bool {
        self.secure
    }
}
