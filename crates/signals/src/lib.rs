//! What production says: edge counters and Prometheus.
