//! The certificates of the rig: an authority of its own, the API server's certificate, and the one by which the API server
//! signs in to the kubelet.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::rig::{RigError, folder};

/// Where they lie, as PEM.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    pub(crate) fn in_folder(run: &Path) -> Self {
        Self { folder: run.join("pki") }
    }

    /// The file of a certificate or key, such as `ca.crt`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes all of them. `names` are the API server's addresses and names.
    pub(crate) fn make(&self, names: Vec<String>) -> Result<(), RigError> {
        let authority = authority().map_err(failed)?;
        self.write("ca.crt", &authority.pem())?;
        self.write("ca.key", &authority.key().serialize_pem())?;
        let mut server = params("kube-apiserver", names).map_err(failed)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue("apiserver", &server, &authority)?;
        let mut client = params("kube-apiserver-kubelet-client", Vec::new()).map_err(failed)?;
        client.distinguished_name.push(DnType::OrganizationName, "system:masters");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue("kubelet-client", &client, &authority)?;
        // Signs the tokens of service accounts.
        let tokens = key().map_err(failed)?;
        self.write("service-accounts.key", &tokens.serialize_pem())?;
        self.write("service-accounts.pub", &tokens.public_key_pem())
    }

    fn issue(
        &self,
        name: &str,
        params: &CertificateParams,
        authority: &CertifiedIssuer<'_, KeyPair>,
    ) -> Result<(), RigError> {
        let key = key().map_err(failed)?;
        let certificate = params.signed_by(&key, authority).map_err(failed)?;
        self.write(&format!("{name}.crt"), &certificate.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    fn write(&self, name: &str, pem: &str) -> Result<(), RigError> {
        folder::write(&self.file(name), pem)
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = params("pilotage-rig", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    CertifiedIssuer::self_signed(params, key()?)
}

fn params(common_name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

/// Elliptic, since Kubernetes takes such keys also for tokens.
fn key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
}

fn failed(error: rcgen::Error) -> RigError {
    RigError::Command { program: "the maker of certificates".to_owned(), reason: error.to_string() }
}
