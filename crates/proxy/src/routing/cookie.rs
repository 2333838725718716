//! The cookie by which a client is known again: an id, and a signature that only this edge can make.
//!
//! The value is `<id>.<signature>`: 16 and 32 hexadecimal digits in lower case. The signature is keyed BLAKE3, cut to 128
//! bits, over the cookie's name, a zero byte and the id. With the name in it, a cookie that was caught or planted on a
//! plain connection is worth nothing on an encrypted one.

use std::fmt;

use zeroize::Zeroizing;

/// The cookie on encrypted connections. Browsers take a cookie with this prefix only from the host itself, over TLS.
pub const SECURE_CLIENT_COOKIE: &str = "__Host-pilotage-client";

/// The cookie on plain connections.
pub const CLIENT_COOKIE: &str = "pilotage-client";

/// Hexadecimal digits of an id.
pub(super) const ID_LENGTH: usize = 16;
/// Hexadecimal digits of a signature.
pub(super) const SIGNATURE_LENGTH: usize = 32;

/// The key that signs cookies. Never printed; overwritten when it is dropped.
pub(crate) struct CookieKey(Zeroizing<[u8; CookieKey::LENGTH]>);

impl CookieKey {
    /// How many bytes a key has.
    pub(crate) const LENGTH: usize = 32;

    pub(crate) fn new(bytes: Zeroizing<[u8; Self::LENGTH]>) -> Self {
        Self(bytes)
    }

    /// What it is made of, for whoever keeps it.
    pub(crate) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The value of a `Set-Cookie` header that gives a client its id, for as long as its browser stays open.
    pub(super) fn set_cookie(&self, id: &[u8; ID_LENGTH], secure: bool) -> Vec<u8> {
        let name = cookie_name(secure);
        let attributes: &[u8] = if secure {
            b"; Path=/; Secure; HttpOnly; SameSite=Lax"
        } else {
            b"; Path=/; HttpOnly; SameSite=Lax"
        };
        let signature = self.signature(secure, id);
        [name.as_bytes(), b"=", id, b".", &signature, attributes].concat()
    }

    /// What stands behind an id in the cookie of that name.
    pub(super) fn signature(&self, secure: bool, id: &[u8; ID_LENGTH]) -> [u8; SIGNATURE_LENGTH] {
        let name = cookie_name(secure);
        let mut message = [0; SECURE_CLIENT_COOKIE.len() + 1 + ID_LENGTH];
        let length = name.len() + 1 + ID_LENGTH;
        message[..name.len()].copy_from_slice(name.as_bytes());
        message[name.len() + 1..length].copy_from_slice(id);
        let hash = blake3::keyed_hash(&self.0, &message[..length]);
        let mut digits = [0; SIGNATURE_LENGTH];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.as_bytes()) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        digits
    }
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieKey(..)")
    }
}

/// An id as it is written.
pub(super) fn id_digits(id: u64) -> [u8; ID_LENGTH] {
    let mut digits = [0; ID_LENGTH];
    for (index, place) in digits.iter_mut().enumerate() {
        // Cannot truncate: four bits are left.
        *place = digit((id >> (60 - 4 * index) & 0xf) as u8);
    }
    digits
}

/// The hexadecimal digit of a number below 16.
fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

pub(super) fn cookie_name(secure: bool) -> &'static str {
    if secure { SECURE_CLIENT_COOKIE } else { CLIENT_COOKIE }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::Cookies;
    use super::super::cookies::MOST_CANDIDATES;
    use super::super::sample::Sample;
    use super::*;

    fn key(byte: u8) -> Cookies {
        Cookies::new(Arc::new(CookieKey::new(Zeroizing::new([byte; CookieKey::LENGTH]))))
    }

    /// What a browser sends back.
    fn pair(key: &Cookies, id: u64, secure: bool) -> String {
        let cookie = String::from_utf8(key.set_cookie(&id_digits(id), secure)).unwrap();
        cookie.split_once("; ").unwrap().0.to_owned()
    }

    fn known(key: &Cookies, cookies: &str, secure: bool) -> Option<String> {
        let asked = Sample { secure, ..Sample::new().with("cookie", cookies) };
        key.known_id(&asked).map(|id| String::from_utf8(id.to_vec()).unwrap())
    }

    #[test]
    fn the_cookie_is_written_as_the_format_says() {
        let plain = String::from_utf8(key(7).set_cookie(&id_digits(0xa1), false)).unwrap();
        assert_eq!(
            plain,
            "pilotage-client=00000000000000a1.d4d37bb871a31540c1f7d1868897174e; Path=/; HttpOnly; SameSite=Lax"
        );
        let secure = String::from_utf8(key(7).set_cookie(&id_digits(0xa1), true)).unwrap();
        assert_eq!(
            secure,
            "__Host-pilotage-client=00000000000000a1.189b0d92d954052c9747890f608f45f6; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_of_a_plain_connection_is_nothing_on_an_encrypted_one() {
        let value = pair(&key(1), 5, false);
        assert!(known(&key(1), &value, false).is_some());
        assert_eq!(known(&key(1), &value, true), None);
        let (_, value) = value.split_once('=').unwrap();
        assert_eq!(known(&key(1), &format!("__Host-pilotage-client={value}"), true), None);
    }

    #[test]
    fn a_sound_cookie_is_found_among_others_of_its_name() {
        let sound = pair(&key(1), 5, true);
        let cookies = format!("{}; x=1; __Host-pilotage-client=; {sound}", pair(&key(2), 6, true));
        assert_eq!(known(&key(1), &cookies, true).as_deref(), Some("0000000000000005"));
        let many = format!("{}{sound}", "__Host-pilotage-client=no; ".repeat(MOST_CANDIDATES));
        assert_eq!(known(&key(1), &many, true), None);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(
            format!("{:?}", CookieKey::new(Zeroizing::new([0x41; CookieKey::LENGTH]))),
            "CookieKey(..)"
        );
    }

    proptest! {
        #[test]
        fn ids_come_back_from_the_cookie(id in any::<u64>(), byte in any::<u8>(), secure in any::<bool>()) {
            let key = key(byte);
            prop_assert_eq!(known(&key, &pair(&key, id, secure), secure), Some(format!("{id:016x}")));
        }

        #[test]
        fn a_changed_or_foreign_cookie_is_none(id in any::<u64>(), at in 0..49usize, to in any::<u8>()) {
            let own = pair(&key(1), id, true);
            prop_assert_eq!(known(&key(2), &own, true), None);
            let (name, value) = own.split_once('=').unwrap();
            let mut value = value.as_bytes().to_vec();
            prop_assume!(value[at] != to && to != b';' && !to.is_ascii_whitespace());
            value[at] = to;
            let asked = Sample::new().with("cookie", [name.as_bytes(), b"=", &value].concat());
            let asked = Sample { secure: true, ..asked };
            prop_assert_eq!(key(1).known_id(&asked), None);
        }

        #[test]
        fn guesses_are_none(value in "[0-9a-f]{16}\\.[0-9a-f]{32}|.{0,60}") {
            prop_assert_eq!(known(&key(1), &format!("pilotage-client={value}"), false), None);
        }
    }
}
