//! What there is in the account, and how it goes on. Time passes with each look at the services, not by a clock.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::Answer;

pub const RULE: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";
pub const SLOT_A: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-api-a/73e2d6bc24d8a067";
pub const SLOT_B: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-api-b/943f017f100becff";

/// So many tasks may end by themselves before the circuit breaker gives a deployment up. ("Amazon ECS deployment circuit
/// breaker": half of the desired count, at least 3.)
const BREAKER: usize = 3;

pub struct State {
    /// Requests that AWS does not document.
    pub faults: Vec<String>,
    /// Each request that was answered: its operation and body.
    pub exchanges: Vec<(String, Value)>,
    /// The next requests for these operations are refused with this status and code.
    pub refuse: VecDeque<(&'static str, u16, &'static str)>,
    pub definitions: Vec<Value>,
    pub services: BTreeMap<String, Service>,
    /// The weight of each target group.
    pub weights: BTreeMap<String, u32>,
    /// Seconds since 1970.
    pub now: f64,
    next_task: u32,
}

pub struct Service {
    pub name: String,
    pub definition: String,
    pub desired: usize,
    pub target_group: String,
    pub tags: BTreeMap<String, String>,
    pub created: f64,
    pub tasks: Vec<Task>,
    pub events: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Provisioning,
    Pending,
    Running,
    Healthy,
    Deactivating,
    Stopped,
}

pub struct Task {
    pub id: String,
    pub address: String,
    pub definition: String,
    pub created: f64,
    pub step: Step,
    /// Whether it ended by itself.
    pub crashed: bool,
}

impl State {
    pub fn new() -> Self {
        Self {
            faults: Vec::new(),
            exchanges: Vec::new(),
            refuse: VecDeque::new(),
            definitions: Vec::new(),
            services: BTreeMap::new(),
            weights: [(SLOT_A.to_owned(), 0), (SLOT_B.to_owned(), 1)].into(),
            now: 1_782_898_200.0,
            next_task: 1,
        }
    }

    /// Notes a request that AWS would not have understood.
    pub fn fault(&mut self, fault: &str) -> Answer {
        self.faults.push(fault.to_owned());
        let body = json!({ "__type": "ValidationException", "message": fault }).to_string();
        Answer { status: 400, kind: "application/x-amz-json-1.1", body }
    }

    /// The definition by its ARN.
    pub fn definition(&self, arn: &str) -> Option<&Value> {
        self.definitions.iter().find(|definition| definition["taskDefinitionArn"] == arn)
    }

    fn is_broken(&self, arn: &str) -> bool {
        let image = self.definition(arn).and_then(|told| told["containerDefinitions"][0]["image"].as_str());
        image.is_some_and(|image| image.contains("broken"))
    }

    /// A moment passes.
    pub fn pass(&mut self) {
        self.now += 1.0;
        let names: Vec<String> = self.services.keys().cloned().collect();
        for name in names {
            let Some(mut service) = self.services.remove(&name) else { continue };
            self.pass_for(&mut service);
            self.services.insert(name, service);
        }
    }

    fn pass_for(&mut self, service: &mut Service) {
        if !service.has_given_up() {
            for _ in service.alive()..service.desired {
                service.tasks.push(self.task(&service.definition));
            }
        }
        for task in &mut service.tasks {
            let broken = self.is_broken(&task.definition);
            task.step = match task.step {
                Step::Provisioning => Step::Pending,
                Step::Pending if broken => {
                    task.crashed = true;
                    Step::Stopped
                }
                Step::Pending => Step::Running,
                Step::Running | Step::Healthy => Step::Healthy,
                Step::Deactivating | Step::Stopped => Step::Stopped,
            };
        }
        let surplus = service.alive().saturating_sub(service.desired);
        let alive = service.tasks.iter_mut().rev().filter(|task| task.is_alive());
        alive.take(surplus).for_each(|task| task.step = Step::Deactivating);
    }

    fn task(&mut self, definition: &str) -> Task {
        let number = self.next_task;
        self.next_task += 1;
        Task {
            id: format!("{number:032x}"),
            address: format!("10.0.1.{number}"),
            definition: definition.to_owned(),
            created: self.now,
            step: Step::Provisioning,
            crashed: false,
        }
    }
}

impl Service {
    pub fn alive(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_alive()).count()
    }

    /// Whether the circuit breaker has ended the deployment.
    pub fn has_given_up(&self) -> bool {
        let crashed = |task: &&Task| task.crashed && task.definition == self.definition;
        self.tasks.iter().filter(crashed).count() >= BREAKER
    }
}

impl Task {
    pub fn is_alive(&self) -> bool {
        !matches!(self.step, Step::Deactivating | Step::Stopped)
    }
}
