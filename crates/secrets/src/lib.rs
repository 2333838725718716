//! Where secrets are read, and how they are kept out of everything that is written.
