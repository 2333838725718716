//! How others encode, written anew for the tests: bit by bit and from the standards, not as the masker does it.

pub type Encode = fn(&[u8]) -> Option<Vec<u8>>;

/// By name; `None` where only a text can be encoded so.
pub const ENCODINGS: [(&str, Encode); 13] = [
    ("raw", |bytes| Some(bytes.to_vec())),
    ("base64", |bytes| Some(base64(bytes).into_bytes())),
    ("base64, URL-safe", |bytes| Some(base64_url(bytes).into_bytes())),
    ("hex", |bytes| Some(hex(bytes).into_bytes())),
    ("hex, upper case", |bytes| Some(hex(bytes).to_uppercase().into_bytes())),
    ("percent", |bytes| Some(percent(bytes).into_bytes())),
    ("percent, lower case", |bytes| Some(lower_escapes(&percent(bytes)).into_bytes())),
    ("form", |bytes| {
        Some(percent(bytes).replace("%20", "+").replace('~', "%7E").replace("%2A", "*").into_bytes())
    }),
    ("JSON", |bytes| text(bytes, json)),
    ("JSON in JSON", |bytes| text(bytes, |text| json(&json(text)))),
    ("single quotes", |bytes| text(bytes, single_quoted)),
    ("double quotes", |bytes| {
        text(bytes, |text| {
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`")
        })
    }),
    ("debug", |bytes| {
        text(bytes, |text| {
            let shown = format!("{text:?}");
            shown[1..shown.len() - 1].to_owned()
        })
    }),
];

fn text(bytes: &[u8], encode: impl Fn(&str) -> String) -> Option<Vec<u8>> {
    Some(encode(std::str::from_utf8(bytes).ok()?).into_bytes())
}

pub fn json(text: &str) -> String {
    let whole = serde_json::to_string(text).unwrap();
    whole[1..whole.len() - 1].to_owned()
}

pub fn single_quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 3986, section 2.3.
pub fn percent(bytes: &[u8]) -> String {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    bytes
        .iter()
        .map(|byte| if kept(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn lower_escapes(percent: &str) -> String {
    let mut parts = percent.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| format!("{whole}%{}{}", part[..2].to_lowercase(), &part[2..]))
}

/// RFC 4648, section 4.
pub fn base64(bytes: &[u8]) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut encoded = String::new();
    for group in bits.as_bytes().chunks(6) {
        let group = format!("{:0<6}", std::str::from_utf8(group).unwrap());
        encoded.push(digits[usize::from_str_radix(&group, 2).unwrap()]);
    }
    while !encoded.len().is_multiple_of(4) {
        encoded.push('=');
    }
    encoded
}

pub fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}
