//! What becomes of one certificate when its files change: a sound one takes the place of the one before it, anything
//! else leaves that in use and is reported.

use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::rustls::crypto::CryptoProvider;

use super::error::CertificateError;
use super::files::Fingerprint;
use super::loaded::Loaded;
use super::status::CertificateStatus;
use crate::table::Certificate;

/// A certificate as it is served, and how its files were last seen.
#[derive(Debug)]
pub(super) struct Kept {
    files: Certificate,
    seen: Fingerprint,
    /// What is served; `None` if the files have never held anything that could be.
    pub(super) loaded: Option<Arc<Loaded>>,
    /// What is wrong with the files as they are now.
    pub(super) problem: Option<CertificateError>,
}

/// What a look at the files found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// As before, if perhaps touched.
    Same,
    /// Another certificate is served.
    Renewed,
    /// The files are sound again, and hold what is served already.
    Healed,
    /// The files have a problem that they did not have before.
    Failing,
}

impl Kept {
    /// Reads the files for the first time. A certificate outside of its time is served, with that as its problem: a
    /// warning in the browser serves users better than nothing.
    pub(super) fn first(files: &Certificate, provider: &CryptoProvider, now: SystemTime) -> Self {
        // Before reading, so that a change meanwhile is seen with the next look.
        let seen = Fingerprint::of(files);
        let (loaded, problem) = read(files, provider, now);
        Self { files: files.clone(), seen, loaded: loaded.map(Arc::new), problem }
    }

    /// Reads the files again if that may bring anything new: they have changed, or had a problem, or what is served is
    /// no longer valid.
    pub(super) fn look_again(&self, provider: &CryptoProvider, now: SystemTime) -> Option<(Self, Finding)> {
        let seen = Fingerprint::of(&self.files);
        let sound = self.problem.is_none() && self.is_valid(now);
        if sound && seen == self.seen {
            return None;
        }
        let (found, problem) = read(&self.files, provider, now);
        // What is outside of its time replaces only what is not valid either.
        let loaded = match found {
            Some(found) if problem.is_none() || !self.is_valid(now) => Some(Arc::new(found)),
            _ => self.loaded.clone(),
        };
        let next = Self { files: self.files.clone(), seen, loaded, problem };
        let finding = next.compare(self);
        Some((next, finding))
    }

    /// What is served, and what is wrong, for people and programs outside.
    pub(super) fn status(&self) -> CertificateStatus {
        let loaded = self.loaded.as_ref();
        CertificateStatus {
            chain: self.files.chain.clone(),
            names: loaded.map(|loaded| loaded.names.list()).unwrap_or_default(),
            not_after_secs: loaded.map(|loaded| loaded.not_after_unix().as_secs()),
            problem: self.problem.as_ref().map(ToString::to_string),
        }
    }

    /// Says in the log what a look has found.
    pub(super) fn report(&self, finding: Finding) {
        let chain = self.files.chain.display();
        match finding {
            Finding::Same => {}
            Finding::Renewed => self.report_use("certificate renewed"),
            Finding::Healed => tracing::info!(%chain, "the files of the certificate are sound again"),
            Finding::Failing => self.report_problem(),
        }
    }

    /// Says in the log what is wrong, if anything is, and what that means for users.
    pub(super) fn report_problem(&self) {
        let Some(problem) = &self.problem else { return };
        match &self.loaded {
            None => tracing::error!(
                "{problem}. Until then, handshakes that would need this certificate are refused or get another"
            ),
            Some(loaded) => tracing::error!(
                "{problem}. Until then, the edge serves the certificate that it has, which ends at {}",
                loaded.not_after()
            ),
        }
    }

    fn report_use(&self, what: &str) {
        if let Some(loaded) = &self.loaded {
            let (chain, not_after) = (self.files.chain.display(), loaded.not_after());
            tracing::info!(%chain, names = ?loaded.names.list(), %not_after, "{what}");
        }
    }

    fn is_valid(&self, now: SystemTime) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.check_time(&self.files.chain, now).is_ok())
    }

    fn compare(&self, before: &Self) -> Finding {
        let text = |kept: &Self| kept.problem.as_ref().map(ToString::to_string);
        let same = match (&self.loaded, &before.loaded) {
            (Some(now), Some(before)) => now.is_same(before),
            (None, None) => true,
            _ => false,
        };
        match (text(self), text(before)) {
            (Some(now), before) if before.as_ref() != Some(&now) => Finding::Failing,
            (Some(_), _) if same => Finding::Same,
            (None, Some(_)) if same => Finding::Healed,
            (None, None) if same => Finding::Same,
            _ => Finding::Renewed,
        }
    }
}

/// What the files hold, which may be served although there is a problem.
fn read(
    files: &Certificate,
    provider: &CryptoProvider,
    now: SystemTime,
) -> (Option<Loaded>, Option<CertificateError>) {
    match Loaded::read(files, provider) {
        Ok(loaded) => {
            let problem = loaded.check_time(&files.chain, now).err();
            (Some(loaded), problem)
        }
        Err(problem) => (None, Some(problem)),
    }
}
