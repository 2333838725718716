use std::collections::BTreeSet;
use std::time::Duration;

use pilotage_spec::Verb;

use super::*;
use crate::{Scope, TokenKind};

const HOUR: Duration = Duration::from_secs(3600);

struct Book {
    folder: tempfile::TempDir,
    tokens: Tokens,
}

impl Book {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(Journal::open(&folder.path().join("journal.db")).unwrap()).unwrap();
        Self { folder, tokens }
    }

    /// The same after a restart: what is recorded in the background ends first.
    async fn again(self) -> Self {
        let Self { folder, tokens } = self;
        drop(tokens);
        let journal = loop {
            match Journal::open(&folder.path().join("journal.db")) {
                Ok(journal) => break journal,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        Self { folder, tokens: Tokens::open(journal).unwrap() }
    }

    async fn issue(&self, life: Duration) -> (TokenText, TokenRecord) {
        self.tokens.issue(request(life), shop(), name("anna"), now()).await.unwrap()
    }

    fn events(&self) -> Vec<Event> {
        self.tokens.journal.after(0, 1000).unwrap()
    }
}

fn name(text: &str) -> PrincipalName {
    text.parse().unwrap()
}

fn shop() -> ProjectName {
    "shop".parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

fn request(life: Duration) -> TokenRequest {
    let verbs: BTreeSet<Verb> = [Verb::Read].into();
    let scope = Scope { verbs: Some(verbs), ..Scope::default() };
    TokenRequest {
        kind: TokenKind::Api,
        principal: name("ci"),
        purpose: "the pipeline".to_owned(),
        scope,
        life,
    }
}

#[tokio::test]
async fn a_token_counts_until_it_is_revoked_and_so_after_a_restart() {
    let book = Book::new();
    let (token, record) = book.issue(HOUR).await;
    assert_eq!((record.principal.as_str(), record.issued_by.as_str()), ("ci", "anna"));
    assert_eq!(book.tokens.check(&token, &shop(), now()).unwrap().id, token.id());
    let book = book.again().await;
    assert_eq!(book.tokens.check(&token, &shop(), now()).unwrap().scope, request(HOUR).scope);
    book.tokens.revoke(&token.id(), &name("bert")).await.unwrap();
    assert_eq!(book.tokens.check(&token, &shop(), now()), Err(TokenFault::Revoked));
    let book = book.again().await;
    assert_eq!(book.tokens.check(&token, &shop(), now()), Err(TokenFault::Revoked));
    assert_eq!(book.tokens.get(&token.id()).unwrap().revoked.unwrap().1, "bert");
    assert!(book.tokens.live(now()).is_empty());
}

#[tokio::test]
async fn a_token_ends_at_its_time() {
    let book = Book::new();
    let (token, record) = book.issue(HOUR).await;
    let last = Timestamp::from_micros(record.expires.as_micros() - 1);
    assert!(book.tokens.check(&token, &shop(), last).is_ok());
    assert_eq!(book.tokens.check(&token, &shop(), record.expires), Err(TokenFault::Expired));
}

#[tokio::test]
async fn tokens_of_others_and_forged_ones_count_for_nothing() {
    let (book, other) = (Book::new(), Book::new());
    let (token, _) = book.issue(HOUR).await;
    assert_eq!(other.tokens.check(&token, &shop(), now()), Err(TokenFault::Unknown));
    let blog = "blog".parse().unwrap();
    assert_eq!(book.tokens.check(&token, &blog, now()), Err(TokenFault::OtherProject));
    // Somebody knows the name of a token, which is no secret, and makes up the rest with its checksum.
    let made_up = TokenText::new().unwrap();
    let secret = made_up.reveal().rsplit_once('_').unwrap().1;
    let body = format!("plt_{}_{}", token.id(), &secret[..43]);
    let crc = crate::token::checksum::crc32(body.as_bytes()).to_be_bytes();
    let forged: TokenText = format!("{body}{}", crate::token::base62::encode(&crc, 6)).parse().unwrap();
    assert_eq!(forged.id(), token.id());
    assert_eq!(book.tokens.check(&forged, &shop(), now()), Err(TokenFault::Unknown));
}

#[tokio::test]
async fn the_journal_holds_a_hash_and_never_the_token() {
    let book = Book::new();
    let (token, _) = book.issue(HOUR).await;
    let text = serde_json::to_string(&book.events()).unwrap();
    let secret = token.reveal().rsplit_once('_').unwrap().1;
    assert!(text.contains(&token.hash().hex()) && !text.contains(secret), "{text}");
    let bytes = std::fs::read_dir(book.folder.path())
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
    assert!(!String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).contains(secret));
}

#[tokio::test]
async fn a_use_is_recorded_once_an_hour() {
    let book = Book::new();
    let (token, _) = book.issue(10 * HOUR).await;
    let later = |micros: i64| Timestamp::from_micros(now().as_micros() + micros);
    for at in [0, 1, 3_599_999_999, 3_600_000_000, 3_600_000_001] {
        book.tokens.check(&token, &shop(), later(at)).unwrap();
    }
    let uses = || book.events().iter().filter(|event| event.kind.as_str() == "token.used").count();
    while uses() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(uses(), 2);
}

#[tokio::test]
async fn what_asks_for_too_much_is_not_issued() {
    let book = Book::new();
    let issue = async |request| book.tokens.issue(request, shop(), name("anna"), now()).await;
    for life in
        [Duration::ZERO, Duration::from_secs(59), LONGEST_LIFE + Duration::from_secs(1), Duration::MAX]
    {
        assert!(matches!(issue(request(life)).await, Err(TokenError::Life)));
    }
    for purpose in ["a\u{1b}[31m".to_owned(), "x".repeat(101)] {
        assert!(matches!(issue(TokenRequest { purpose, ..request(HOUR) }).await, Err(TokenError::Purpose)));
    }
    for _ in 0..100 {
        issue(request(HOUR)).await.unwrap();
    }
    assert!(matches!(issue(request(HOUR)).await, Err(TokenError::TooMany { .. })));
    let unknown = TokenText::new().unwrap().id();
    assert!(matches!(book.tokens.revoke(&unknown, &name("anna")).await, Err(TokenError::Unknown { .. })));
}
