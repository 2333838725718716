use crate::simulate::Random;

/// What everything here is measured with must itself be right: mean and variance of a Poisson distribution are equal. Four
/// standard deviations are allowed.
#[test]
fn counts_have_the_mean_and_the_variance_that_they_should() {
    let drawn = 40_000.0_f64;
    for mean in [0.3_f64, 5.0, 9.9, 10.1, 40.0, 3_000.0] {
        let mut draws = Random::new(11);
        let counts: Vec<f64> = (0..40_000).map(|_| draws.poisson(mean) as f64).collect();
        let average = counts.iter().sum::<f64>() / drawn;
        let variance = counts.iter().map(|count| (count - average).powi(2)).sum::<f64>() / drawn;
        assert!((average - mean).abs() < 4.0 * (mean / drawn).sqrt(), "{average} for {mean}");
        let deviation = ((mean + 2.0 * mean * mean) / drawn).sqrt();
        assert!((variance - mean).abs() < 4.0 * deviation, "{variance} for {mean}");
    }
}
