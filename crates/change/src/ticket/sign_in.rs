//! As whom a system is asked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue};
use pilotage_spec::{SecretSource, TicketScheme, TicketSignIn};

/// The header that signs in. Its value is marked as sensitive, so that it is never printed.
pub(super) fn header(
    sign_in: &TicketSignIn,
    read: impl FnOnce(&SecretSource) -> Result<String, String>,
) -> Result<(HeaderName, HeaderValue), String> {
    let token = read(&sign_in.token)?;
    let (name, text) = match &sign_in.scheme {
        TicketScheme::Bearer => (http::header::AUTHORIZATION, format!("Bearer {token}")),
        TicketScheme::Basic(user) => {
            (http::header::AUTHORIZATION, format!("Basic {}", BASE64.encode(format!("{user}:{token}"))))
        }
        TicketScheme::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` is not the name of a header"))?;
            (name, token)
        }
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| format!("what {} holds cannot be sent in a header", sign_in.token))?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_of_a_user_and_password_comes_out() {
        // RFC 7617, section 2.
        let scheme = TicketScheme::Basic("Aladdin".to_owned());
        let sign_in = TicketSignIn { token: "env:TOKEN".parse().unwrap(), scheme };
        let (_, value) = header(&sign_in, |_| Ok("open sesame".to_owned())).unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_not_repeated() {
        let sign_in = TicketSignIn { token: "env:TOKEN".parse().unwrap(), scheme: TicketScheme::Bearer };
        let error = header(&sign_in, |_| Ok("hunter2\r\nX-Admin: yes".to_owned())).unwrap_err();
        assert_eq!(error, "what env:TOKEN holds cannot be sent in a header");
        let (_, value) = header(&sign_in, |_| Ok("hunter2".to_owned())).unwrap();
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
}
