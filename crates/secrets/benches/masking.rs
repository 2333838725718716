//! How fast a log passes the masker while 200 secrets are known.

use std::sync::Arc;
use std::time::Instant;

use pilotage_secrets::{Masker, Secret};

/// What is masked in one go, in bytes.
const TEXT_BYTES: usize = 32 << 20;
/// As a pipe hands it over.
const CHUNK_BYTES: usize = 64 * 1024;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 3 } else { 9 };
    let masker = Arc::new(Masker::new(&secrets()));
    let clean = log(false);
    let leaking = log(true);
    print("masking.megabytes_per_second", median(rounds, || rate(&masker, &clean)));
    print("masking.megabytes_per_second_with_finds", median(rounds, || rate(&masker, &leaking)));
}

fn print(name: &str, megabytes: f64) {
    let goal = 500.0;
    println!(
        r#"{{"name":"{name}","value":{megabytes:.0},"unit":"MB/s","peer":null,"ratio":null,"goal":">= {goal:.0}","holds":{}}}"#,
        megabytes >= goal
    );
}

fn median(rounds: usize, measure: impl Fn() -> f64) -> f64 {
    let mut rates: Vec<f64> = (0..rounds).map(|_| measure()).collect();
    rates.sort_by(f64::total_cmp);
    rates[rounds / 2]
}

fn rate(masker: &Arc<Masker>, text: &[u8]) -> f64 {
    let mut output = Vec::with_capacity(2 * CHUNK_BYTES);
    let begin = Instant::now();
    let mut stream = masker.stream();
    let mut length = 0;
    for chunk in text.chunks(CHUNK_BYTES) {
        output.clear();
        stream.push(chunk, &mut output);
        length += output.len();
    }
    output.clear();
    stream.finish(&mut output);
    let seconds = begin.elapsed().as_secs_f64();
    assert!(length + output.len() > 0);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let megabytes = text.len() as f64 / 1e6;
    megabytes / seconds
}

/// As services have them: passwords, tokens with a known beginning, texts with escapes, keys of several lines.
fn secrets() -> Vec<Secret> {
    let mut random = Random(1);
    let mut word = |length: usize, letters: &[u8]| -> String {
        (0..length).map(|_| char::from(letters[random.below(letters.len())])).collect()
    };
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let signs = b"abcdefghijklmnopqrstuvwxyz0123456789/+=\"'$&% !";
    (0..200)
        .map(|number| match number % 5 {
            0 => word(12, letters),
            1 => word(32, letters),
            2 => format!("ghp_{}", word(36, letters)),
            3 => word(24, signs),
            _ => (0..4).map(|_| word(64, letters) + "\n").collect(),
        })
        .map(Secret::from)
        .collect()
}

/// Lines as services write them; every two hundredth with a secret in it, if it leaks.
fn log(leaks: bool) -> Vec<u8> {
    let secrets = secrets();
    let mut random = Random(2);
    let mut text = Vec::with_capacity(TEXT_BYTES + 1024);
    let mut line = 0;
    while text.len() < TEXT_BYTES {
        let id = random.next();
        let path = ["/orders", "/health", "/cart/items", "/login?next=%2Fcart"][random.below(4)];
        let took = random.below(2000);
        text.extend(
            format!(
                "2026-11-22T00:{:02}:{:02}.{took:03}Z INFO request{{id={id:016x} method=GET path={path}}} answered 200 in {took} ms; \
                 user agent Mozilla/5.0 (X11; Linux x86_64), referer https://shop.example.com{path}\n",
                line / 60 % 60,
                line % 60,
            )
            .bytes(),
        );
        if leaks && line % 200 == 0 {
            text.extend_from_slice(secrets[random.below(secrets.len())].expose());
        }
        line += 1;
    }
    text
}

/// Marsaglia's xorshift64 (Journal of Statistical Software 8(14), 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }
}
