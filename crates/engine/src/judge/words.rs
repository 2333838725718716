//! Numbers as people read them.

/// `2,103`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// `1 request`, `2,103 requests`.
pub(super) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}

/// A part of requests in percent, to two digits that matter.
#[expect(clippy::cast_precision_loss, reason = "for display only")]
pub(super) fn share(part: u64, all: u64) -> String {
    percent(part as f64 / all.max(1) as f64)
}

/// A share in percent, to two digits that matter: `1.9 %`, `0.025 %`, `10 %`.
pub(super) fn percent(share: f64) -> String {
    let hundredths = share * 100.0;
    if hundredths <= 0.0 {
        return "0 %".to_owned();
    }
    let places = (1.0 - hundredths.log10().floor()).clamp(0.0, 4.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 4")]
    let text = format!("{hundredths:.*}", places as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

/// A multiple in thousandths: `1.5×`.
pub(super) fn times(thousandths: u32) -> String {
    format!("{}×", f64::from(thousandths) / 1_000.0)
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "for display only")]
pub(super) fn ms(micros: u64) -> String {
    let millis = micros as f64 / 1_000.0;
    if millis < 100.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

/// An e-value by its logarithm: `3·10⁹`; below a thousand as it is.
pub(super) fn e_value(log_e: f64) -> String {
    let power = log_e / std::f64::consts::LN_10;
    if power < 3.0 {
        return format!("{:.1}", log_e.exp());
    }
    if power >= 100.0 {
        return "over 10⁹⁹".to_owned();
    }
    let digits = format!("{:.0}", power.floor());
    let raised = digits.chars().filter_map(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit.to_digit(10)? as usize));
    format!("{:.0}·10{}", 10_f64.powf(power.fract()).floor(), raised.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!(
            [0, 999, 1_000, 208_114, 1_000_000].map(count),
            ["0", "999", "1,000", "208,114", "1,000,000"]
        );
        let shares = [0.0, 0.1, 0.0195, 0.00025, 1.0, 0.000_000_1].map(percent);
        assert_eq!(
            shares,
            ["0 %", "10 %", "1.9 %", "0.025 %", "100 %", "0 %"].map(str::to_owned).map(|text| text)
        );
        assert_eq!([0.0, 5.0, 50.0].map(e_value), ["1.0", "148.4", "5·10²¹"]);
    }
}
