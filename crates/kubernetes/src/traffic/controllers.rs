//! Rollouts that a team leaves to Argo Rollouts or Flagger, behind the orders that every target knows.

use pilotage_spec::{ControllerOrder, KubernetesTraffic, RolloutController, Timestamp, Workload};
use pilotage_targets::{ControllerRollout, TargetError};

use super::argo_rollouts::{self, RolloutOrder, RolloutState};
use super::flagger::{self, CanaryOrder, CanaryPhase, CanaryState};
use super::kind::{CANARY, ROLLOUT};
use super::objects::Objects;
use super::refusal::Refusal;
use crate::client::Connection;

/// The rollouts of one environment, found by the service's name.
pub(crate) struct RolloutControllers<'a> {
    /// The way to the cluster.
    pub connection: &'a Connection,
    /// Who moves the traffic.
    pub traffic: &'a KubernetesTraffic,
}

impl RolloutControllers<'_> {
    /// How the workload's rollout is.
    ///
    /// # Errors
    /// Fails where no controller moves the traffic, and when there is no such rollout or the cluster cannot be asked.
    pub async fn show(&self, workload: &Workload) -> Result<ControllerRollout, TargetError> {
        let controller = self.controller()?;
        let kind = match controller {
            RolloutController::ArgoRollouts => &ROLLOUT,
            RolloutController::Flagger => &CANARY,
        };
        let cluster = self.connection.cluster().await?;
        let names = cluster.names(workload);
        let objects = Objects::need(&cluster, kind).await?;
        let Some(object) = objects.get(names.service()).await? else {
            let Workload { environment, service } = workload;
            return Err(TargetError::Refused {
                engine: cluster.engine().to_owned(),
                reason: format!(
                    "there is no {} {} in the namespace {}; `pilotage kubernetes rollout {service} --env {environment}` prints one",
                    kind.kind,
                    names.service(),
                    cluster.namespace()
                ),
            });
        };
        Ok(match controller {
            RolloutController::ArgoRollouts => of_rollout(RolloutState::of(&object)),
            RolloutController::Flagger => of_canary(CanaryState::of(&object)),
        })
    }

    /// Gives an order, and says how the rollout is after it. `now` marks what begins again.
    ///
    /// # Errors
    /// Fails like [`Self::show`], and on an order that the controller does not know or cannot follow as things are.
    pub async fn order(
        &self,
        workload: &Workload,
        order: ControllerOrder,
        now: Timestamp,
    ) -> Result<ControllerRollout, TargetError> {
        match self.controller()? {
            RolloutController::ArgoRollouts => {
                let cluster = self.connection.cluster().await?;
                let name = cluster.names(workload);
                let state = argo_rollouts::drive(&cluster, name.service(), to_rollout(order)).await?;
                Ok(of_rollout(state))
            }
            RolloutController::Flagger => {
                let (first, then) = to_canary(order, now)?;
                let cluster = self.connection.cluster().await?;
                let name = cluster.names(workload);
                if let Some(first) = first {
                    flagger::drive(&cluster, name.service(), &first).await?;
                }
                Ok(of_canary(flagger::drive(&cluster, name.service(), &then).await?))
            }
        }
    }

    fn controller(&self) -> Result<RolloutController, TargetError> {
        match self.traffic {
            KubernetesTraffic::ArgoRollouts => Ok(RolloutController::ArgoRollouts),
            KubernetesTraffic::Flagger { .. } => Ok(RolloutController::Flagger),
            _ => Err(TargetError::without_controller()),
        }
    }
}

fn to_rollout(order: ControllerOrder) -> RolloutOrder {
    match order {
        ControllerOrder::Promote => RolloutOrder::Promote,
        ControllerOrder::PromoteFully => RolloutOrder::PromoteFully,
        ControllerOrder::Abort => RolloutOrder::Abort,
        ControllerOrder::Retry => RolloutOrder::Retry,
    }
}

/// The order in Flagger's words, and one that goes before it. What begins again is analysed again.
fn to_canary(order: ControllerOrder, now: Timestamp) -> Result<(Option<CanaryOrder>, CanaryOrder), Refusal> {
    match order {
        ControllerOrder::Promote => Err(Refusal::new(
            "promoting a Canary by one step, of which Flagger takes each by itself at its next interval,",
            "wait for it, or give the new version everything: `pilotage rollout promote-fully`",
        )),
        ControllerOrder::PromoteFully => Ok((None, CanaryOrder::Promote)),
        ControllerOrder::Abort => Ok((None, CanaryOrder::Abort)),
        ControllerOrder::Retry => {
            Ok((Some(CanaryOrder::Analyse), CanaryOrder::Retry(now.as_micros().to_string())))
        }
    }
}

fn of_rollout(state: RolloutState) -> ControllerRollout {
    let (step, steps) = state.steps;
    ControllerRollout {
        controller: RolloutController::ArgoRollouts,
        phase: state.phase.name().to_owned(),
        message: state.message,
        waits_for: state.waits_for,
        step,
        steps,
        weight: state.weight,
        aborted: state.aborted,
    }
}

/// Flagger does not say which of its steps it has come to.
fn of_canary(state: CanaryState) -> ControllerRollout {
    let mut waits_for = Vec::new();
    match state.phase {
        CanaryPhase::Waiting => waits_for.push("a gate before it begins".to_owned()),
        CanaryPhase::WaitingPromotion => waits_for.push("a gate before its end".to_owned()),
        _ => {}
    }
    if state.suspended {
        waits_for.push("`suspend: false` on the Canary".to_owned());
    }
    let skipped = state.skips_analysis.then(|| "analyses are skipped".to_owned());
    let said = Some(state.message).filter(|message| !message.is_empty());
    ControllerRollout {
        controller: RolloutController::Flagger,
        phase: state.phase.name().to_owned(),
        message: said.into_iter().chain(skipped).collect::<Vec<_>>().join("; "),
        waits_for,
        step: 0,
        steps: 0,
        weight: if state.phase == CanaryPhase::Succeeded { 100 } else { state.weight },
        aborted: state.phase == CanaryPhase::Failed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(7);

    fn canary(skips: bool, status: Value) -> ControllerRollout {
        let spec = json!({ "skipAnalysis": skips, "suspend": false });
        of_canary(CanaryState::of(&json!({ "spec": spec, "status": status })))
    }

    #[test]
    fn a_pause_of_argos_is_told_with_its_step_and_weight() {
        let steps = json!([{ "setWeight": 5 }, { "pause": {} }, { "setWeight": 50 }]);
        let told = of_rollout(RolloutState::of(&json!({
            "metadata": { "generation": 4 },
            "spec": { "strategy": { "canary": { "steps": steps } } },
            "status": {
                "observedGeneration": "4", "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
                "controllerPause": true, "pauseConditions": [{ "reason": "CanaryPauseStep" }],
            },
        })));
        let expected = ControllerRollout {
            controller: RolloutController::ArgoRollouts,
            phase: "Paused".to_owned(),
            message: "CanaryPauseStep".to_owned(),
            waits_for: vec!["CanaryPauseStep".to_owned()],
            step: 1,
            steps: 3,
            weight: 5,
            aborted: false,
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_canary_that_has_succeeded_has_everything_and_one_that_failed_was_taken_back() {
        let told = canary(true, json!({ "phase": "Succeeded", "canaryWeight": 0 }));
        assert_eq!((told.weight, told.aborted, told.message.as_str()), (100, false, "analyses are skipped"));
        let told = canary(false, json!({ "phase": "Failed" }));
        assert_eq!((told.weight, told.aborted, told.message.as_str()), (0, true, ""));
        let told = canary(false, json!({ "phase": "WaitingPromotion", "canaryWeight": 50 }));
        assert_eq!((told.weight, told.waits_for.len()), (50, 1));
    }

    #[test]
    fn flagger_takes_no_single_step_and_what_begins_again_is_analysed() {
        let refusal = to_canary(ControllerOrder::Promote, NOW).unwrap_err().to_string();
        assert!(refusal.contains("pilotage rollout promote-fully"), "{refusal}");
        assert_eq!(to_canary(ControllerOrder::PromoteFully, NOW), Ok((None, CanaryOrder::Promote)));
        let again = (Some(CanaryOrder::Analyse), CanaryOrder::Retry("7".to_owned()));
        assert_eq!(to_canary(ControllerOrder::Retry, NOW), Ok(again));
    }
}
