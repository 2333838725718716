//! What a scalar stands for, as in the YAML reader of Kubernetes (go-yaml 2, which is YAML 1.1 with the octal numbers of 1.2;
//! <https://github.com/kubernetes-sigs/yaml>): `0644` is octal, and `yes` is true. A file means the same here as for `kubectl`.

use serde_json::{Number, Value};

/// What is said of a tag that no object needs.
pub(super) const UNKNOWN_TAG: &str = "tags other than `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` \
                                      are not supported; leave the tag out, and put a text in quotes";

/// Integers up to here are exact as floating point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The value of a scalar. `tag`: its type's name, if it has one.
pub(super) fn value(text: &str, plain: bool, tag: Result<Option<String>, ()>) -> Result<Value, String> {
    let tag = tag.map_err(|()| UNKNOWN_TAG.to_owned())?;
    match tag.as_deref() {
        Some("str") => Ok(Value::String(text.to_owned())),
        None if !plain => Ok(Value::String(text.to_owned())),
        None => resolve(text),
        Some(name) => {
            let value = resolve(text)?;
            let fits = match name {
                "int" => value.is_i64() || value.is_u64(),
                "float" => value.is_number(),
                "bool" => value.is_boolean(),
                "null" => value.is_null(),
                _ => return Err(UNKNOWN_TAG.to_owned()),
            };
            if fits {
                Ok(value)
            } else {
                Err(format!("this is no `{name}`, as its tag says; correct one of the two"))
            }
        }
    }
}

fn resolve(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Result<Option<Number>, String> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(None);
    }
    let unsigned = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if unsigned == ".inf" || text.eq_ignore_ascii_case(".nan") {
        return Err(format!(
            "`{text}` is a number that JSON does not have; put it in quotes if it is a text"
        ));
    }
    let text = text.replace('_', "");
    if let Some(integer) = integer(&text) {
        return Ok(Some(integer));
    }
    if !is_decimal(&text) {
        return Ok(None);
    }
    let Some(float) = text.parse::<f64>().ok().filter(|float| float.is_finite()) else {
        return Err(format!("`{text}` is too large for a number; put it in quotes if it is a text"));
    };
    Ok(whole(float).or_else(|| Number::from_f64(float)))
}

/// A number without a fraction is written without one, so that fields of integers take it.
fn whole(float: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "without a fraction, and small enough to be exact")]
    (float.fract() == 0.0 && float.abs() <= EXACT).then(|| Number::from(float as i64))
}

/// An integer by its prefix: `0x`, `0o` or `0` (octal), `0b`, or none.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` takes a sign of its own.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    if negative {
        return i64::from_str_radix(&format!("-{digits}"), radix).ok().map(Number::from);
    }
    u64::from_str_radix(digits, radix).ok().map(Number::from)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, as go-yaml has it.
fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa && exponent.is_none_or(digits)
}
