//! Docker hosts and Swarm as targets.
