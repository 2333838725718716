//! The append-only, tamper-evident event store.
