//! The few special functions that the tests stand on.

use std::f64::consts::PI;

/// From here on Stirling's series is exact to twelve digits and more.
const STIRLING_FROM: f64 = 10.0;

/// The natural logarithm of Γ(x) for x > 0: Stirling's series, reached by Γ(x) = Γ(x + 1) / x (Abramowitz and Stegun
/// 6.1.15 and 6.1.41).
pub(super) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < STIRLING_FROM {
        product *= x;
        x += 1.0;
    }
    let squared = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1_260.0 - (1.0 / 1_680.0 - 1.0 / (1_188.0 * squared)) / squared) / squared)
            / squared)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - f64::ln(product)
}

/// The natural logarithm of the beta function for a, b > 0.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ln Σ exp(x), without overflow; −∞ for no numbers.
pub(super) fn ln_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

/// ln(1 + exp(x)), without overflow.
pub(super) fn soft_plus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + exp(−x)).
pub(super) fn logistic(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// exp(x), but the largest finite number in place of infinity.
pub(super) fn finite_exp(x: f64) -> f64 {
    x.exp().min(f64::MAX)
}

/// Beyond so many standard deviations the series for the normal distribution loses digits.
const TAIL_FROM: f64 = 3.0;

/// Terms of the series and of the continued fraction: more do not change a double.
const TERMS: u32 = 80;

/// The distribution function of the standard normal distribution (Abramowitz and Stegun 26.2.11 and 26.2.14).
pub(super) fn normal_below(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    if x.abs() < TAIL_FROM {
        let (mut term, mut sum) = (x, x);
        for index in 1..TERMS {
            term *= x * x / f64::from(2 * index + 1);
            sum += term;
        }
        return 0.5 + density * sum;
    }
    let fraction = (1..TERMS).rev().fold(0.0, |rest, index| f64::from(index) / (x.abs() + rest));
    let tail = density / (x.abs() + fraction);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// The number of standard deviations with this share below it; the share lies strictly between 0 and 1.
pub(super) fn normal_quantile(share: f64) -> f64 {
    bisect(-40.0, 40.0, |x| normal_below(x) < share)
}

/// The point at which `is_left` turns from true to false between two ends, as exactly as doubles tell.
pub(super) fn bisect(mut left: f64, mut right: f64, is_left: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = left.midpoint(right);
        if middle <= left || middle >= right {
            break;
        }
        if is_left(middle) {
            left = middle;
        } else {
            right = middle;
        }
    }
    left.midpoint(right)
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 do not occur, and would be off by 1 in 10^16"
)]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, theirs: f64, within: f64) {
        assert!((ours - theirs).abs() <= within * theirs.abs().max(1e-300), "{ours} is not {theirs}");
    }

    /// `python3 -c 'from scipy.special import *; print([float(f) for f in (gammaln(.5), gammaln(3.7), gammaln(1e9),
    /// betaln(.5, 1e6), betaln(2, 3))])'`
    #[test]
    fn gamma_and_beta_agree_with_scipy() {
        close(ln_gamma(0.5), 0.572_364_942_924_7, 1e-12);
        close(ln_gamma(3.7), 1.428_072_326_665_388, 1e-12);
        close(ln_gamma(1e9), 19_723_265_827.503_716, 1e-14);
        close(ln_beta(0.5, 1e6), -6.335_390_212_014_317_5, 1e-9);
        close(ln_beta(2.0, 3.0), -2.484_906_649_788_000_4, 1e-13);
    }

    /// `python3 -c 'from scipy.stats import norm; print([float(norm.cdf(x)) for x in (-9, -3.5, -1, 0.3, 2.9, 4)],
    /// float(norm.ppf(.99)))'`
    #[test]
    fn the_normal_distribution_agrees_with_scipy() {
        close(normal_below(-9.0), 1.128_588_405_953_832_4e-19, 1e-12);
        close(normal_below(-3.5), 0.000_232_629_079_035_525_04, 1e-12);
        close(normal_below(-1.0), 0.158_655_253_931_457_05, 1e-13);
        close(normal_below(0.3), 0.617_911_422_188_952_7, 1e-13);
        close(normal_below(2.9), 0.998_134_186_699_616, 1e-13);
        close(normal_below(4.0), 0.999_968_328_758_166_9, 1e-13);
        close(normal_quantile(0.99), 2.326_347_874_040_840_8, 1e-12);
    }

    #[test]
    fn nothing_overflows() {
        assert_eq!(ln_sum_exp(std::iter::empty::<f64>()), f64::NEG_INFINITY);
        close(ln_sum_exp([1e9, 1e9].into_iter()), 1e9 + 2.0_f64.ln(), 1e-15);
        assert_eq!(finite_exp(1e9), f64::MAX);
        assert_eq!((soft_plus(1e9), soft_plus(-1e9)), (1e9, 0.0));
        assert_eq!((logistic(1e9), logistic(-1e9)), (1.0, 0.0));
    }
}
