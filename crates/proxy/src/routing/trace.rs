//! `traceparent` (W3C Trace Context, level 1): passed on if it is sound, replaced if it is not.

/// Length of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// What becomes of the trace headers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trace {
    /// `traceparent` and `tracestate` are passed on as they came.
    Keep,
    /// There is no `traceparent`. A `tracestate` alone means nothing and is left out.
    ///
    /// None is made: services would take it for the word of a caller that traces, but not this request, and would record
    /// nothing where they record everything today.
    Absent,
    /// There are several, or none can be read: all of them and `tracestate` are left out, and this one is sent.
    Replace([u8; LENGTH]),
}

/// Looks at the values of all `traceparent` headers. `draw` gives random numbers.
pub(crate) fn trace<'v>(mut parents: impl Iterator<Item = &'v [u8]>, mut draw: impl FnMut() -> u64) -> Trace {
    match (parents.next(), parents.next()) {
        (None, _) => Trace::Absent,
        (Some(parent), None) if is_sound(parent) => Trace::Keep,
        _ => Trace::Replace(made(draw(), draw(), draw())),
    }
}

/// `version "-" trace-id "-" parent-id "-" flags`, and in later versions perhaps more after another dash.
fn is_sound(parent: &[u8]) -> bool {
    let Some((known, more)) = parent.split_first_chunk::<LENGTH>() else { return false };
    let [version, trace, span, flags] = [&known[..2], &known[3..35], &known[36..52], &known[53..]];
    let dashes = [known[2], known[35], known[52]] == [b'-'; 3];
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_zero = |id: &[u8]| id.iter().all(|digit| *digit == b'0');
    let ends_well = match version {
        b"00" => more.is_empty(),
        _ => matches!(more.first(), None | Some(b'-')),
    };
    let all_digits = [version, trace, span, flags].into_iter().flatten().all(is_digit);
    dashes && all_digits && !is_zero(trace) && !is_zero(span) && version != b"ff" && ends_well
}

/// The id of the trace that a sound `traceparent` names.
pub(crate) fn trace_id(parent: &[u8]) -> Option<[u8; 16]> {
    let digits = parent.get(3..35).and_then(|digits| std::str::from_utf8(digits).ok())?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

/// Version 00, and no flags: nobody before us records this.
fn made(high: u64, low: u64, span: u64) -> [u8; LENGTH] {
    // An id of zeros alone is invalid.
    let text = format!("00-{high:016x}{:016x}-{:016x}-00", low.max(1), span.max(1));
    let mut parent = [b'0'; LENGTH];
    parent.copy_from_slice(text.as_bytes());
    parent
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOUND: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn traced(parents: &[&str]) -> Trace {
        trace(parents.iter().map(|parent| parent.as_bytes()), || 5)
    }

    #[test]
    fn a_sound_parent_is_kept() {
        assert_eq!(traced(&[SOUND]), Trace::Keep);
        assert_eq!(traced(&[&SOUND.replacen("00", "cc", 1)]), Trace::Keep, "a later version");
        assert_eq!(traced(&[&format!("{}-more", SOUND.replacen("00", "cc", 1))]), Trace::Keep);
        assert_eq!(traced(&[]), Trace::Absent);
    }

    #[test]
    fn what_cannot_be_read_is_replaced() {
        let made = b"00-00000000000000050000000000000005-0000000000000005-00";
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        for parent in [
            "",
            &SOUND[1..],
            &SOUND[..54],
            &format!("{SOUND}-more"),
            &format!("{SOUND}0"),
            &format!("{}0", SOUND.replacen("00", "cc", 1)),
            &SOUND.replacen("00", "ff", 1),
            &SOUND.to_uppercase(),
            &SOUND.replace('-', "_"),
            &zero_trace,
            &zero_span,
        ] {
            assert_eq!(traced(&[parent]), Trace::Replace(*made), "{parent}");
        }
        assert_eq!(traced(&[SOUND, SOUND]), Trace::Replace(*made));
    }

    proptest! {
        #[test]
        fn what_is_made_is_sound(high: u64, low: u64, span: u64) {
            prop_assert!(is_sound(&made(high, low, span)));
            prop_assert!(is_sound(&made(0, 0, 0)));
        }

        #[test]
        fn nothing_panics(parent in proptest::collection::vec(any::<u8>(), 0..80)) {
            trace([parent.as_slice()].into_iter(), || 1);
        }
    }
}
