//! Decimal numbers as scaled integers: 1.25 with two places is 125. No rounding, no NaN, no infinity.

/// Why a text is not such a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// Not digits with at most one point among them.
    NotANumber,
    /// More digits behind the point than are kept.
    TooPrecise,
    /// It does not fit.
    TooLarge,
}

/// The number times ten to the power of `places`.
pub(crate) fn scaled(text: &str, places: usize) -> Result<u64, NumberError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(NumberError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return Err(NumberError::TooPrecise);
    }
    format!("{whole}{fraction:0<places$}").parse().map_err(|_| NumberError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scaled_exactly() {
        for (text, number) in
            [("5", 500), ("0.5", 50), ("12.25", 1225), ("0", 0), ("1.50000", 150), ("007", 700)]
        {
            assert_eq!(scaled(text, 2), Ok(number), "{text}");
        }
    }

    #[test]
    fn other_texts_are_told_apart() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "NaN", "inf", ".inf", "1,5", "1 ", "٣", "1.2.3"]
        {
            assert_eq!(scaled(text, 2), Err(NumberError::NotANumber), "{text}");
        }
        assert_eq!(scaled("0.001", 2), Err(NumberError::TooPrecise));
        assert_eq!(scaled("99999999999999999999", 2), Err(NumberError::TooLarge));
    }
}
