//! As whom a system is asked.

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
            (http::header::AUTHORIZATION, format!("Basic {}", base64(format!("{user}:{token}").as_bytes())))
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

/// Base 64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            (0..3).fold(0_u32, |group, index| group << 8 | u32::from(chunk.get(index).copied().unwrap_or(0)));
        for index in 0..4 {
            let place = (group >> (18 - 6 * index)) & 63;
            text.push(if index <= chunk.len() { char::from(ALPHABET[place as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_of_base_64_hold() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
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
