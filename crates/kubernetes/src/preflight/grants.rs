//! What the rules allow that an API server says we have.

use k8s_openapi::api::authorization::v1::ResourceRule;

use super::need::Need;

/// Whether one of the rules allows it, for objects of any name. A `false` is no refusal: not every authorizer tells its rules.
pub(super) fn allows(rules: &[ResourceRule], need: &Need) -> bool {
    rules.iter().any(|rule| {
        let every_name = rule
            .resource_names
            .as_ref()
            .is_none_or(|names| names.is_empty() || names.iter().any(|name| name == "*"));
        every_name
            && names(rule.api_groups.as_deref().unwrap_or_default(), &need.group)
            && names(&rule.verbs, &need.verb)
            && names_resource(rule.resources.as_deref().unwrap_or_default(), need)
    })
}

fn names(list: &[String], wanted: &str) -> bool {
    list.iter().any(|name| name == "*" || name == wanted)
}

/// `*` means every resource with its parts, `*/log` this part of every resource.
fn names_resource(resources: &[String], need: &Need) -> bool {
    let path = need.path();
    resources.iter().any(|name| {
        let part = name.strip_prefix("*/").is_some_and(|part| !part.is_empty() && part == need.subresource);
        name == "*" || *name == path || part
    })
}
