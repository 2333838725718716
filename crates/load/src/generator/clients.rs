//! Simulated clients, and how each makes itself known.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use pilotage_proxy::CLIENT_HEADER;

/// Every second client has a fixed id and sends it in a header; the others are browsers: they send back the cookie that
/// they were given last.
#[derive(Debug, Default)]
pub(super) struct Clients {
    cookies: Mutex<HashMap<u64, HeaderValue>>,
}

impl Clients {
    /// Adds what tells this client from others.
    pub(super) fn identify(&self, client: u64, headers: &mut HeaderMap) {
        if client.is_multiple_of(2) {
            if let Ok(id) = HeaderValue::from_str(&format!("client-{client}")) {
                headers.insert(CLIENT_HEADER, id);
            }
        } else if let Some(cookie) = self.cookies().get(&client) {
            headers.insert(COOKIE, cookie.clone());
        }
    }

    /// Keeps the cookie of an answer.
    pub(super) fn remember(&self, client: u64, answer: &HeaderMap) {
        let Some(cookie) = answer.get(SET_COOKIE) else { return };
        let pair = cookie.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        if let Ok(pair) = HeaderValue::from_bytes(pair) {
            self.cookies().insert(client, pair);
        }
    }

    fn cookies(&self) -> MutexGuard<'_, HashMap<u64, HeaderValue>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sends_back_the_cookie_it_was_given_last_and_nobody_elses() {
        let (clients, mut answer) = (Clients::default(), HeaderMap::new());
        for cookie in ["pilotage-client=one.a; HttpOnly; SameSite=Lax", "pilotage-client=two.b; HttpOnly"] {
            answer.insert(SET_COOKIE, HeaderValue::from_static(cookie));
            clients.remember(1, &answer);
        }
        let sent = |client| {
            let mut headers = HeaderMap::new();
            clients.identify(client, &mut headers);
            headers
        };
        assert_eq!(sent(1)[COOKIE], "pilotage-client=two.b");
        assert!(sent(3).is_empty());
        assert_eq!(sent(2)[CLIENT_HEADER], "client-2");
    }
}
