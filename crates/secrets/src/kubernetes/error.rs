//! Why a cluster did not say a secret.

use std::path::PathBuf;

use thiserror::Error;

use crate::FileError;

/// Why a cluster did not say a secret. Messages never hold a token or value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KubernetesError {
    /// Nothing tells which cluster.
    #[error(
        "no cluster is known: Pilotage does not run in one, and there is no kubeconfig; write `secrets: {{ kubernetes: {{ \
         kubeconfig: FILE }} }}`"
    )]
    NoCluster,
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The `kubeconfig` cannot be used.
    #[error("the kubeconfig {}: {reason}", .path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// What is known of the cluster cannot be used.
    #[error("the cluster cannot be asked: {reason}")]
    Configuration {
        /// What is wrong.
        reason: String,
    },
    /// A token that no header can carry.
    #[error(
        "the token for the cluster holds characters that a header cannot carry; look for a line break in it"
    )]
    Token,
    /// No connection, or no whole answer.
    #[error("the Kubernetes API at {server} cannot be reached: {reason}")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        reason: String,
    },
    /// It does not know who asks.
    #[error(
        "the Kubernetes API at {server} does not accept the credentials; log in anew, or give another token"
    )]
    Unauthorized {
        /// The server.
        server: String,
    },
    /// It knows, and refuses.
    #[error("the Kubernetes API refuses {wanted} ({reason}); allow `get` on that Secret by a Role")]
    Forbidden {
        /// What was asked for.
        wanted: String,
        /// In the words of the API.
        reason: String,
    },
    /// There is no such Secret.
    #[error("{server} has no Secret for {wanted}; create it, or correct the namespace or name")]
    Missing {
        /// What was asked for.
        wanted: String,
        /// The server.
        server: String,
    },
    /// It has no such key.
    #[error("the Secret of {wanted} has no such key; it has {keys}")]
    NoKey {
        /// What was asked for.
        wanted: String,
        /// Those that it has.
        keys: String,
    },
    /// Its value is not what the API promises.
    #[error("the value of {wanted} is not Base64, as the Kubernetes API would answer")]
    NotBase64 {
        /// What was asked for.
        wanted: String,
    },
    /// Another status.
    #[error("the Kubernetes API at {server} answered {status} ({reason})")]
    Status {
        /// The server.
        server: String,
        /// The HTTP status.
        status: u16,
        /// In the words of the API.
        reason: String,
    },
    /// Something else listens there.
    #[error("what answers at {server} is not a Kubernetes API: {reason}; check the kubeconfig")]
    NotKubernetes {
        /// The server.
        server: String,
        /// What was found.
        reason: String,
    },
}
