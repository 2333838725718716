//! The secrets that this process knows, and nobody else is to.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{Masker, Secret};

/// So many secrets are remembered; each further one takes the place of the oldest. Rotation must not fill the memory.
const REMEMBERED: usize = 1024;

/// The secrets that are known by now, and what masks them. Cheap to clone; all clones know the same.
#[derive(Clone, Default)]
pub struct Known {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Default)]
struct Inner {
    secrets: VecDeque<Secret>,
    masker: Arc<Masker>,
}

impl Known {
    /// Takes in secrets. From now on they are masked.
    pub fn learn(&self, secrets: &[Secret]) {
        let is_new = |inner: &Inner| secrets.iter().any(|secret| !inner.secrets.contains(secret));
        if !is_new(&self.inner.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            if !inner.secrets.contains(secret) {
                inner.secrets.push_back(secret.clone());
            }
        }
        let surplus = inner.secrets.len().saturating_sub(REMEMBERED);
        inner.secrets.drain(..surplus);
        inner.masker = Arc::new(Masker::new(inner.secrets.make_contiguous()));
    }

    /// What masks everything that is known now.
    pub fn masker(&self) -> Arc<Masker> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner).masker)
    }

    /// The text without what is known.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.masker().text(text)
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}
