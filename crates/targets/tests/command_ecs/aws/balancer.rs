//! Elastic Load Balancing: one rule, two target groups.

use serde_json::Value;

use super::operations::Refusal;
use super::state::{RULE, State, Step};

const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// The rule, as both actions answer it.
pub fn rules(state: &State, action: &str) -> String {
    let groups: String = state
        .weights
        .iter()
        .map(|(arn, weight)| {
            format!("<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>")
        })
        .collect();
    result(
        action,
        &format!(
            "<Rules><member><RuleArn>{RULE}</RuleArn><Priority>10</Priority><IsDefault>false</IsDefault>\
             <Conditions><member><Field>path-pattern</Field><Values><member>/*</member></Values></member></Conditions>\
             <Actions><member><Type>forward</Type><Order>1</Order><ForwardConfig><TargetGroups>{groups}</TargetGroups>\
             <TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member></Actions>\
             </member></Rules>"
        ),
    )
}

pub fn modify(state: &mut State, body: &Value) -> Result<String, Refusal> {
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    if field("RuleArn") != RULE {
        return Err(("RuleNotFound", format!("One or more rules not found: {}", field("RuleArn"))));
    }
    let mut weights = std::collections::BTreeMap::new();
    for number in 1..=2 {
        let prefix = format!("Actions.member.1.ForwardConfig.TargetGroups.member.{number}");
        let group = field(&format!("{prefix}.TargetGroupArn"));
        let weight = field(&format!("{prefix}.Weight")).parse().ok().filter(|weight| *weight <= 999);
        let weight =
            weight.ok_or(("ValidationError", format!("the weight of {group} must be from 0 to 999")))?;
        weights.insert(group, weight);
    }
    state.weights = weights;
    Ok(rules(state, "ModifyRule"))
}

pub fn health(state: &State, body: &Value) -> Result<String, Refusal> {
    let group = body["TargetGroupArn"].as_str().unwrap_or_default();
    if !state.weights.contains_key(group) {
        return Err(("TargetGroupNotFound", format!("Target groups '{group}' not found")));
    }
    let tasks = state
        .services
        .values()
        .filter(|service| service.target_group == group)
        .flat_map(|service| &service.tasks);
    let targets: String = tasks
        .filter_map(|task| {
            let health = match task.step {
                Step::Running => "initial",
                Step::Healthy => "healthy",
                Step::Deactivating => "draining",
                Step::Provisioning | Step::Pending | Step::Stopped => return None,
            };
            let address = &task.address;
            Some(format!(
                "<member><HealthCheckPort>8080</HealthCheckPort><Target><Id>{address}</Id><Port>8080</Port>\
                 <AvailabilityZone>eu-central-1a</AvailabilityZone></Target>\
                 <TargetHealth><State>{health}</State></TargetHealth></member>"
            ))
        })
        .collect();
    Ok(result(
        "DescribeTargetHealth",
        &format!("<TargetHealthDescriptions>{targets}</TargetHealthDescriptions>"),
    ))
}

fn result(action: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    )
}
