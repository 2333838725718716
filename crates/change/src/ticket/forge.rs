//! Issues of GitHub and GitLab: an open one with a label that means approval.

use pilotage_fetch::percent_encoded;
use pilotage_spec::TicketKey;
use serde_json::Value;

use super::Ticket;
use super::answer::{Answer, text};
use super::client::{Tickets, same_word};
use super::error::TicketError;

/// An issue: `GET /repos/{owner}/{repository}/issues/{number}`.
pub(super) async fn github(tickets: &Tickets, key: &TicketKey) -> Result<Ticket, TicketError> {
    let fault = || TicketError::Key { key: key.clone(), system: "GitHub", example: "owner/repository#12" };
    let (project, number) = split(key).ok_or_else(fault)?;
    let (owner, repository) =
        project.split_once('/').filter(|(_, name)| !name.contains('/')).ok_or_else(fault)?;
    let (owner, repository) = (percent_encoded(owner), percent_encoded(repository));
    let url = format!("{}/repos/{owner}/{repository}/issues/{number}", tickets.system.url);
    let found = tickets.document(&url, key, "application/vnd.github+json").await?;
    let issue = Issue { number: "/number", open: "open", page: "/html_url", assignee: "/assignee/login" };
    issue.ticket(tickets, &Answer { key, value: &found }, number, &url)
}

/// An issue: `GET /api/v4/projects/{path}/issues/{number}`.
pub(super) async fn gitlab(tickets: &Tickets, key: &TicketKey) -> Result<Ticket, TicketError> {
    let fault = || TicketError::Key { key: key.clone(), system: "GitLab", example: "group/project#12" };
    let (project, number) = split(key).filter(|(project, _)| project.contains('/')).ok_or_else(fault)?;
    let url = format!("{}/api/v4/projects/{}/issues/{number}", tickets.system.url, percent_encoded(project));
    let found = tickets.document(&url, key, "application/json").await?;
    let issue = Issue { number: "/iid", open: "opened", page: "/web_url", assignee: "/assignee/username" };
    issue.ticket(tickets, &Answer { key, value: &found }, number, &url)
}

/// Project and number of `project#number`.
fn split(key: &TicketKey) -> Option<(&str, &str)> {
    let (project, number) = key.as_str().split_once('#')?;
    let is_number =
        number.len() <= 18 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((project, number))
}

/// Where an issue says what.
struct Issue {
    number: &'static str,
    /// The state of one that is open.
    open: &'static str,
    page: &'static str,
    assignee: &'static str,
}

impl Issue {
    fn ticket(
        &self,
        tickets: &Tickets,
        answer: &Answer<'_>,
        number: &str,
        asked: &str,
    ) -> Result<Ticket, TicketError> {
        let answered = answer.text(self.number, "its number")?;
        if answered != number {
            let server = tickets.server.clone();
            return Err(TicketError::Other { server, key: answer.key.clone(), answered });
        }
        let state = answer.text("/state", "its state")?;
        let labels = labels(answer)?;
        let marked = labels.iter().any(|label| tickets.is_approved(label));
        let named = |prefix: &Option<String>, what| {
            prefix.as_ref().map(|prefix| named(answer, &labels, prefix, what)).transpose()
        };
        let (service, environment) = (&tickets.system.service, &tickets.system.environment);
        Ok(Ticket {
            key: answer.key.clone(),
            url: answer
                .optional_text(self.page)
                .filter(|page| is_page(page))
                .unwrap_or_else(|| asked.to_owned()),
            approved: marked && same_word(&state, self.open),
            services: named(service, "for which services it is")?,
            environments: named(environment, "for which environments it is")?,
            state: if labels.is_empty() { state } else { format!("{state}, labels: {}", labels.join(", ")) },
            from: None,
            to: None,
            assignee: answer.optional_text(self.assignee),
            conflict: None,
        })
    }
}

/// The labels: texts, or objects with a name.
fn labels(answer: &Answer<'_>) -> Result<Vec<String>, TicketError> {
    let labels = answer.value.get("labels").and_then(Value::as_array);
    let labels = labels.ok_or_else(|| answer.missing("/labels", "its labels"))?;
    let label = |label: &Value| text(label.get("name").unwrap_or(label));
    let labels: Option<Vec<String>> = labels.iter().map(label).collect();
    labels.ok_or_else(|| answer.malformed("/labels", "a list of labels"))
}

/// What follows the beginning of labels, such as `web` of `service:web`.
fn named(
    answer: &Answer<'_>,
    labels: &[String],
    prefix: &str,
    what: &'static str,
) -> Result<Vec<String>, TicketError> {
    let names = labels.iter().filter_map(|label| label.strip_prefix(prefix)).map(str::trim);
    let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.is_empty() { Err(answer.missing(&format!("{prefix}…"), what)) } else { Ok(names) }
}

/// Whether an address from outside is one that a person may be shown.
fn is_page(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.chars().all(|c| c.is_ascii_graphic())
}
