//! What must not be lost with the edge before: a certificate that it has in memory, while its file is broken.

use crate::CertificateStatus;

/// The first certificate that the edge before serves and this one would not, or not as long as it is valid there; with what
/// is wrong with it.
pub(in crate::edge) fn first_lost(before: &[CertificateStatus], now: &[CertificateStatus]) -> Option<String> {
    before.iter().find_map(|before| {
        let same = now.iter().find(|now| now.chain == before.chain)?;
        let problem = same.problem.as_ref()?;
        let lost = same.not_after_secs < before.not_after_secs;
        lost.then(|| {
            format!(
                "the certificate {} is served from memory, and its file cannot be used: {problem}",
                before.chain.display()
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(not_after_secs: Option<u64>, problem: Option<&str>) -> CertificateStatus {
        CertificateStatus {
            chain: "/etc/tls/shop.pem".into(),
            names: Vec::new(),
            not_after_secs,
            problem: problem.map(str::to_owned),
        }
    }

    fn lost(before: &CertificateStatus, now: &CertificateStatus) -> Option<String> {
        first_lost(std::slice::from_ref(before), std::slice::from_ref(now))
    }

    #[test]
    fn only_what_is_served_better_now_would_be_lost() {
        let good = certificate(Some(900), None);
        let stale = certificate(Some(900), Some("it is cut off"));
        let unreadable = certificate(None, Some("it is cut off"));
        let expired = certificate(Some(100), Some("it has expired"));
        let reason = lost(&good, &unreadable).unwrap();
        assert!(reason.contains("/etc/tls/shop.pem") && reason.contains("it is cut off"), "{reason}");
        assert!(lost(&stale, &expired).is_some());

        assert_eq!(lost(&good, &certificate(Some(800), None)), None, "it was renewed for less time");
        assert_eq!(lost(&expired, &expired), None, "it is no worse than before");
        assert_eq!(lost(&unreadable, &unreadable), None, "nothing is served as it is");
        assert_eq!(first_lost(&[good], &[]), None);
    }
}
