//! Records of NDJSON: one object a line.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};

use serde::Deserializer as _;
use serde::de::{Deserialize, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::column::{COLUMNS, Column};
use super::fault::Fault;
use super::record::{Record, Sink};

pub fn read(mut input: impl BufRead, sink: &mut impl Sink) -> io::Result<()> {
    let (mut bytes, mut line) = (Vec::new(), 0);
    let mut seen = [false; COLUMNS];
    while input.read_until(b'\n', &mut bytes)? > 0 {
        line += 1;
        if !bytes.trim_ascii().is_empty() {
            match object(&bytes, sink) {
                Ok(values) => take(&values, line, &mut seen, sink),
                Err(error) => sink.fault(Fault::line(line, not_an_object(&error))),
            }
        }
        bytes.clear();
    }
    for needed in Column::NEEDED {
        if !seen[needed as usize] {
            sink.fault(Fault::whole(format!("no line has the key `{}`; each needs it", needed.name())));
        }
    }
    Ok(())
}

/// The reader's own place is one within the line, and its line always the first.
fn not_an_object(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let reason = said.split(" at line ").next().unwrap_or_default();
    format!("not a JSON object ({reason}); write one object a line, and null where something is not known")
}

fn take(values: &[Value; COLUMNS], line: u64, seen: &mut [bool; COLUMNS], sink: &mut impl Sink) {
    let mut texts: [Option<Cow<'_, str>>; COLUMNS] = Default::default();
    for (index, (value, (column, _))) in values.iter().zip(Column::ALL).enumerate() {
        texts[index] = match value {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(Cow::Borrowed(text.trim())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                seen[index] = true;
                return sink.fault(Fault::field(line, column, "write a number or a text here"));
            }
        };
        seen[index] |= texts[index].is_some();
    }
    let mut fields = [None; COLUMNS];
    for (field, text) in fields.iter_mut().zip(&texts) {
        *field = text.as_deref();
    }
    sink.record(&Record { line, fields });
}

/// The values of the keys that are known.
fn object(bytes: &[u8], sink: &mut impl Sink) -> Result<[Value; COLUMNS], serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let values = reader.deserialize_map(Keys { sink })?;
    reader.end()?;
    Ok(values)
}

struct Keys<'a, S> {
    sink: &'a mut S,
}

impl<'de, S: Sink> Visitor<'de> for Keys<'_, S> {
    type Value = [Value; COLUMNS];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values: Self::Value = Default::default();
        while let Some(Key(key)) = map.next_key()? {
            match Column::named(&key) {
                Some(column) => values[column as usize] = map.next_value()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                    self.sink.unknown(&key);
                }
            }
        }
        Ok(values)
    }
}

/// A key, borrowed from the line unless something in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
