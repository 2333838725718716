//! A bearer token, which is never written out.

use crate::SecretSource;
use crate::read::shape::{Fields, Object, field};
use crate::read::values::secret_source;

/// The shape of `token`.
pub(super) const fn token() -> Object<SecretSource> {
    Object { expected: "a reference to a secret", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<SecretSource> {
    let secret =
        field("secret", "Where the token is read: `env:NAME`, `file:path` or another reference to a secret.");
    fields.required(secret.example("env:PROMETHEUS_TOKEN"), &secret_source())
}
