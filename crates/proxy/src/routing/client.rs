//! Who a client is, for the split.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use super::cookie::{ID_LENGTH, id_digits};
use super::{Asked, Cookies};
use crate::ClientKey;

/// The request header that holds a client's id, for clients that keep no cookies.
pub const CLIENT_HEADER: &str = "x-client-id";

/// Ids are hashed up to this length, so that a huge header costs nothing.
const LONGEST_ID: usize = 128;

/// What a route without keys tells its clients apart by.
static DEFAULT_KEYS: LazyLock<Arc<[ClientKey]>> =
    LazyLock::new(|| Arc::new([ClientKey::Cookie, ClientKey::Header(CLIENT_HEADER.to_owned())]));

/// How a route tells its clients apart: the first of these that a request has.
#[derive(Debug)]
pub(super) struct ClientKeys {
    keys: Arc<[ClientKey]>,
    /// Whether a client that has none of them is given a cookie.
    sets_cookie: bool,
}

/// A client, and the cookie that it is to be given.
#[derive(Debug)]
pub(super) struct Client<'a> {
    id: ClientId<'a>,
    /// The value of a `Set-Cookie` header.
    pub(super) cookie: Option<Vec<u8>>,
}

/// What a client is known by.
#[derive(Debug)]
pub(crate) enum ClientId<'a> {
    Told(&'a [u8]),
    Drawn([u8; ID_LENGTH]),
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Client<'_> {
    pub(super) fn id(&self) -> &[u8] {
        self.id.as_bytes()
    }
}

impl ClientId<'_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Told(id) => id,
            Self::Drawn(id) => id,
            Self::V4(address) => address,
            Self::V6(address) => address,
        }
    }
}

impl ClientKeys {
    /// No keys mean the cookie, then the header [`CLIENT_HEADER`].
    pub(super) fn new(keys: &[ClientKey]) -> Self {
        let lower_case = |key: &ClientKey| match key {
            ClientKey::Header(name) => ClientKey::Header(name.to_ascii_lowercase()),
            ClientKey::Cookie | ClientKey::Address => key.clone(),
        };
        let keys = match keys {
            [] => Arc::clone(&DEFAULT_KEYS),
            keys => keys.iter().map(lower_case).collect(),
        };
        Self { sets_cookie: keys.contains(&ClientKey::Cookie), keys }
    }

    /// What a request has of the keys, if anything; equal of all requests of a client.
    pub(super) fn known<'a>(&self, asked: &'a impl Asked, cookies: &Cookies) -> Option<ClientId<'a>> {
        self.keys.iter().find_map(|own| told(own, asked, cookies))
    }

    /// The client of a request. One that has none of the keys gets an id from `draw`, and is given it as a cookie if
    /// cookies are among the keys; if they are not, it is another client each time.
    pub(super) fn identify<'a>(
        &self,
        asked: &'a impl Asked,
        cookies: &Cookies,
        draw: impl FnOnce() -> u64,
    ) -> Client<'a> {
        match self.known(asked, cookies) {
            Some(id) => Client { id, cookie: None },
            None => {
                let id = id_digits(draw());
                let cookie = self.sets_cookie.then(|| cookies.set_cookie(&id, asked.is_secure()));
                Client { id: ClientId::Drawn(id), cookie }
            }
        }
    }
}

fn told<'a>(own: &ClientKey, asked: &'a impl Asked, cookies: &Cookies) -> Option<ClientId<'a>> {
    match own {
        ClientKey::Cookie => cookies.known_id(asked).map(ClientId::Told),
        ClientKey::Header(name) => {
            let id = asked.header(name).filter(|id| !id.is_empty())?;
            Some(ClientId::Told(&id[..id.len().min(LONGEST_ID)]))
        }
        ClientKey::Address => Some(match asked.client().to_canonical() {
            IpAddr::V4(address) => ClientId::V4(address.octets()),
            IpAddr::V6(address) => ClientId::V6(address.octets()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zeroize::Zeroizing;

    use super::super::CookieKey;
    use super::super::sample::Sample;
    use super::*;

    fn cookies() -> Cookies {
        Cookies::new(Arc::new(CookieKey::new(Zeroizing::new([9; CookieKey::LENGTH]))))
    }

    fn identified(keys: &[ClientKey], asked: &Sample) -> (Vec<u8>, Option<String>) {
        let cookies = cookies();
        let client = ClientKeys::new(keys).identify(asked, &cookies, || 0xd1ce);
        let cookie = client.cookie.clone().map(|cookie| String::from_utf8(cookie).unwrap());
        (client.id().to_vec(), cookie)
    }

    #[test]
    fn a_stranger_is_given_a_cookie_and_is_then_known_by_it() {
        let (id, cookie) = identified(&[], &Sample::new());
        assert_eq!(id, b"000000000000d1ce");
        let cookie = cookie.unwrap();
        let again =
            Sample::new().with("cookie", cookie.split_once(';').unwrap().0).with("x-client-id", "alice");
        assert_eq!(identified(&[], &again), (id, None), "the cookie goes before the header");
        let secure = Sample { secure: true, ..again };
        assert_eq!(identified(&[], &secure), (b"alice".to_vec(), None));
    }

    #[test]
    fn keys_are_tried_in_order() {
        let header = || ClientKey::Header("X-User".to_owned());
        let asked = Sample::new().with("x-user", "bob").with("x-client-id", "alice");
        assert_eq!(identified(&[header(), ClientKey::Address], &asked).0, b"bob");
        assert_eq!(identified(&[ClientKey::Address, header()], &asked).0, [192, 0, 2, 7]);
        let nameless = Sample::new().with("x-user", "");
        assert_eq!(identified(&[header(), ClientKey::Address], &nameless).0, [192, 0, 2, 7]);
    }

    #[test]
    fn without_cookies_among_the_keys_none_is_set() {
        let keys = [ClientKey::Header("x-user".to_owned())];
        assert_eq!(identified(&keys, &Sample::new()), (b"000000000000d1ce".to_vec(), None));
    }

    #[test]
    fn one_address_is_one_client_in_whatever_clothes() {
        let at = |address: &str| Sample { client: address.parse().unwrap(), ..Sample::new() };
        let id = |address| identified(&[ClientKey::Address], &at(address)).0;
        assert_eq!(id("::ffff:192.0.2.7"), id("192.0.2.7"));
        assert_eq!(id("2001:db8::1").len(), 16);
    }

    #[test]
    fn long_ids_are_cut() {
        let asked = Sample::new().with("x-client-id", "a".repeat(1_000));
        assert_eq!(identified(&[], &asked).0.len(), LONGEST_ID);
    }
}
