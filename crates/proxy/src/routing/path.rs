//! The path of a request as it is compared with the paths of routes.
//!
//! The request goes to the service with the path it came with; only the comparison sees this form. It must not be
//! possible to write the path of one service so that the edge takes it for another's, so whatever servers are known to
//! read as a separator or to leave out is read so here too: escapes are decoded once, `%2F` and backslashes separate,
//! empty segments and `.` count for nothing, and parameters of a segment (`;…`) are left out. How a `..` would be
//! applied to such a path is something on which servers differ, so a path with one, however written, has no form at all.

use std::borrow::Cow;

use memchr::memchr2;

use super::percent::path_bytes;

/// A path that can be read in two ways: it has a `..`, or a zero byte at which some servers end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AmbiguousPath;

/// The path of a target in the form that is compared. Without a slash at its end if it had to be written anew.
pub(super) fn canonical(target: &[u8]) -> Result<Cow<'_, [u8]>, AmbiguousPath> {
    let path = &target[..memchr2(b'?', b'#', target).unwrap_or(target.len())];
    if is_plain(path) { Ok(Cow::Borrowed(path)) } else { rewritten(path).map(Cow::Owned) }
}

/// Whether a path is in its compared form already, as nearly all are.
fn is_plain(path: &[u8]) -> bool {
    let mut previous = 0;
    path.first() == Some(&b'/')
        && path.iter().all(|byte| {
            let plain = match byte {
                b'%' | b';' | b'\\' | 0 => false,
                b'/' | b'.' => previous != b'/',
                _ => true,
            };
            previous = *byte;
            plain
        })
}

fn rewritten(path: &[u8]) -> Result<Vec<u8>, AmbiguousPath> {
    let decoded: Vec<u8> = path_bytes(path).collect();
    if decoded.contains(&0) {
        return Err(AmbiguousPath);
    }
    let mut canonical = Vec::with_capacity(decoded.len());
    for segment in decoded.split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment.split(|byte| *byte == b';').next().unwrap_or_default() {
            b"" | b"." => {}
            b".." => return Err(AmbiguousPath),
            segment => {
                canonical.push(b'/');
                canonical.extend_from_slice(segment);
            }
        }
    }
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(target: &str) -> String {
        String::from_utf8(canonical(target.as_bytes()).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn plain_paths_are_compared_as_they_are() {
        for path in ["/", "/shop", "/shop/", "/shop/cart.html", "/a..b"] {
            assert!(matches!(canonical(path.as_bytes()), Ok(Cow::Borrowed(same)) if same == path.as_bytes()));
        }
        assert_eq!(read("/shop?next=/../admin"), "/shop");
        assert_eq!(read("/shop#/../admin"), "/shop");
    }

    #[test]
    fn other_ways_to_write_a_path_are_seen_through() {
        for target in [
            "//admin/x",
            "/./admin/x",
            "/%61dmin/x",
            "/admin%2Fx",
            "/admin%2fx/",
            "/admin\\x",
            "/%5cadmin/x",
            "/admin;id=1/x",
            "/;a/admin/x",
            "/admin/.;b/x",
            "/%2e/admin/x",
            "/admin%3bid/x",
        ] {
            assert_eq!(read(target), "/admin/x", "{target}");
        }
        assert_eq!(read("/.well-known/x"), "/.well-known/x");
        assert_eq!(read("/..."), "/...");
        assert_eq!(read("/%252e%252e/x"), "/%2e%2e/x", "decoded once");
        assert_eq!(read("*"), "/*", "OPTIONS *");
    }

    #[test]
    fn paths_that_climb_have_no_form() {
        for target in [
            "/a/../b",
            "/..",
            "/a/..",
            "/%2e%2e/b",
            "/.%2E/b",
            "/a/..%2Fb",
            "/a%2F..%2Fb",
            "/a\\..\\b",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/..%5cb",
            "/a/%2e%2e%3b/b",
            "/a%00b",
            "/a//../b",
            "..",
            "/a/..?x",
        ] {
            assert_eq!(canonical(target.as_bytes()), Err(AmbiguousPath), "{target}");
        }
    }

    proptest! {
        #[test]
        fn the_compared_form_has_nothing_left_to_read(
            target in proptest::collection::vec(
                prop_oneof![Just(b'/'), Just(b'.'), Just(b'%'), Just(b'2'), Just(b'e'), Just(b'F'), Just(b';'), Just(b'\\'), any::<u8>()],
                0..40,
            ),
        ) {
            let Ok(path) = canonical(&target) else { return Ok(()) };
            for segment in path.split(|byte| *byte == b'/') {
                prop_assert!(segment != b".." && segment != b"." && !segment.contains(&b'\\') && !segment.contains(&b';'));
            }
            prop_assert!(!path.windows(2).any(|pair| pair == b"//"));
        }
    }
}
