//! ingress-nginx: two Ingresses for the same requests. The main one names a version; the canary beside it names another, with how
//! much of the traffic it gets in its annotations.
//!
//! Each switch is a write of the canary alone: also the one to a new version with everything. The main Ingress follows after
//! it, when it has nothing to serve, and so never shows.

mod annotations;
mod object;
mod read;
mod route;
mod turn;

/// Ingresses of this class.
#[derive(Debug, Clone)]
pub(crate) struct Nginx {
    /// The name of the IngressClass.
    pub(crate) class: String,
}

#[cfg(test)]
mod tests;
