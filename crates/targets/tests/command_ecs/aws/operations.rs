//! Which operation a request asks for, and who answers it.

use serde_json::{Value, json};

use super::http::Request;
use super::{Answer, State, balancer, containers};

/// What is asked.
pub struct Asked {
    /// The name under which requests are signed.
    pub service: &'static str,
    pub operation: &'static str,
    pub body: Value,
}

/// The operations of services that speak JSON 1.1, by what `X-Amz-Target` names.
const JSON: [(&str, &str, &[&str]); 3] = [
    (
        "ecs",
        "AmazonEC2ContainerServiceV20141113",
        &[
            "RegisterTaskDefinition",
            "DescribeTaskDefinition",
            "CreateService",
            "UpdateService",
            "DescribeServices",
            "ListTasks",
            "DescribeTasks",
            "TagResource",
        ],
    ),
    ("ecr", "AmazonEC2ContainerRegistry_V20150921", &["DescribeImages"]),
    ("logs", "Logs_20140328", &["GetLogEvents"]),
];
const FORMS: [&str; 3] = ["DescribeRules", "ModifyRule", "DescribeTargetHealth"];

/// An error of AWS: its code and message.
pub type Refusal = (&'static str, String);

pub fn read(request: &Request) -> Result<Asked, String> {
    let header = |name: &str| request.headers.get(name).map(String::as_str).unwrap_or_default();
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/") {
        return Err(format!("{} {}", request.method, request.path));
    }
    match header("content-type") {
        "application/x-amz-json-1.1" => {
            let body = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            let target = header("x-amz-target");
            let (prefix, name) = target.split_once('.').ok_or(format!("X-Amz-Target: {target}"))?;
            let known = JSON.iter().find(|(_, known, _)| *known == prefix);
            let (service, _, operations) = known.ok_or(format!("X-Amz-Target: {target}"))?;
            let operation = operations.iter().find(|operation| **operation == name);
            Ok(Asked { service, operation: operation.ok_or(format!("no operation {target}"))?, body })
        }
        "application/x-www-form-urlencoded; charset=utf-8" => {
            let text = std::str::from_utf8(&request.body).map_err(|error| error.to_string())?;
            let mut body = json!({});
            for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
                body[name] = unescaped(value).into();
            }
            if body["Version"] != "2015-12-01" {
                return Err(format!("another version of the API: {body}"));
            }
            let operation = FORMS.iter().find(|operation| body["Action"] == **operation);
            let operation = operation.ok_or(format!("no such action: {body}"))?;
            Ok(Asked { service: "elasticloadbalancing", operation, body })
        }
        other => Err(format!("content-type: {other}")),
    }
}

pub fn answer(state: &mut State, asked: &Asked) -> Answer {
    let planned = state.refuse.iter().position(|(operation, ..)| *operation == asked.operation);
    let refused = planned.and_then(|place| state.refuse.remove(place));
    let is_form = asked.service == "elasticloadbalancing";
    if let Some((_, status, code)) = refused {
        return refusal(is_form, status, code, "as the test wants it");
    }
    let answered = match asked.operation {
        "DescribeRules" => Ok(balancer::rules(state, "DescribeRules")),
        "ModifyRule" => balancer::modify(state, &asked.body),
        "DescribeTargetHealth" => balancer::health(state, &asked.body),
        "RegisterTaskDefinition" => containers::register(state, &asked.body),
        "DescribeTaskDefinition" => containers::definition(state, &asked.body),
        "CreateService" => containers::create(state, &asked.body),
        "UpdateService" => containers::update(state, &asked.body),
        "DescribeServices" => Ok(containers::services(state, &asked.body)),
        "ListTasks" => containers::list(state, &asked.body),
        "DescribeTasks" => Ok(containers::tasks(state, &asked.body)),
        "TagResource" => containers::tag(state, &asked.body),
        "DescribeImages" => containers::images(&asked.body),
        _ => Ok(containers::log_events(&asked.body)),
    };
    match answered {
        Ok(body) if is_form => Answer { status: 200, kind: "text/xml", body },
        Ok(body) => Answer { status: 200, kind: "application/x-amz-json-1.1", body },
        Err((code, message)) => refusal(is_form, 400, code, &message),
    }
}

/// As each protocol writes errors.
fn refusal(is_form: bool, status: u16, code: &str, message: &str) -> Answer {
    if is_form {
        let body = format!(
            r#"<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type>
            <Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"#
        );
        return Answer { status, kind: "text/xml", body };
    }
    let body = json!({ "__type": code, "message": message }).to_string();
    Answer { status, kind: "application/x-amz-json-1.1", body }
}

/// Undoes `application/x-www-form-urlencoded`.
fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
