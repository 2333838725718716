//! What the project's file says now, and whom it knows.

use pilotage_spec::{Identity, Project, Workload};

/// What the project's file says now, and whom it knows. Asked anew whenever gates are.
pub trait Registry: Send + Sync {
    /// The project.
    ///
    /// # Errors
    /// Says in words why the file cannot be used now.
    fn project(&self) -> Result<Project, String>;

    /// Who a name of the journal is, with the roles that hold for a workload. `None` if nobody has that name (any more).
    fn identity(&self, project: &Project, name: &str, workload: &Workload) -> Option<Identity>;

    /// Who may approve deployments of a workload.
    fn approvers(&self, project: &Project, workload: &Workload) -> Vec<Identity>;
}
