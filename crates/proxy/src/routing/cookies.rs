//! The cookies of one worker's clients: a client sends its own with every request, and a signature that was found sound once need
//! not be computed again.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use constant_time_eq::constant_time_eq_32;

use super::asked::cookie_values;
use super::cookie::{ID_LENGTH, SIGNATURE_LENGTH, cookie_name};
use super::{Asked, CookieKey};

/// How many cookies of the name are looked at: the same client can have several, but checking a whole head of them
/// would cost more than the request.
pub(super) const MOST_CANDIDATES: usize = 4;

/// How many sound cookies are remembered.
const REMEMBERED: usize = 1 << REMEMBERED_BITS;
const REMEMBERED_BITS: u32 = 7;

/// The key that signs cookies, and the sound cookies that one thread has seen last.
pub(crate) struct Cookies {
    key: Arc<CookieKey>,
    /// Each cookie has one place, which the last one there takes. Empty until the first sound cookie comes: most routes have
    /// one version, and ask for none.
    sound: RefCell<Vec<Option<Sound>>>,
}

/// A cookie that the key has signed.
#[derive(Clone)]
struct Sound {
    /// The name is signed too.
    secure: bool,
    id: [u8; ID_LENGTH],
    signature: [u8; SIGNATURE_LENGTH],
}

impl Cookies {
    pub(crate) fn new(key: Arc<CookieKey>) -> Self {
        Self { key, sound: RefCell::default() }
    }

    /// The id in the first cookie that the key has signed.
    pub(super) fn known_id<'a>(&self, asked: &'a impl Asked) -> Option<&'a [u8]> {
        let secure = asked.is_secure();
        let candidates = cookie_values(asked, cookie_name(secure)).take(MOST_CANDIDATES);
        let mut whole = candidates.filter_map(parts);
        let (id, _) = whole.find(|(id, signature)| self.is_sound(secure, id, signature))?;
        Some(id)
    }

    /// The value of a `Set-Cookie` header that gives a client its id, for as long as its browser stays open.
    pub(super) fn set_cookie(&self, id: &[u8; ID_LENGTH], secure: bool) -> Vec<u8> {
        self.key.set_cookie(id, secure)
    }

    /// Takes the same time wherever a guessed signature goes wrong.
    fn is_sound(&self, secure: bool, id: &[u8; ID_LENGTH], signature: &[u8; SIGNATURE_LENGTH]) -> bool {
        let mut sound = self.sound.borrow_mut();
        let place = place_of(id);
        let remembered = sound.get(place).and_then(Option::as_ref);
        let remembered = remembered.filter(|known| known.secure == secure && known.id == *id);
        if remembered.is_some_and(|known| constant_time_eq_32(&known.signature, signature)) {
            return true;
        }
        let is_signed = constant_time_eq_32(&self.key.signature(secure, id), signature);
        if is_signed {
            sound.resize(REMEMBERED, None);
            sound[place] = Some(Sound { secure, id: *id, signature: *signature });
        }
        is_signed
    }
}

/// The id and the signature in a value.
fn parts(value: &[u8]) -> Option<(&[u8; ID_LENGTH], &[u8; SIGNATURE_LENGTH])> {
    let (id, rest) = value.split_first_chunk()?;
    Some((id, rest.strip_prefix(b".")?.as_array()?))
}

/// Where a cookie is remembered. Ids are random: their last digits, multiplied by an odd number near the golden ratio of all
/// 64 bits, are spread well enough (Fibonacci hashing).
fn place_of(id: &[u8; ID_LENGTH]) -> usize {
    let digits = id.last_chunk().map_or(0, |digits| u64::from_le_bytes(*digits));
    // Cannot truncate: seven bits are left.
    (digits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - REMEMBERED_BITS)) as usize
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookies(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use zeroize::Zeroizing;

    use super::super::cookie::id_digits;
    use super::super::sample::Sample;
    use super::*;

    fn cookies() -> Cookies {
        Cookies::new(Arc::new(CookieKey::new(Zeroizing::new([5; CookieKey::LENGTH]))))
    }

    /// What a browser sends back.
    fn asked(cookies: &Cookies, id: u64) -> Sample {
        let cookie = String::from_utf8(cookies.set_cookie(&id_digits(id), false)).unwrap();
        Sample::new().with("cookie", cookie.split_once("; ").unwrap().0)
    }

    #[test]
    fn clients_are_known_each_time_they_come_however_many_there_are() {
        let cookies = cookies();
        for _ in 0..3 {
            for client in 0..1_000 {
                assert_eq!(cookies.known_id(&asked(&cookies, client)), Some(&id_digits(client)[..]));
            }
        }
        assert_eq!(cookies.sound.borrow().len(), REMEMBERED);
    }

    #[test]
    fn a_remembered_cookie_makes_no_other_one_sound() {
        let cookies = cookies();
        let sound = asked(&cookies, 7);
        assert!(cookies.known_id(&sound).is_some());
        let secure = Sample { secure: true, ..sound.clone() };
        assert_eq!(cookies.known_id(&secure), None, "the cookie of an encrypted connection has another name");
        let line = String::from_utf8(sound.cookies().next().unwrap().to_vec()).unwrap();
        let (name, value) = line.split_once('=').unwrap();
        let planted =
            Sample { secure: true, ..Sample::new().with("cookie", format!("__Host-{name}={value}")) };
        assert_eq!(cookies.known_id(&planted), None);
        // The same place and id, and another signature.
        let last = if value.ends_with('0') { "1" } else { "0" };
        let forged = Sample::new().with("cookie", format!("{name}={}{last}", &value[..value.len() - 1]));
        assert_eq!(cookies.known_id(&forged), None);
        assert!(cookies.known_id(&sound).is_some());
    }

    #[test]
    fn places_are_spread() {
        let place = |id: u64| place_of(&id_digits(id.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        let places: HashSet<usize> = (1..1_000).map(place).collect();
        assert!(places.len() > REMEMBERED * 9 / 10, "{} places", places.len());
    }
}
