//! Scripts that are written into commands: refused, unless somebody has approved the very text.

use sha2::{Digest as _, Sha256};

use super::fault::Faults;
use super::node::{Kind, Node};
use super::walk::walk;
use crate::Digest;

/// Programs that read a script from their arguments, with the letter of the option that says so.
const INTERPRETERS: [(&str, &[char], &[&str]); 14] = [
    ("sh", &['c'], &[]),
    ("bash", &['c'], &[]),
    ("dash", &['c'], &[]),
    ("ash", &['c'], &[]),
    ("zsh", &['c'], &[]),
    ("ksh", &['c'], &[]),
    ("fish", &['c'], &["--command"]),
    ("python", &['c'], &[]),
    ("node", &['e', 'p'], &["--eval", "--print"]),
    ("deno", &[], &["eval"]),
    ("perl", &['e', 'E'], &[]),
    ("ruby", &['e'], &[]),
    ("php", &['r'], &["--run"]),
    ("lua", &['e'], &[]),
];

/// Notes every command with a script in it that is not approved. Commands stand under `smoke`, and where secrets are read by them.
pub(super) fn check(tree: &Node, approved: &[Digest], faults: &mut Faults) {
    let mut found = Vec::new();
    walk(tree, &mut |keys, node| {
        let is_command = matches!(keys, ["services", _, "smoke"] | ["secrets", "commands", _]);
        let Some(words) = words(node).filter(|_| is_command) else { return };
        if has_script(&words) && !approved.contains(&digest(&words)) {
            found.push((node, keys.get(1).copied().unwrap_or_default(), digest(&words)));
        }
    });
    for (node, owner, digest) in found {
        faults
            .error(&node.span, "a script is written into this command")
            .label("not approved")
            .help(format!(
                "put it into a file of the project, or approve this very text: `approved_scripts: {{ \"{owner} {}\": \"{digest}\" }}`",
                digest.short()
            ))
            .hide();
    }
}

/// The words of a command; `None` for what is not a list of single values.
fn words(node: &Node) -> Option<Vec<&str>> {
    let Kind::List(items) = &node.kind else { return None };
    let words: Option<Vec<&str>> = items.iter().map(word).collect();
    words.filter(|words| !words.is_empty())
}

fn word(item: &Node) -> Option<&str> {
    match &item.kind {
        Kind::Scalar(scalar) => Some(scalar.text.as_str()),
        _ => None,
    }
}

/// Whether an interpreter stands anywhere in the command, as behind `env` or `timeout 5`, with an option by which it takes a script.
fn has_script(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let name = word.rsplit('/').next().unwrap_or(word);
        let rest = &words[at + 1..];
        name == "eval"
            || INTERPRETERS.iter().any(|(program, letters, options)| {
                is_program(name, program) && rest.iter().any(|option| is_option(option, letters, options))
            })
    })
}

/// The program, perhaps with a version behind its name: `python3.11`.
fn is_program(name: &str, program: &str) -> bool {
    let rest = name.strip_prefix(program);
    rest.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// `-c`, also among other letters as in `-euc`, or with the script at once as in `-cexit`.
fn is_option(word: &str, letters: &[char], options: &[&str]) -> bool {
    let long = options.iter().any(|option| word == *option || word.starts_with(&format!("{option}=")));
    let short = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    long || short.is_some_and(|rest| rest.contains(letters))
}

/// The digest of a command: SHA-256 over its words with a zero byte between them.
fn digest(words: &[&str]) -> Digest {
    Digest::from_bytes(Sha256::digest(words.join("\0")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_wherever_the_interpreter_stands() {
        for command in [
            "sh -c x",
            "/bin/bash -euc x",
            "env A=b timeout 5 sh -c x",
            "python3.11 -c x",
            "node --eval x",
            "node --eval=x",
            "node -pe x",
            "perl -E x",
            "ruby -e x",
            "eval x",
            "busybox ash -c x",
            "xargs sh -cx",
        ] {
            assert!(has_script(&command.split(' ').collect::<Vec<_>>()), "{command}");
        }
        for command in [
            "./smoke.sh -c x",
            "curl -fsS $URL",
            "python3 smoke.py",
            "shellcheck -c",
            "make check",
            "sh smoke.sh",
        ] {
            assert!(!has_script(&command.split(' ').collect::<Vec<_>>()), "{command}");
        }
    }

    #[test]
    fn a_digest_tells_where_words_end() {
        assert_ne!(digest(&["sh", "-c", "a b"]), digest(&["sh", "-c", "a", "b"]));
        // `printf 'sh\0-c\0true' | sha256sum`
        assert_eq!(
            digest(&["sh", "-c", "true"]).hex(),
            "072236b71fa23a03c26f610ff81933145482edb6544db124ec14ab22f1e7c082"
        );
    }
}
