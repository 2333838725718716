//! What routing asks of a request, answered from its head and its connection.

use std::net::IpAddr;

use crate::message::{Name, RequestHead};
use crate::routing::{Asked, Origin};

/// A request, and where it comes from.
pub(super) struct AskedRequest<'r> {
    pub(super) head: &'r RequestHead,
    pub(super) origin: &'r Origin,
}

impl Asked for AskedRequest<'_> {
    fn target(&self) -> &[u8] {
        self.head.target()
    }

    fn method_is_safe(&self) -> bool {
        self.head.is_safe()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.fields.find(name)
    }

    fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.head.fields.all(Name::Cookie)
    }

    fn client(&self) -> IpAddr {
        self.origin.client
    }

    fn is_secure(&self) -> bool {
        self.origin.secure
    }
}
