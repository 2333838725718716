//! More than one pair of eyes.

use std::collections::BTreeMap;

use pilotage_spec::{Approvals, Identity, PrincipalKind, PrincipalName, Timestamp, format_duration};

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;
use crate::approval::{Opinion, Statement};

pub(super) struct Approved;

impl Gate for Approved {
    fn id(&self) -> &'static str {
        "approvals"
    }

    fn purpose(&self) -> &'static str {
        "Enough people have approved this very plan, by its hash, and none has rejected it. They are people, distinct behind their \
         accounts; neither the author of the release nor whoever asked for the deployment, nor by a credential that one of these \
         has issued. An approval expires. Asked where the policy says `approvals`: two for a strict one, one for a reviewed one."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.approvals.is_some()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let Some(wanted) = &plan.request.policy.approvals else {
            return Err(Refusal::unknown(
                "the policy asks for no approvals",
                "see the policy in pilotage.yaml",
            ));
        };
        let Count { parties, given, discounted } = count(plan, wanted, facts)?;
        Ask { wanted, given, discounted, approvers: &facts.approvers, parties }.answer()
    }
}

/// The people whose approvals count now; `None` if nobody can tell.
pub fn counted(plan: &Plan, facts: &GateFacts) -> Option<Vec<Identity>> {
    let usual = Approvals::of(0);
    let wanted = plan.request.policy.approvals.as_ref().unwrap_or(&usual);
    let given = count(plan, wanted, facts).ok()?.given;
    Some(given.into_values().map(|(_, approver)| approver.clone()).collect())
}

/// Who has approved.
struct Count<'a> {
    parties: [&'a Identity; 2],
    given: BTreeMap<&'a PrincipalName, (&'a Statement, &'a Identity)>,
    discounted: Vec<String>,
}

fn count<'a>(plan: &Plan, wanted: &Approvals, facts: &'a GateFacts) -> Result<Count<'a>, Refusal> {
    let unknown = |what: &str| Refusal::unknown(format!("{what} is not known"), "see the server's log");
    let now = facts.now.ok_or_else(|| unknown("the time"))?;
    let requester = party(facts.requester.as_ref()).ok_or_else(|| unknown("who asked for the deployment"))?;
    let author = party(facts.author.as_ref()).ok_or_else(|| unknown("who brought the release in"))?;
    let latest = latest_by_person(plan, facts);
    if let Some((said, _)) = latest.values().find(|(said, _)| said.opinion == Opinion::Reject) {
        return Err(rejected(said));
    }
    let parties = [requester, author];
    let (mut given, mut discounted) = (BTreeMap::new(), Vec::new());
    for (person, (said, approver)) in &latest {
        match (approver, discount(said, approver.unwrap_or(&said.by), wanted, parties, now)) {
            (Some(approver), None) => drop(given.insert(*person, (*said, *approver))),
            (None, _) => discounted.push(format!("{}: may not approve here", said.by)),
            (_, Some(why)) => discounted.push(format!("{}: {why}", said.by)),
        }
    }
    Ok(Count { parties, given, discounted })
}

/// One whose own approval does not count, if it is known who that is: of a person's account, the person behind it too.
fn party(identity: Option<&Identity>) -> Option<&Identity> {
    identity.filter(|identity| identity.kind != PrincipalKind::Person || identity.person.is_some())
}

/// What somebody has said, and who they are here today: `None` for one who may not approve.
type Said<'a> = (&'a Statement, Option<&'a Identity>);

/// What each person has said of this plan last, leaving out what was withdrawn.
fn latest_by_person<'a>(plan: &Plan, facts: &'a GateFacts) -> BTreeMap<&'a PrincipalName, Said<'a>> {
    let hash = plan.hash();
    let mut latest = BTreeMap::new();
    for said in facts.statements.iter().filter(|said| said.plan_hash == hash) {
        // Accounts may have been found to be one person's since it was said.
        let today = facts.approvers.iter().find(|approver| approver.principal == said.by.principal);
        let who = today.unwrap_or(&said.by);
        latest.insert(who.person.as_ref().unwrap_or(&who.principal), (said, today));
    }
    latest.retain(|_, (said, _)| said.opinion != Opinion::Withdraw);
    latest
}

fn rejected(veto: &Statement) -> Refusal {
    let why = match &veto.reason {
        Some(reason) => format!(": {reason}"),
        None => String::new(),
    };
    Refusal::refused(
        format!("{} has rejected it{why}", veto.by),
        "mend what they object to, and deploy again; or ask them to withdraw before that",
    )
    .evidence(veto.by.principal.as_str(), format!("rejected at {}", veto.at))
}

/// Why an approval does not count, if it does not. The parties are who asked for the deployment, and the author of the release.
fn discount(
    said: &Statement,
    who: &Identity,
    wanted: &Approvals,
    parties: [&Identity; 2],
    now: Timestamp,
) -> Option<String> {
    let [requester, author] = parties;
    if who.kind != PrincipalKind::Person || who.person.is_none() {
        return Some("is no person".to_owned());
    }
    if who.is_same_person(requester) {
        return Some("asked for the deployment".to_owned());
    }
    if who.is_same_person(author) {
        return Some("is the author of the release".to_owned());
    }
    let is_theirs = |issuer: &PrincipalName| {
        parties.iter().any(|party| party.person.as_ref() == Some(issuer) || party.principal == *issuer)
    };
    match &said.by.vouched_by {
        Some(issuer) if is_theirs(issuer) => {
            return Some("by a credential that the author or the one who asked has issued".to_owned());
        }
        Some(_) => {}
        None => return Some("by a credential for which nobody vouches".to_owned()),
    }
    if said.at > now {
        return Some(format!("given at {}, which by this clock is still to come", said.at));
    }
    (now.since(said.at) > wanted.expires).then(|| format!("expired at {}", said.at.plus(wanted.expires)))
}

/// What is asked for beside what was given.
struct Ask<'a> {
    wanted: &'a Approvals,
    given: BTreeMap<&'a PrincipalName, (&'a Statement, &'a Identity)>,
    discounted: Vec<String>,
    approvers: &'a [Identity],
    parties: [&'a Identity; 2],
}

impl Ask<'_> {
    fn answer(self) -> Result<Finding, Refusal> {
        let missing = self.missing_groups();
        let count = usize::try_from(self.wanted.count).unwrap_or(usize::MAX);
        let evidence = self.given.values().map(|(said, _)| {
            let why = said.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            (said.by.principal.to_string(), format!("approved at {}{why}", said.at))
        });
        if self.given.len() >= count && missing.is_empty() {
            let names: Vec<String> = self.given.values().map(|(said, _)| said.by.to_string()).collect();
            let finding = Finding::new(format!("approved by {}", names.join(", ")));
            return Ok(evidence.fold(finding, |finding, (name, value)| finding.evidence(name, value)));
        }
        let refusal = Refusal::waits(self.words(&missing), self.remedy(&missing));
        Err(evidence.fold(refusal, |refusal, (name, value)| refusal.evidence(name, value)))
    }

    /// The groups of which nobody has approved.
    fn missing_groups(&self) -> Vec<&str> {
        let has = |group| self.given.values().any(|(_, approver)| approver.groups.contains(group));
        self.wanted.groups.iter().filter(|group| !has(group)).map(|group| group.as_str()).collect()
    }

    fn words(&self, missing: &[&str]) -> String {
        let mut words = format!("{} of {} approvals", self.given.len(), self.wanted.count);
        if !missing.is_empty() {
            words.push_str(&format!(", none of {}", missing.join(", none of ")));
        }
        if !self.discounted.is_empty() {
            words.push_str(&format!(" (not counted: {})", self.discounted.join("; ")));
        }
        words
    }

    /// Who can give what is missing, and how.
    fn remedy(&self, missing: &[&str]) -> String {
        let can = |identity: &&Identity| {
            let asked_already =
                identity.person.as_ref().is_some_and(|person| self.given.contains_key(person));
            let is_party = self.parties.iter().any(|party| identity.is_same_person(party));
            let in_group =
                missing.is_empty() || identity.groups.iter().any(|group| missing.contains(&group.as_str()));
            identity.kind == PrincipalKind::Person && !asked_already && !is_party && in_group
        };
        let names: Vec<String> = self.approvers.iter().filter(can).map(ToString::to_string).collect();
        let whom = match names.as_slice() {
            [] => {
                "nobody who is known here may give what is missing: add people to `access` in pilotage.yaml"
                    .to_owned()
            }
            names => format!("ask {}", names.join(", ")),
        };
        format!(
            "{whom}; they run `pilotage approve`, and each approval is valid for {}",
            format_duration(self.wanted.expires)
        )
    }
}
