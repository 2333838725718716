//! Variables, files, commands and age files, as a reference names them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::support::{read, reader, refusal};
use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use pilotage_testing::{Part, need};

const PLAIN: &str = "{\"password\": \"hunter22\", \"port\": 5432}\n";

#[tokio::test]
async fn variables_files_and_commands_are_read_and_known_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hunter22\r\n").unwrap();
    std::fs::write(folder.path().join("key"), [0xFF, 0, b'\n', b'\n']).unwrap();
    let reader = reader(folder.path(), "{ commands: { pass: [cat, password], folder: [pwd] } }");
    assert_eq!(read(&reader, "file:password").await.unwrap().expose(), b"hunter22");
    assert_eq!(read(&reader, "command:pass").await.unwrap().expose(), b"hunter22");
    let own = folder.path().canonicalize().unwrap();
    assert_eq!(read(&reader, "command:folder").await.unwrap().expose_text(), own.to_str());
    let absolute = format!("file:{}", folder.path().join("key").display());
    assert_eq!(read(&reader, &absolute).await.unwrap().expose(), [0xFF, 0, b'\n']);
    let manifest = read(&reader, "env:CARGO_MANIFEST_DIR").await.unwrap();
    assert_eq!(manifest.expose_text(), Some(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(reader.known().text("the password is hunter22."), "the password is [masked].");
    assert_eq!(format!("{manifest:?}"), "Secret([masked])");
}

#[tokio::test]
async fn what_cannot_be_a_secret_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("empty", b"\n");
    write("long", &vec![b'x'; 64 * 1024 + 1]);
    write("longest", &vec![b'x'; 64 * 1024]);
    write("binary", b"hunter22\0");
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let reader = reader(folder.path(), "{ commands: { fails: [\"false\"] } }");
    for (reference, expected) in [
        (
            "env:PILOTAGE_TEST_NO_SUCH_VARIABLE",
            "the variable PILOTAGE_TEST_NO_SUCH_VARIABLE is not set where",
        ),
        ("file:absent", "absent cannot be read: No such file"),
        ("file:empty", "it is empty; store a value there"),
        ("file:long", "long is not a file of at most 64 KiB"),
        ("file:pipe", "pipe is not a file of at most 64 KiB"),
        ("command:fails", "`false` has ended with exit status: 1 (0 bytes on its standard error"),
        ("command:absent", "`secrets.commands` of pilotage.yaml is missing"),
        ("age:absent", "`secrets.age` of pilotage.yaml is missing"),
    ] {
        let text = refusal(&reader, reference).await;
        assert!(text.starts_with(&format!("secret {reference}: ")) && text.contains(expected), "{text}");
    }
    assert!(read(&reader, "file:longest").await.is_ok());
    let binary = "file:binary".parse().unwrap();
    let text = reader.read_variable(&binary).await.unwrap_err().to_string();
    assert!(text.contains("write `as: file` beside `secret`"), "{text}");
    let text = reader.read_token(&binary).await.unwrap_err().to_string();
    assert!(text.contains("characters that a header cannot carry"), "{text}");
}

struct Sealed {
    folder: tempfile::TempDir,
    identity: Identity,
}

impl Sealed {
    fn new() -> Self {
        let sealed = Self { folder: tempfile::tempdir().unwrap(), identity: Identity::generate() };
        let text = format!(
            "# created: 2026-11-22T00:00:00Z\n# public key: {}\n{}\n",
            sealed.identity.to_public(),
            sealed.identity.to_string().expose_secret()
        );
        sealed.write("identity", text.as_bytes());
        sealed
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn reader(&self) -> pilotage_secrets::SecretReader {
        reader(self.folder.path(), "{ age: { identity: \"file:identity\" } }")
    }
}

#[tokio::test]
async fn an_age_file_is_decrypted_binary_or_armored_whole_or_by_field() {
    let sealed = Sealed::new();
    let recipient = sealed.identity.to_public();
    sealed.write("binary.age", &age::encrypt(&recipient, PLAIN.as_bytes()).unwrap());
    let armored = age::encrypt_and_armor(&recipient, b"# of shop\nPASSWORD='hunter22'\n").unwrap();
    sealed.write("armored.age", armored.as_bytes());
    let reader = sealed.reader();
    for (reference, expected) in [
        ("age:binary.age", PLAIN.trim_end()),
        ("age:binary.age#password", "hunter22"),
        ("age:binary.age#port", "5432"),
        ("age:armored.age#PASSWORD", "hunter22"),
    ] {
        assert_eq!(read(&reader, reference).await.unwrap().expose_text(), Some(expected), "{reference}");
    }
    let text = refusal(&reader, "age:binary.age#absent").await;
    assert!(text.contains("binary.age has no field `absent`: it has other fields"), "{text}");
}

#[tokio::test]
async fn an_age_file_that_cannot_be_decrypted_says_why() {
    let sealed = Sealed::new();
    let whole = age::encrypt(&sealed.identity.to_public(), PLAIN.as_bytes()).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    sealed.write("changed", &changed);
    sealed.write("cut", &whole[..whole.len() / 2]);
    sealed.write("plain", PLAIN.as_bytes());
    sealed.write("others", &age::encrypt(&Identity::generate().to_public(), PLAIN.as_bytes()).unwrap());
    sealed.write("long", &age::encrypt(&sealed.identity.to_public(), &vec![b'x'; 60 * 1024]).unwrap());
    let reader = sealed.reader();
    assert!(read(&reader, "age:long").await.is_ok());
    for (file, expected) in [
        ("others", "it was not encrypted for the identity of `secrets.age`"),
        ("plain", "it is not an age file"),
        ("changed", "cannot be decrypted: "),
        ("cut", "cannot be decrypted: "),
        ("absent", "absent cannot be read: No such file"),
    ] {
        let text = refusal(&reader, &format!("age:{file}")).await;
        assert!(text.contains(expected), "{file}: {text}");
    }
    sealed.write("identity", b"AGE-SECRET-KEY-1HUNTER22\n");
    let text = refusal(&reader, "age:long").await;
    assert!(text.contains("`secrets.age.identity` holds no usable identity"), "{text}");
}

#[tokio::test]
async fn what_the_real_age_encrypts_is_decrypted() {
    let Some(age) = need("secrets of age", Part::Age) else { return };
    let sealed = Sealed::new();
    for (name, flags) in [("binary.age", &[][..]), ("armored.age", &["--armor"][..])] {
        let recipient = sealed.identity.to_public().to_string();
        let mut child = Command::new(&age)
            .args(["--encrypt", "--recipient", &recipient])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(PLAIN.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        sealed.write(name, &output.stdout);
        let secret = read(&sealed.reader(), &format!("age:{name}#password")).await.unwrap();
        assert_eq!(secret.expose(), b"hunter22");
    }
    // And the identity that its own key generator writes is one.
    let generated = Command::new(Path::new(&age).with_file_name("age-keygen")).output().unwrap();
    let text = String::from_utf8(generated.stdout).unwrap();
    let identity: Identity = text.lines().last().unwrap().parse().unwrap();
    sealed.write("identity", text.as_bytes());
    sealed.write("binary.age", &age::encrypt(&identity.to_public(), PLAIN.as_bytes()).unwrap());
    assert!(read(&sealed.reader(), "age:binary.age").await.is_ok());
}
