//! Signature Version 4, worked out a second time: "Create a signed AWS API request" of the IAM User Guide.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::http::Request;

pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const SESSION_TOKEN: &str = "AQoDYXdzEJr-a-session-token";
const REGION: &str = "eu-central-1";

/// Whether the request was signed with our key, for this service, with all headers that matter.
pub fn check(request: &Request, service: &str) -> Result<(), String> {
    let header =
        |name: &str| request.headers.get(name).map(String::as_str).ok_or(format!("no header {name}"));
    let authorization = header("authorization")?;
    let date = header("x-amz-date")?;
    let scope = format!("{}/{REGION}/{service}/aws4_request", date.get(..8).unwrap_or_default());
    let begin = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders=");
    let rest = authorization.strip_prefix(&begin).ok_or(format!("not `{begin}…`: {authorization}"))?;
    let (names, signature) = rest.split_once(", Signature=").ok_or("no signature")?;
    let mut needed = vec!["content-type", "host", "x-amz-date", "x-amz-security-token"];
    if service != "elasticloadbalancing" {
        needed.push("x-amz-target");
    }
    if names != needed.join(";") {
        return Err(format!("the headers {names} are signed, and not {needed:?}"));
    }
    if header("x-amz-security-token")? != SESSION_TOKEN {
        return Err("another session token".to_owned());
    }
    let mut canonical = "POST\n/\n\n".to_owned();
    for name in &needed {
        canonical += &format!("{name}:{}\n", header(name)?);
    }
    canonical += &format!("\n{names}\n{}", hexadecimal(&Sha256::digest(&request.body)));
    let hashed = hexadecimal(&Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let key = scope.split('/').fold(format!("AWS4{SECRET_KEY}").into_bytes(), |key, part| sign(&key, part));
    match hexadecimal(&sign(&key, &to_sign)) == signature {
        true => Ok(()),
        false => Err("the signature does not match".to_owned()),
    }
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
