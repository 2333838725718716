//! An issuer of OpenID Connect on this machine: real HTTP, real keys, and people who agree to everything.

#![allow(dead_code, reason = "each test uses its own part of the issuer")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An issuer that answers until it is dropped.
pub struct Issuer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// A key of an issuer.
#[derive(Clone)]
pub struct Key {
    pub name: String,
    pub algorithm: Algorithm,
    pub pem: String,
    pub public: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// The keys that are published.
    keys: Vec<Value>,
    /// What is said of whoever signs in next.
    person: Value,
    /// With which key that is signed.
    signing: Option<Key>,
    /// Codes that were given out, with the question that each answers.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    /// The name by which the issuer calls itself, if that is another one than its own.
    alias: Option<String>,
    /// How often the keys were asked for.
    asked: usize,
    closed: bool,
}

impl Key {
    pub fn new(name: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::EdDSA => KeyPair::generate_for(&PKCS_ED25519),
            Algorithm::RS256 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            other => panic!("no keys for {other:?} are made here"),
        };
        let pair = pair.unwrap();
        let public = pair.public_key_raw().to_vec();
        Self { name: name.to_owned(), algorithm, pem: pair.serialize_pem(), public }
    }

    fn encoding(&self) -> EncodingKey {
        let pem = self.pem.as_bytes();
        match self.algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem),
            _ => EncodingKey::from_rsa_pem(pem),
        }
        .unwrap()
    }

    /// What is published of it.
    pub fn published(&self) -> Value {
        let mut key = match self.algorithm {
            Algorithm::EdDSA => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&self.public) }),
            _ => serde_json::to_value(Jwk::from_encoding_key(&self.encoding(), self.algorithm).unwrap())
                .unwrap(),
        };
        key["kid"] = json!(self.name);
        key["use"] = json!("sig");
        key
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.name.clone()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.encoding()).unwrap()
    }

    /// A token whose head is made up.
    pub fn sign_with_head(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.encoding()).unwrap()
    }
}

impl Issuer {
    /// Starts one that publishes these keys.
    pub fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let issuer = Self { address, state: Arc::clone(&state) };
        issuer.publish(keys);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if state.lock().unwrap().closed {
                    return;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || answer(stream.unwrap(), address, &state));
            }
        });
        issuer
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes these keys and no others.
    pub fn publish(&self, keys: &[&Key]) {
        let mut state = self.state.lock().unwrap();
        state.keys = keys.iter().map(|key| key.published()).collect();
        state.signing = keys.first().map(|key| (*key).clone());
    }

    /// Publishes one more thing among the keys.
    pub fn publish_also(&self, key: Value) {
        self.state.lock().unwrap().keys.push(key);
    }

    /// Says who signs in next.
    pub fn person(&self, claims: Value) {
        self.state.lock().unwrap().person = claims;
    }

    /// Lets it call itself by another name.
    pub fn call_itself(&self, alias: &str) {
        self.state.lock().unwrap().alias = Some(alias.to_owned());
    }

    /// How often the keys were asked for.
    pub fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.state.lock().unwrap().closed = true;
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: TcpStream, address: SocketAddr, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let Some((target, body)) = request(&mut reader) else { return };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, head, body) = respond(path, query, &body, address, state);
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{head}\r\n", body.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        if field.trim().is_empty() {
            break;
        }
        if let Some(value) = field.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((target, String::from_utf8(body).unwrap()))
}

fn respond(
    path: &str,
    query: &str,
    body: &str,
    address: SocketAddr,
    state: &Mutex<State>,
) -> (&'static str, String, String) {
    let mut state = state.lock().unwrap();
    let base = format!("http://{address}");
    let json_head = "content-type: application/json\r\n".to_owned();
    match path {
        "/.well-known/openid-configuration" => {
            let document = json!({
                "issuer": state.alias.clone().unwrap_or_else(|| base.clone()),
                "jwks_uri": format!("{base}/keys"),
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
            });
            ("200 OK", json_head, document.to_string())
        }
        "/keys" => {
            state.asked += 1;
            ("200 OK", json_head, json!({ "keys": state.keys }).to_string())
        }
        "/authorize" => {
            let asked = form(query);
            assert_eq!(
                (asked["response_type"].as_str(), asked["code_challenge_method"].as_str()),
                ("code", "S256")
            );
            let code = format!("code-{}", state.codes.len());
            let to = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
            state.codes.insert(code, asked);
            ("302 Found", format!("location: {to}\r\n"), String::new())
        }
        "/token" => match token(&form(body), &base, &mut state) {
            Some(id_token) => (
                "200 OK",
                json_head,
                json!({ "id_token": id_token, "access_token": "x", "token_type": "Bearer" }).to_string(),
            ),
            None => ("400 Bad Request", json_head, json!({ "error": "invalid_grant" }).to_string()),
        },
        _ => ("404 Not Found", String::new(), String::new()),
    }
}

/// Exchanges a code, once, for whoever began with it.
fn token(given: &BTreeMap<String, String>, base: &str, state: &mut State) -> Option<String> {
    let asked = state.codes.remove(given.get("code")?)?;
    let challenge = base64url(&Sha256::digest(given.get("code_verifier")?.as_bytes()));
    let is_same = |name: &str| given.get(name) == asked.get(name);
    if challenge != asked["code_challenge"] || !is_same("redirect_uri") || !is_same("client_id") {
        return None;
    }
    let mut claims = json!({ "iss": base, "aud": asked["client_id"], "exp": now() + 300, "iat": now(), "nonce": asked["nonce"] });
    for (name, value) in state.person.as_object()? {
        claims[name] = value.clone();
    }
    Some(state.signing.as_ref()?.sign(&claims))
}

fn form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// RFC 4648, section 5, bit by bit.
pub fn base64url(bytes: &[u8]) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
    let bits: Vec<bool> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let digit = |six: &[bool]| {
        let padded = six.iter().copied().chain([false; 6]).take(6);
        digits[padded.fold(0, |number, bit| number * 2 + usize::from(bit))]
    };
    bits.chunks(6).map(digit).collect()
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
