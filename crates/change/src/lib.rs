//! What change management says: tickets, windows and freezes.
