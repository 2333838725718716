//! One edge takes the place of another, and no connection is refused or reset.
//!
//! The new edge connects to the control socket of the old one and asks for everything: the table, the listening sockets,
//! those of the control socket and the admin address, the key for clients' cookies, and the lock on the state folder.
//! Sockets and lock are passed as descriptors (`SCM_RIGHTS`, unix(7)), so that there is no moment at which nobody holds them. When the new edge accepts connections it says so; only
//! then the old one stops accepting. Whatever goes wrong before that, the old one serves on.
//!
//! The connection stays open while the old edge finishes what it has: over it the new one reads what is still counted
//! there, and passes on each table that is applied meanwhile.

mod certificates;
mod descriptors;
mod give;
mod inherited;
mod message;
mod secret;
mod take;

pub(super) use certificates::first_lost;
pub(super) use give::give;
pub(super) use inherited::{Counted, Inherited};
pub(super) use take::{Place, take};
