//! The address that services of an environment share.

use std::net::SocketAddr;

use crate::read::node::Spanned;
use crate::read::shape::{Fields, ListOf, Object, Placed, field};
use crate::read::web::{file_path, network, socket_address};
use crate::{CertificateFiles, Network};

/// What is written about the address that services share.
#[derive(Default)]
pub(crate) struct EdgeDraft {
    pub listen: Option<Spanned<SocketAddr>>,
    pub certificates: Vec<CertificateFiles>,
    pub redirect: Option<Spanned<SocketAddr>>,
    pub trusted_proxies: Vec<Network>,
}

/// The shape of `edge`.
pub(super) const fn edge() -> Object<EdgeDraft> {
    Object { expected: "`edge`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<EdgeDraft> {
    let listen = "The address that the services with a `path` or `host` share. Default: the environment's `listen` with port \
                  443 if there are certificates, else 80.";
    let certificates = "Certificates, each with its key; which one is shown depends on the host that a client asks for. They \
                        are read again when the files change.";
    let redirect = "An address at which every request is redirected to `https` at `listen`.";
    let trusted = "Proxies in front of the edge: what they say of the client in `Forwarded` and `X-Forwarded-*` is believed.";
    Some(EdgeDraft {
        listen: fields.optional(field("listen", listen).example("0.0.0.0:443"), &Placed(socket_address())),
        certificates: fields
            .optional(
                field("certificates", certificates),
                &ListOf {
                    item: Object { expected: "a certificate", fields: certificate },
                    at_least: 0,
                    expected: "a list of certificates",
                    example: "[{ chain: shop.pem, key: shop.key }]",
                },
            )
            .unwrap_or_default(),
        redirect: fields
            .optional(field("redirect", redirect).example("0.0.0.0:80"), &Placed(socket_address())),
        trusted_proxies: fields
            .optional(
                field("trusted_proxies", trusted),
                &ListOf {
                    item: network(),
                    at_least: 0,
                    expected: "a list of ranges",
                    example: "[10.0.0.0/8]",
                },
            )
            .unwrap_or_default(),
    })
}

fn certificate(fields: &mut Fields<'_>) -> Option<CertificateFiles> {
    let chain = fields.required(
        field("chain", "The file with the certificate and those above it, in PEM: absolute, or relative to the folder of \
              pilotage.yaml.")
            .example("certificates/shop.pem"),
        &file_path(),
    );
    let key = fields.required(
        field("key", "The file with the private key, in PEM.").example("certificates/shop.key"),
        &file_path(),
    );
    Some(CertificateFiles { chain: chain?, key: key? })
}
