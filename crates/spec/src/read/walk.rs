//! Checks over the whole file, whichever part of the grammar a value belongs to.

use super::node::{Kind, Node};

/// Shows every value with the keys that lead to it; items of a list have those of the list.
pub(super) fn walk<'a>(node: &'a Node, visit: &mut impl FnMut(&[&'a str], &'a Node)) {
    below(node, &mut Vec::new(), visit);
}

fn below<'a>(node: &'a Node, keys: &mut Vec<&'a str>, visit: &mut impl FnMut(&[&'a str], &'a Node)) {
    visit(keys, node);
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| below(item, keys, visit)),
        Kind::Map(entries) => {
            for entry in entries {
                keys.push(&entry.key);
                below(&entry.value, keys, visit);
                keys.pop();
            }
        }
        Kind::Scalar(_) | Kind::Empty | Kind::Refused => {}
    }
}
