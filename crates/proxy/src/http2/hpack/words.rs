//! Names and values, eight bytes at a time: most are so short that to call the functions made for long ones costs more than
//! what they do.

/// An odd number whose bits are without pattern: those of the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes upper case lower in eight letters at once, and a few other bytes equal that are not.
const FOLD_CASE: u64 = 0x2020_2020_2020_2020;

/// The hash of a name, whatever the case of its letters.
pub(super) const fn hash_name(name: &[u8]) -> u64 {
    hash(name, FOLD_CASE, 0)
}

/// The hash of a field.
pub(super) const fn hash_field(hash_of_name: u64, value: &[u8]) -> u64 {
    hash(value, 0, hash_of_name)
}

/// Hashes eight bytes at a time; the last eight may have been there before. `fold`: bits that make no difference.
const fn hash(mut bytes: &[u8], fold: u64, seed: u64) -> u64 {
    let mut hash = mix(seed, bytes.len() as u64);
    let Some(last) = bytes.last_chunk() else {
        return mix(hash, short_word(bytes) | fold);
    };
    while let Some((word, rest)) = bytes.split_first_chunk() {
        hash = mix(hash, u64::from_le_bytes(*word) | fold);
        bytes = rest;
    }
    if bytes.is_empty() { hash } else { mix(hash, u64::from_le_bytes(*last) | fold) }
}

/// Less than eight bytes as a number; together with their length it is theirs alone.
const fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_le_bytes(*first) as u64) << 32 | u32::from_le_bytes(*last) as u64;
    }
    match bytes {
        [] => 0,
        [first, .., last] => (*first as u64) << 16 | (bytes[bytes.len() / 2] as u64) << 8 | *last as u64,
        [only] => *only as u64,
    }
}

const fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(26) ^ word).wrapping_mul(MIX)
}

/// Whether two values are the same.
#[inline]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (Some(last), Some(other_last)) = (one.last_chunk::<8>(), other.last_chunk()) else {
        return short_word(one) == short_word(other);
    };
    let (mut rest, mut other_rest) = (one, other);
    while let (Some((word, after)), Some((other_word, other_after))) =
        (rest.split_first_chunk::<8>(), other_rest.split_first_chunk())
    {
        if word != other_word {
            return false;
        }
        (rest, other_rest) = (after, other_after);
    }
    last == other_last
}

/// Whether two names are the same, whatever the case of their letters. They are in lower case nearly always, which is told
/// sooner.
#[inline]
pub(super) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    is_same(one, other) || one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut seen = HashSet::new();
        for length in 0..40 {
            let plain = vec![b'a'; length];
            assert!(seen.insert(hash_name(&plain)), "{length}");
            for at in 0..length {
                let mut other = plain.clone();
                other[at] = b'b';
                assert!(seen.insert(hash_name(&other)), "{length} {at}");
                other[at] = b'A';
                assert_eq!(hash_name(&other), hash_name(&plain), "case is one");
                assert_ne!(hash_field(0, &other), hash_field(0, &plain), "but not of values");
            }
        }
    }

    #[test]
    fn only_what_is_the_same_is() {
        for length in 0..40 {
            let plain = vec![b'a'; length];
            assert!(is_same(&plain, &plain.clone()));
            assert!(!is_same(&plain, &[&plain[..], b"a"].concat()));
            for at in 0..length {
                let with = |byte| [&plain[..at], &[byte], &plain[at + 1..]].concat();
                assert!(!is_same(&plain, &with(b'b')), "{length} {at}");
                assert!(!is_same(&plain, &with(b'A')) && is_same_name(&plain, &with(b'A')), "{length} {at}");
                assert!(!is_same_name(&with(b'^'), &with(b'~')), "{length} {at}");
            }
        }
    }
}
