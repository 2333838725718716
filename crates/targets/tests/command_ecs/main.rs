//! The worked example of a command target, against a server on this machine that speaks ECS, ECR, CloudWatch Logs and Elastic
//! Load Balancing as AWS documents them. It is no AWS: what it shows is that the example asks for what is documented, and
//! understands what is documented to be answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod aws;
mod canary;
mod example;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
