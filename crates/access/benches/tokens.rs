//! How many tokens are checked in a second, on one core: from the text of a request to the record of a token that counts.

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]

use std::time::{Duration, Instant};

use pilotage_access::{Scope, TokenKind, TokenRequest, TokenText, Tokens};
use pilotage_journal::Journal;
use pilotage_spec::{PrincipalName, ProjectName, Timestamp};

/// So many tokens are known.
const KNOWN: usize = 200;
const GOAL: f64 = 10_000.0;
const NOW: Timestamp = Timestamp::from_micros(1_782_898_200_000_000);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let checks = if quick { 20_000 } else { 200_000 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let median = runtime.block_on(measure(checks));
    println!(
        r#"{{"name":"gates.token_checks","value":{median:.0},"unit":"1/s","peer":null,"ratio":null,"goal":">= {GOAL:.0}","holds":{}}}"#,
        median >= GOAL
    );
}

async fn measure(checks: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(&folder.path().join("journal.db")).expect("a journal");
    let tokens = Tokens::open(journal).expect("it is empty");
    let project: ProjectName = "shop".parse().expect("a name");
    let issuer: PrincipalName = "anna".parse().expect("a name");
    let mut texts = Vec::new();
    for number in 0..KNOWN {
        let request = TokenRequest {
            kind: TokenKind::Api,
            principal: format!("ci-{number}").parse().expect("a name"),
            purpose: "bench".to_owned(),
            scope: Scope::default(),
            life: Duration::from_secs(3_600),
        };
        let (text, _) =
            tokens.issue(request, project.clone(), issuer.clone(), NOW).await.expect("it is issued");
        texts.push(text.reveal().to_owned());
    }
    let mut rates: Vec<f64> = (0..5).map(|_| rate(&tokens, &texts, &project, checks)).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn rate(tokens: &Tokens, texts: &[String], project: &ProjectName, checks: usize) -> f64 {
    let begun = Instant::now();
    for text in texts.iter().cycle().take(checks) {
        let token: TokenText = text.parse().expect("it is a token");
        tokens.check(&token, project, NOW).expect("it counts");
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let checks = checks as f64;
    checks / begun.elapsed().as_secs_f64()
}
