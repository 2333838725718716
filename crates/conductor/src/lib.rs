//! The durable loop: ask the engine, record the intent, act, record the outcome.
