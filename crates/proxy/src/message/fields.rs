//! Header or trailer fields, in the order in which they came.

use super::Name;

/// Fields with their text. Clearing keeps the memory for the next message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(super) text: Vec<u8>,
    list: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    known: Name,
    name: Place,
    value: Place,
}

/// Part of a text. Heads are far shorter than 4 GiB.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    pub(super) fn in_text(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Where `part`, which is a slice of `text`, lies in it.
    pub(super) fn of(part: &[u8], text: &[u8]) -> Self {
        let start = (part.as_ptr().addr()).saturating_sub(text.as_ptr().addr());
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }
}

impl Fields {
    /// No fields.
    pub(crate) fn none() -> &'static Self {
        static NONE: Fields = Fields { text: Vec::new(), list: Vec::new() };
        &NONE
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.list.clear();
    }

    /// Adds a field at the end.
    pub(crate) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.push_known(Name::of(name), name, value);
    }

    /// The same of a field that has been recognised already.
    pub(crate) fn push_known(&mut self, known: Name, name: &[u8], value: &[u8]) {
        let name_place = self.append(name);
        let value = self.append(value);
        self.list.push(Field { known, name: name_place, value });
    }

    /// Adds bytes to the text that belong to no field.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Place {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        Place { start: start as u32, end: self.text.len() as u32 }
    }

    /// Forgets everything and takes over a text, whose fields are then named with [`Fields::mark`], so that they are
    /// not copied one by one.
    pub(super) fn load(&mut self, text: &[u8]) {
        self.clear();
        self.text.extend_from_slice(text);
    }

    /// Names a field of the text that was loaded, by slices of the original.
    pub(crate) fn mark(&mut self, original: &[u8], name: &[u8], value: &[u8]) {
        let (name_place, value) = (Place::of(name, original), Place::of(value, original));
        self.list.push(Field { known: Name::of(name), name: name_place, value });
    }

    /// Bytes of all names and values.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// All fields: which one, its name as written, its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, &[u8], &[u8])> {
        self.list
            .iter()
            .map(|field| (field.known, field.name.in_text(&self.text), field.value.in_text(&self.text)))
    }

    /// The values of all fields of this name.
    pub(crate) fn all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.list.iter().filter(move |field| field.known == name).map(|field| field.value.in_text(&self.text))
    }

    /// The value of the first field of this name.
    pub(crate) fn get(&self, name: Name) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The value of the first field of a name that need not be known to the edge.
    pub(crate) fn find(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(_, own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, _, value)| value)
    }

    /// Whether one of the comma-separated values of a field is this word, in any case.
    pub(crate) fn lists(&self, name: Name, word: &str) -> bool {
        self.all(name).flat_map(listed).any(|value| value.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// The parts of a comma-separated value, without white space around them.
pub(crate) fn listed(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_in_any_case() {
        let mut fields = Fields::default();
        fields.push(b"Connection", b"close, X-Own");
        fields.push(b"X-Own", b"1");
        fields.push(b"x-own", b"2");
        assert_eq!(fields.find("x-OWN"), Some(&b"1"[..]));
        assert!(fields.lists(Name::Connection, "CLOSE") && !fields.lists(Name::Connection, "x"));
        assert_eq!(fields.get(Name::Host), None);
        fields.clear();
        assert!(fields.iter().next().is_none() && fields.find("x-own").is_none());
    }
}
