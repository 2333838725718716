//! What is to be written is read first, a line at a time: one that would be refused is left out and said, so that the others
//! make a file that passes.

use pilotage_spec::{Severity, read};

use super::Remarks;

/// Whether the reader takes this line of a service; if not, that is said of its place in the Compose file.
pub(super) fn passes(line: &str, place: &str, remarks: &mut Remarks) -> bool {
    let refused = refusal(line);
    if let Some(reason) = &refused {
        remarks.add(place, format!("left out: {reason}"));
    }
    refused.is_none()
}

fn refusal(line: &str) -> Option<String> {
    let text = format!(
        "project: trial\nservices:\n  trial:\n    image: trial\n    {line}\nenvironments:\n  trial: {{ target: docker }}\n"
    );
    let faults = read("trial", &text).err()?;
    let fault = faults.iter().find(|fault| fault.severity == Severity::Error)?;
    Some(match &fault.help {
        Some(help) => format!("{}; {help}", fault.message),
        None => fault.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_or_refused_in_the_readers_words() {
        for line in ["port: 8080", "env: { \"LEVEL\": \"info\" }", "replicas: 3", "stop_grace: 10s"] {
            assert_eq!(refusal(line), None, "{line}");
        }
        for line in ["port: 0", "env: { \"PORT\": \"1\" }", "env: { \"a.b\": \"1\" }", "replicas: 0"] {
            assert!(refusal(line).is_some(), "{line}");
        }
    }
}
