//! Percentages and multiples as the file writes them, for other readers than the file's.

use super::number::{NumberError, scaled};
use super::shape::Misread;
use crate::quote::quoted;

/// A text that is not such an amount: what is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AmountError(String);

/// Reads a percentage from 0 to 100 with at most two digits behind the point, such as `5%`, in hundredths of a percent.
///
/// # Errors
/// If the text is anything else.
pub fn parse_percentage(text: &str) -> Result<u32, AmountError> {
    Ok(percent(text, text)?)
}

/// Reads a multiple above 1 and up to 1000, such as `1.5x`, in thousandths.
///
/// # Errors
/// If the text is anything else.
pub fn parse_multiple(text: &str) -> Result<u32, AmountError> {
    Ok(times(text)?)
}

impl From<Misread> for AmountError {
    fn from(misread: Misread) -> Self {
        Self([Some(misread.fault), misread.mend].into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

/// `written` is what the message quotes.
pub(super) fn percent(text: &str, written: &str) -> Result<u32, Misread> {
    let misread = |reason: &str| {
        let fault = format!("{} is not a percentage: {reason}", quoted(written));
        Misread::new(fault, "write a percentage from 0 to 100, for example `5%` or `0.25%`")
    };
    match scaled(text.strip_suffix('%').unwrap_or(text).trim_end(), 2) {
        Ok(hundredths) if hundredths <= 10_000 => u32::try_from(hundredths).map_err(Misread::plain),
        Ok(_) | Err(NumberError::TooLarge) => Err(misread("it is above 100")),
        Err(NumberError::TooPrecise) => Err(misread("at most two digits behind the point are kept")),
        Err(NumberError::NotANumber) => Err(misread("it is not a number from 0 up")),
    }
}

pub(super) fn times(text: &str) -> Result<u32, Misread> {
    let bare = without_greater(text);
    let bare = bare.strip_suffix(['x', '×']).unwrap_or(bare).trim_end();
    let mend = "write a multiple above 1 and up to 1000, for example `1.5x`";
    match scaled(bare, 3) {
        Ok(thousandths @ 1_001..=1_000_000) => u32::try_from(thousandths).map_err(Misread::plain),
        Ok(_) | Err(NumberError::TooLarge) => {
            Err(Misread::new(format!("{} is out of range", quoted(text)), mend))
        }
        Err(_) => Err(Misread::new(format!("{} is not a multiple", quoted(text)), mend)),
    }
}

pub(super) fn without_greater(text: &str) -> &str {
    text.strip_prefix('>').unwrap_or(text).trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_in_the_file() {
        assert_eq!((parse_percentage("5%"), parse_percentage("0.25 %")), (Ok(500), Ok(25)));
        assert_eq!((parse_multiple("2x"), parse_multiple("1.5")), (Ok(2_000), Ok(1_500)));
        for (text, said) in [("NaN", "not a number"), ("101%", "above 100"), ("-1%", "not a number")] {
            let error = parse_percentage(text).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("for example `5%`"), "{error}");
        }
        assert!(parse_multiple("1x").unwrap_err().to_string().contains("for example `1.5x`"));
    }
}
