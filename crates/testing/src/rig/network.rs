//! Bridges, forwarding and packet filter rules of the machine: made, and taken back.

use std::fs;
use std::path::Path;

use super::RigError;
use super::command::run;

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Makes a bridge with an address such as `172.29.0.1/24`, unless it is there.
pub(crate) fn make_bridge(name: &str, address: &str) -> Result<(), RigError> {
    if !Path::new("/sys/class/net").join(name).exists() {
        run("ip", &["link", "add", "name", name, "type", "bridge"])?;
    }
    run("ip", &["address", "replace", address, "dev", name])?;
    run("ip", &["link", "set", name, "up"])?;
    Ok(())
}

/// Removes a network interface if it is there.
pub(crate) fn remove_interface(name: &str) -> Result<(), RigError> {
    if Path::new("/sys/class/net").join(name).exists() {
        run("ip", &["link", "delete", name])?;
    }
    Ok(())
}

/// Has the machine forward packets between its networks; whether it did already. Must come before dockerd, which else
/// does it and forbids at the same time what is not its own.
pub(crate) fn forward() -> Result<bool, RigError> {
    let path = Path::new(FORWARDING);
    let before = fs::read_to_string(path).map_err(RigError::file(path))?.trim() == "1";
    if !before {
        set_forwarding(true)?;
    }
    Ok(before)
}

/// Switches forwarding.
pub(crate) fn set_forwarding(on: bool) -> Result<(), RigError> {
    let path = Path::new(FORWARDING);
    fs::write(path, if on { "1" } else { "0" }).map_err(RigError::file(path))
}

/// Has the machine pass on what comes from and goes to a bridge, whatever another engine's rules say.
pub(crate) fn accept(bridge: &str) -> Result<(), RigError> {
    for direction in ["--in-interface", "--out-interface"] {
        run("iptables", &["-w", "-I", "FORWARD", direction, bridge, "-j", "ACCEPT"])?;
    }
    Ok(())
}

/// Has packets for these addresses leave by an interface, so that there is a way also where nothing leads out.
pub(crate) fn route(addresses: &str, interface: &str) -> Result<(), RigError> {
    run("ip", &["route", "replace", addresses, "dev", interface]).map(drop)
}

/// Takes a route back, if it is there.
pub(crate) fn remove_route(addresses: &str) {
    let _ = run("ip", &["route", "delete", addresses]);
}

const FILTERS: [&str; 2] = ["iptables", "ip6tables"];
const TABLES: [&str; 3] = ["filter", "nat", "mangle"];

/// Whether there are chains whose name begins so, such as `DOCKER`: then another engine may be at work here.
pub(crate) fn has_chains(prefix: &str) -> bool {
    let declared = format!("-N {prefix}");
    TABLES.iter().any(|table| rules("iptables", table).iter().any(|rule| rule.starts_with(&declared)))
}

/// Removes all chains whose name begins so, and the rules that lead to them.
pub(crate) fn remove_chains(prefix: &str) {
    for (filter, table) in FILTERS.iter().flat_map(|filter| TABLES.map(|table| (*filter, table))) {
        let rules = rules(filter, table);
        let leads = format!("-j {prefix}");
        rules.iter().filter(|rule| rule.contains(&leads)).for_each(|rule| delete(filter, table, rule));
        let declared = format!("-N {prefix}");
        let chains =
            || rules.iter().filter(|rule| rule.starts_with(&declared)).filter_map(|rule| rule.get(3..));
        // Only a chain that is empty and led to by none can go.
        chains().for_each(|chain| drop(run(filter, &["-w", "-t", table, "-F", chain])));
        chains().for_each(|chain| drop(run(filter, &["-w", "-t", table, "-X", chain])));
    }
}

/// Removes the rules that name an interface or a network, such as `pilotage0`.
pub(crate) fn remove_rules_about(what: &str) {
    for table in TABLES {
        let rules = rules("iptables", table);
        let about = rules.iter().filter(|rule| rule.split(' ').any(|word| word == what));
        about.for_each(|rule| delete("iptables", table, rule));
    }
}

/// The rules of a table as arguments, one a line; none where the filter is not there.
fn rules(filter: &str, table: &str) -> Vec<String> {
    let listed = run(filter, &["-w", "-t", table, "-S"]).unwrap_or_default();
    listed.lines().map(str::to_owned).collect()
}

/// What cannot be deleted stays: it is in nobody's way but the next reader's.
fn delete(filter: &str, table: &str, rule: &str) {
    if let Some(rule) = rule.strip_prefix("-A ") {
        let words = words(rule);
        let arguments = ["-w", "-t", table, "-D"].into_iter().chain(words.iter().map(String::as_str));
        let _ = run(filter, &arguments.collect::<Vec<_>>());
    }
}

/// The words of a rule, of which a comment may be in quotes.
fn words(rule: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in rule.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_comment_is_one_word() {
        let rule = "KUBE-SVC -m comment --comment \"default/web -> 1\" -j KUBE-SEP";
        assert_eq!(
            words(rule),
            ["KUBE-SVC", "-m", "comment", "--comment", "default/web -> 1", "-j", "KUBE-SEP"]
        );
    }
}
