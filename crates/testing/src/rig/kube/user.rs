//! Who may sign in to the rig's API server by token. Such a list is read at its start only, so all are made up front.

use serde::{Deserialize, Serialize};

use crate::rig::RigError;

/// May do everything.
pub const ADMIN: &str = "admin";
/// May do nothing, but find out what there is.
pub const LIMITED: &str = "limited";
/// May do what a test's own role bindings to the user `pilotage` say, and nothing else.
pub const PILOTAGE: &str = "pilotage";

pub(crate) const CONTROLLERS: &str = "system:kube-controller-manager";
pub(crate) const SCHEDULER: &str = "system:kube-scheduler";
pub(crate) const PROXY: &str = "system:kube-proxy";
pub(crate) const NODE: &str = "system:node:node1";

/// Names and groups. The roles of the system's own are Kubernetes' built-in ones.
const USERS: [(&str, &str); 7] = [
    (ADMIN, "system:masters"),
    (LIMITED, ""),
    (PILOTAGE, ""),
    (CONTROLLERS, "system:masters"),
    (SCHEDULER, ""),
    (PROXY, ""),
    (NODE, "system:nodes"),
];

/// A name with its token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub name: String,
    pub group: String,
    pub token: String,
}

/// All of them, with new tokens.
pub(crate) fn all() -> Result<Vec<User>, RigError> {
    let user = |(name, group): (&str, &str)| {
        Ok(User { name: name.to_owned(), group: group.to_owned(), token: token()? })
    };
    USERS.into_iter().map(user).collect()
}

/// The file that the API server reads: a token, a name, an id and groups a line.
pub(crate) fn file(users: &[User]) -> String {
    let line = |user: &User| format!("{},{},{},\"{}\"\n", user.token, user.name, user.name, user.group);
    users.iter().map(line).collect()
}

/// 128 random bits.
fn token() -> Result<String, RigError> {
    let mut bytes = [0; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if filled.ok() != Some(bytes.len()) {
        return Err(RigError::Unfit("the kernel gives no random bytes"));
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
