//! JSON pointers (RFC 6901), in which `*` stands for any key or index.

/// Where something lies in a body of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Any key or index.
    Any,
    /// This key, or the index that is written like this.
    Key(String),
}

impl Pointer {
    /// Reads a pointer; none if it does not begin with `/`, or has a `~` with neither `0` nor `1` behind it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let steps = text.strip_prefix('/')?.split('/').map(Step::parse).collect::<Option<_>>()?;
        Some(Self { steps })
    }

    /// The way to it, step by step.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let mut parts = text.split('~');
        let mut key = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (sign, rest) = match part.as_bytes().first()? {
                b'0' => ('~', &part[1..]),
                b'1' => ('/', &part[1..]),
                _ => return None,
            };
            key.push(sign);
            key.push_str(rest);
        }
        Some(Self::Key(key))
    }

    pub(super) fn leads_to(&self, key: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Key(own) => own == key,
        }
    }
}

/// Writes a step that leads to this key at the end of a pointer.
pub(super) fn push_step(pointer: &mut String, key: &str) {
    pointer.push('/');
    for letter in key.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Step {
        Step::Key(key.to_owned())
    }

    #[test]
    fn pointers_are_read_as_the_standard_writes_them() {
        let steps = |text| Pointer::parse(text).map(|pointer| pointer.steps);
        assert_eq!(steps("/foo/0"), Some(vec![key("foo"), key("0")]));
        assert_eq!(steps("/a~1b/m~0n/~01"), Some(vec![key("a/b"), key("m~n"), key("~1")]));
        assert_eq!(steps("/"), Some(vec![key("")]));
        assert_eq!(steps("/items/*/id"), Some(vec![key("items"), Step::Any, key("id")]));
        for wrong in ["", "a", "/~", "/~2", "/a~/b", "/~ä"] {
            assert_eq!(steps(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "a", "~", "/", "~1/~0", "ä b"] {
            let mut pointer = String::new();
            push_step(&mut pointer, text);
            assert_eq!(Pointer::parse(&pointer).unwrap().steps, [key(text)]);
        }
    }
}
