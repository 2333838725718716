//! How the places are reached where secrets are kept.

use std::time::Duration;

use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{
    Checked, Field, Fields, Hidden, ListOf, MapOf, Object, Placed, Scalar, Shape, field,
};
use crate::read::values::{base_url, duration, label, local_secret, parsed};
use crate::read::web::file_path;
use crate::{
    KubernetesSecretSettings, SecretCommandName, SecretSettings, SecretSource, VaultLogin, VaultPath,
    VaultSettings,
};

/// Secrets are read anew no more often than this.
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);
/// Where Kubernetes puts the signed token of a pod.
const SERVICE_ACCOUNT_TOKEN: &str = "file:/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The shape of `secrets`.
pub(super) const fn secrets() -> Object<SecretSettings> {
    Object { expected: "`secrets`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<SecretSettings> {
    let refresh = "How often secrets that services have as files are read anew: one that has changed is written to the file, and \
                   the service gets its `reload` signal. `off`: only when an instance starts.";
    let refresh = fields.or(field("refresh", refresh), &duration(SHORTEST_REFRESH).or_off(), "off");
    let vault = fields.optional(
        field("vault", "A Vault server, for references such as `vault:MOUNT/PATH#FIELD`; its key-value store of version 2 is read."),
        &Object { expected: "`vault`", fields: vault },
    );
    let kubernetes = fields.optional(
        field(
            "kubernetes",
            "A cluster, for references such as `kubernetes:NAMESPACE/NAME#KEY`. Without it, the cluster in which Pilotage runs, \
             or else the usual kubeconfig.",
        ),
        &Object { expected: "`kubernetes`", fields: kubernetes },
    );
    let age = fields.optional(
        field("age", "What decrypts the files of references such as `age:path`."),
        &Object { expected: "`age`", fields: age },
    );
    let commands = fields.optional(
        field("commands", "Programs that write a secret, by name, each a list of arguments, for references such as `command:NAME`."),
        &MapOf {
            key: label("the name of a command"),
            value: Hidden(command()),
            expected: "a mapping of commands by name",
            at_least: 0,
        },
    );
    let named =
        |(name, command): (Spanned<SecretCommandName>, Option<Vec<String>>)| Some((name.value, command?));
    Some(SecretSettings {
        refresh: refresh?,
        vault,
        kubernetes: kubernetes.unwrap_or_default(),
        age_identity: age,
        commands: commands.unwrap_or_default().into_iter().filter_map(named).collect(),
    })
}

fn vault(fields: &mut Fields<'_>) -> Option<VaultSettings> {
    let url = field("url", "The server.").example("https://vault.example.com:8200");
    let url = fields.required(url, &Hidden(base_url()));
    let namespace = field("namespace", "The namespace, for the servers that have some.");
    let namespace = fields.optional(namespace, &path_in_vault());
    let authority = "A file with the certificates to trust instead of those that the machine trusts, in PEM.";
    let authority = fields.optional(field("authority", authority), &file_path());
    let token = field(
        "token",
        "Where a token is read: `env:NAME`, `file:path` or `command:NAME`. It is read anew for each use.",
    );
    let token =
        fields.optional(token.example("env:VAULT_TOKEN"), &Hidden(local_secret())).map(VaultLogin::Token);
    let role = field("app_role", "Logs in by the AppRole method.");
    let role = fields.optional(role, &Object { expected: "`app_role`", fields: app_role });
    let kubernetes = field("kubernetes", "Logs in by the Kubernetes method, with the pod's own token.");
    let kubernetes =
        fields.optional(kubernetes, &Object { expected: "`kubernetes`", fields: kubernetes_login });
    let jwt = field("jwt", "Logs in by the JWT method.");
    let jwt = fields.optional(jwt, &Object { expected: "`jwt`", fields: jwt_login });
    fields.exactly_one(&["token", "app_role", "kubernetes", "jwt"]);
    let login = token.or(role).or(kubernetes).or(jwt);
    Some(VaultSettings { url: url?, namespace, authority, login: login? })
}

fn app_role(fields: &mut Fields<'_>) -> Option<VaultLogin> {
    let role_id = field("role_id", "Where the role's id is read.").example("env:VAULT_ROLE_ID");
    let role_id = fields.required(role_id, &Hidden(local_secret()));
    let secret_id = field("secret_id", "Where its secret id is read.").example("env:VAULT_SECRET_ID");
    let secret_id = fields.required(secret_id, &Hidden(local_secret()));
    let mount = fields.or(MOUNT, &path_in_vault(), "approle");
    Some(VaultLogin::AppRole { mount: mount?, role_id: role_id?, secret_id: secret_id? })
}

const MOUNT: Field = field("mount", "Where the method is mounted.");

fn kubernetes_login(fields: &mut Fields<'_>) -> Option<VaultLogin> {
    let token = field("token", "Where the signed token is read.");
    let token = fields.or(token, &Hidden(local_secret()), SERVICE_ACCOUNT_TOKEN);
    signed_login(fields, token, "kubernetes")
}

fn jwt_login(fields: &mut Fields<'_>) -> Option<VaultLogin> {
    let token = field("token", "Where the signed token is read.").example("file:/run/secrets/job.jwt");
    let token = fields.required(token, &Hidden(local_secret()));
    signed_login(fields, token, "jwt")
}

fn signed_login(
    fields: &mut Fields<'_>,
    token: Option<SecretSource>,
    mount: &'static str,
) -> Option<VaultLogin> {
    let role = field("role", "The role in Vault.").example("pilotage");
    let role = fields.required(role, &Scalar::text("the name of a role"));
    let mount = fields.or(MOUNT, &path_in_vault(), mount);
    Some(VaultLogin::Jwt { mount: mount?, role: role?, token: token? })
}

fn path_in_vault() -> Scalar<VaultPath> {
    parsed(
        "a path in Vault",
        serde_json::json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", "maxLength": 512 }),
    )
}

fn kubernetes(fields: &mut Fields<'_>) -> Option<KubernetesSecretSettings> {
    let kubeconfig =
        field("kubeconfig", "The file that says how clusters are reached.").example("deploy/kubeconfig");
    let context = field("context", "One of its contexts, instead of the current one.").example("shop-eu");
    Some(KubernetesSecretSettings {
        kubeconfig: fields.optional(kubeconfig, &file_path()),
        context: fields.optional(context, &Scalar::text("the name of a context")),
    })
}

fn age(fields: &mut Fields<'_>) -> Option<SecretSource> {
    let identity = "Where the identities are read: a text such as `age-keygen` writes.";
    fields
        .required(field("identity", identity).example("file:/etc/pilotage/age.key"), &Hidden(local_secret()))
}

fn command() -> impl Shape<Value = Vec<String>> {
    let arguments = ListOf {
        item: Placed(Scalar::text("an argument")),
        at_least: 1,
        expected: "a list of arguments",
        example: "[\"pass\", \"show\", \"shop/database\"]",
    };
    Checked { shape: arguments, check: with_program }
}

/// A program is found on `PATH` or named from the root: what lies in some current folder is nobody's word.
fn with_program(words: Vec<Spanned<String>>, faults: &mut Faults) -> Option<Vec<String>> {
    let program = words.first()?;
    if program.value.is_empty() || (program.value.contains('/') && !program.value.starts_with('/')) {
        faults
            .error(
                &program.span,
                format!("{} is neither a name nor an absolute path", quoted(&program.value)),
            )
            .help("write the name of a program on PATH, or its whole path from `/`");
        return None;
    }
    Some(words.into_iter().map(|word| word.value).collect())
}
