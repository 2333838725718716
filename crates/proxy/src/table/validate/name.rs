//! Names that must be in requests word for word: hosts, paths, header and cookie names.

use super::RouteFault;

/// The longest name and label that DNS knows (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host as the lookup knows it: `shop.example.com`, or `*.example.com`.
pub(super) fn host(host: &str) -> Result<(), RouteFault> {
    let fault = |why| Err(RouteFault::Host { host: host.to_owned(), why });
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.len() <= LONGEST_HOST && name.split('.').all(is_label) {
        return Ok(());
    }
    if host == "*" {
        return fault("is every host; leave the hosts out for that");
    }
    if name.contains('*') {
        return fault("has a star inside; only a whole first label can be one, as in `*.example.com`");
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return fault("has capital letters; write it in lower case");
    }
    if name.contains(':') {
        return fault(
            "has a port or is an IPv6 address; leave the port out, and the host too for an address",
        );
    }
    if name.len() > LONGEST_HOST {
        return fault("is longer than 253 characters, which no name is");
    }
    fault(
        "is not a name; labels are letters, digits, hyphens and underscores with a dot between them, and \
         other scripts are written in their `xn--` form",
    )
}

fn is_label(label: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A path as the lookup knows it: `/`, `/shop`, `/shop/cart`. Anything that requests are read through to must not be in
/// it, or no request would ever have it.
pub(super) fn path(path: &str) -> Result<(), RouteFault> {
    let fault = |why| Err(RouteFault::Path { path: path.to_owned(), why });
    let Some(segments) = path.strip_prefix('/') else {
        return fault("does not begin with a slash; paths do");
    };
    if segments.is_empty() {
        return Ok(());
    }
    if path.contains(['?', '#']) {
        return fault("has a query; requests are told apart by the path alone");
    }
    if path.contains('%') {
        return fault("has an escape; write the character that it stands for");
    }
    if path.contains([';', '\\']) || path.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return fault("has a character that servers read in different ways; leave it out");
    }
    if path.ends_with('/') {
        return fault("ends with a slash; leave it out, the path takes everything below it");
    }
    for segment in segments.split('/') {
        match segment {
            "" => return fault("has an empty segment; write one slash between segments"),
            "." | ".." => return fault("has a `.` or `..`; write where it leads"),
            _ => {}
        }
    }
    Ok(())
}

/// A header name (RFC 9110, section 5.1).
pub(super) fn header(name: &str) -> Result<(), RouteFault> {
    check_token("header", name)
}

/// A cookie name (RFC 6265, section 4.1.1).
pub(super) fn cookie(name: &str) -> Result<(), RouteFault> {
    check_token("cookie", name)
}

/// A name of a query parameter, decoded.
pub(super) fn parameter(name: &str) -> Result<(), RouteFault> {
    if !name.is_empty() {
        return Ok(());
    }
    Err(RouteFault::Name { what: "query parameter", name: String::new(), mend: "give it a name" })
}

fn check_token(what: &'static str, name: &str) -> Result<(), RouteFault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(());
    }
    let mend = "use letters, digits and hyphens";
    Err(RouteFault::Name { what, name: name.to_owned(), mend })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_in_lower_case() {
        for sound in [
            "localhost",
            "shop.example.com",
            "*.example.com",
            "a_b.x--1.test",
            "xn--bcher-kva.example",
            "10.0.0.1",
        ] {
            assert_eq!(host(sound), Ok(()), "{sound}");
        }
        for (faulty, word) in [
            ("*", "every host"),
            ("a.*.test", "star"),
            ("*a.test", "star"),
            ("*.*.test", "star"),
            ("Shop.test", "lower case"),
            ("shop.test:80", "port"),
            ("[::1]", "IPv6"),
            ("", "not a name"),
            ("*.", "not a name"),
            ("a..b", "not a name"),
            ("a.b.", "not a name"),
            ("-a.test", "not a name"),
            ("a-.test", "not a name"),
            ("bücher.test", "xn--"),
            ("a b", "not a name"),
            (&"a".repeat(64), "not a name"),
            (&"ab.".repeat(90), "253"),
        ] {
            let fault = host(faulty).unwrap_err().to_string();
            assert!(fault.contains(word), "{faulty}: {fault}");
        }
    }

    #[test]
    fn paths_have_one_form() {
        for sound in ["/", "/shop", "/shop/cart.v2", "/.well-known", "/a..b", "/über"] {
            assert_eq!(path(sound), Ok(()), "{sound}");
        }
        for (faulty, word) in [
            ("", "begin with a slash"),
            ("shop", "begin with a slash"),
            ("/shop/", "ends with a slash"),
            ("//shop", "empty segment"),
            ("/shop/../x", "where it leads"),
            ("/./shop", "where it leads"),
            ("/shop?x=1", "query"),
            ("/%73hop", "escape"),
            ("/shop;v=1", "different ways"),
            ("/shop\\cart", "different ways"),
            ("/shop cart", "different ways"),
        ] {
            let fault = path(faulty).unwrap_err().to_string();
            assert!(fault.contains(word), "{faulty}: {fault}");
        }
    }

    #[test]
    fn header_and_cookie_names_are_tokens() {
        assert_eq!(header("X-Country"), Ok(()));
        assert_eq!(cookie("__Host-tester"), Ok(()));
        for faulty in ["", "x country", "x:country", "länge", "a=b", "a;b"] {
            assert!(header(faulty).is_err() && cookie(faulty).is_err(), "{faulty}");
        }
        assert!(parameter("").is_err() && parameter("plan of sale").is_ok());
    }
}
