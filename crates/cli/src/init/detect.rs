//! What kind of project lies in a folder.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A longer file is not looked at, in bytes.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;
/// Python files that usually are the program, the most usual first.
const PYTHON_PROGRAMS: [&str; 5] = ["main.py", "app.py", "server.py", "service.py", "manage.py"];
/// Node files that usually are the program, the most usual first.
const NODE_PROGRAMS: [&str; 5] = ["server.js", "index.js", "app.js", "main.js", "server.mjs"];

/// What was found, or what to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The kind of project, in words.
    pub kind: &'static str,
    /// A name for the service.
    pub name: String,
    /// Program and arguments.
    pub run: Vec<String>,
    /// What is deployed.
    pub artifact: String,
    /// What has to be done before it can be deployed.
    pub build: Option<String>,
    /// What should be looked at, in words.
    pub remarks: Vec<String>,
}

impl Found {
    /// What to do next, in order.
    pub fn next(&self) -> Vec<String> {
        let mut next: Vec<String> = self.remarks.clone();
        next.extend(self.build.iter().map(|build| format!("build it: {build}")));
        next.push(format!("deploy it: pilotage deploy {} 0.1.0", self.name));
        next
    }
}

/// Looks at a folder. What says most about the program wins: a build file before a Dockerfile. `None` if nothing is known.
pub fn look(folder: &Path) -> Option<Found> {
    rust(folder)
        .or_else(|| node(folder))
        .or_else(|| go(folder))
        .or_else(|| python(folder))
        .or_else(|| docker(folder))
}

fn rust(folder: &Path) -> Option<Found> {
    let manifest = read(folder, "Cargo.toml")?;
    let package = toml_name(&manifest, "[package]");
    let mut remarks = Vec::new();
    if package.is_none() {
        remarks.push("this is a workspace: name the program of yours in `run` and `artifact`".to_owned());
    }
    let program = package.unwrap_or_else(|| folder_name(folder));
    Some(Found {
        kind: "a Rust program (Cargo.toml)",
        name: label(&program),
        run: vec![format!("./{program}")],
        artifact: format!("target/release/{program}"),
        build: Some("cargo build --release".to_owned()),
        remarks,
    })
}

fn node(folder: &Path) -> Option<Found> {
    let package: Value = serde_json::from_str(&read(folder, "package.json")?).unwrap_or_default();
    let start = package["scripts"]["start"].as_str().and_then(|script| script.strip_prefix("node "));
    let start = start.filter(|file| !file.contains(char::is_whitespace)).or_else(|| package["main"].as_str());
    let there = |name: &&str| folder.join(name).is_file();
    let program = start.filter(there).or_else(|| NODE_PROGRAMS.into_iter().find(there));
    let name = package["name"].as_str().map_or_else(|| folder_name(folder), str::to_owned);
    Some(Found {
        kind: "a Node.js program (package.json)",
        // A scope is not part of the name.
        name: label(name.rsplit('/').next().unwrap_or(&name)),
        run: vec!["node".to_owned(), program.unwrap_or("server.js").to_owned()],
        artifact: ".".to_owned(),
        build: package["dependencies"].is_object().then(|| "npm ci --omit=dev".to_owned()),
        remarks: program.map_or_else(|| vec!["name the program in `run`".to_owned()], |_| Vec::new()),
    })
}

fn go(folder: &Path) -> Option<Found> {
    let module = read(folder, "go.mod")?;
    let path = module.lines().find_map(|line| line.trim().strip_prefix("module "));
    let name = path
        .and_then(|path| path.trim().rsplit('/').next())
        .map_or_else(|| folder_name(folder), str::to_owned);
    let name = label(&name);
    Some(Found {
        kind: "a Go program (go.mod)",
        run: vec![format!("./{name}")],
        artifact: format!("bin/{name}"),
        build: Some(format!("go build -o bin/{name} .")),
        remarks: Vec::new(),
        name,
    })
}

fn python(folder: &Path) -> Option<Found> {
    let manifest = read(folder, "pyproject.toml");
    let there = |name: &&str| folder.join(name).is_file();
    let usual = PYTHON_PROGRAMS.into_iter().find(there).map(str::to_owned);
    let program = usual.or_else(|| only_python_file(folder));
    if manifest.is_none() && program.is_none() {
        return None;
    }
    let name = manifest.as_deref().and_then(|manifest| toml_name(manifest, "[project]"));
    Some(Found {
        kind: "a Python program",
        name: label(&name.unwrap_or_else(|| folder_name(folder))),
        remarks: program
            .as_ref()
            .map_or_else(|| vec!["name the program in `run`".to_owned()], |_| Vec::new()),
        run: vec!["python3".to_owned(), program.unwrap_or_else(|| "main.py".to_owned())],
        artifact: ".".to_owned(),
        build: None,
    })
}

fn only_python_file(folder: &Path) -> Option<String> {
    let names = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut programs: Vec<String> = names.filter(|name| name.ends_with(".py") && name.is_ascii()).collect();
    programs.sort_unstable();
    programs.into_iter().next()
}

fn docker(folder: &Path) -> Option<Found> {
    let text = read(folder, "Dockerfile")?;
    let run = exec_form(&text, "CMD").or_else(|| exec_form(&text, "ENTRYPOINT"));
    let mut remarks = vec![
        "it is run as a process on this machine, not as an image: see that its program is there".to_owned(),
    ];
    if run.is_none() {
        remarks.push("name the program in `run`".to_owned());
    }
    let name = label(&folder_name(folder));
    Some(Found {
        kind: "a project with a Dockerfile",
        run: run.unwrap_or_else(|| vec![format!("./{name}")]),
        artifact: ".".to_owned(),
        build: None,
        remarks,
        name,
    })
}

/// The arguments of an instruction in exec form, `CMD ["a", "b"]`; Dockerfile reference.
fn exec_form(text: &str, instruction: &str) -> Option<Vec<String>> {
    let lines = text.lines().rev().filter_map(|line| line.trim().strip_prefix(instruction));
    let run = lines.filter_map(|rest| serde_json::from_str::<Vec<String>>(rest.trim()).ok()).next()?;
    // A dollar would be taken for a variable of ours.
    (!run.is_empty()).then(|| run.into_iter().map(|argument| argument.replace('$', "$$")).collect())
}

/// What to begin with where nothing is known.
pub fn unknown(folder: &Path) -> Found {
    let name = label(&folder_name(folder));
    Found {
        kind: "a program that is not known yet",
        run: vec![format!("./{name}")],
        artifact: name.clone(),
        build: None,
        remarks: vec!["name the program in `run`, and what it needs in `artifact`".to_owned()],
        name,
    }
}

fn read(folder: &Path, name: &str) -> Option<String> {
    let path = folder.join(name);
    let small =
        fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SIZE_LIMIT_BYTES);
    if small { fs::read_to_string(path).ok() } else { None }
}

/// The value of `name = "…"` in a table of a TOML file. More of TOML is not needed here.
fn toml_name(text: &str, table: &str) -> Option<String> {
    let inside = text.lines().map(str::trim).skip_while(|line| *line != table).skip(1);
    let mut inside = inside.take_while(|line| !line.starts_with('['));
    let value = inside.find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))?;
    let name = value.trim().trim_start_matches(['"', '\'']).split(['"', '\'']).next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

/// What a folder is called; a name for a project that has none.
pub fn folder_name(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "app".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The text as a name that the file accepts: what is not allowed becomes `-`.
fn label(text: &str) -> String {
    const LIMIT: usize = 40;
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().take(LIMIT).map(allowed).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        for (text, name) in [("My_App", "my-app"), ("--", "app"), ("ünder", "nder"), ("api", "api")] {
            assert_eq!(label(text), name, "{text}");
        }
    }

    #[test]
    fn the_name_is_read_from_its_own_table() {
        let manifest =
            "[workspace]\nname = \"no\"\n[package]\nedition = \"2024\"\nname = \"greeter\" # it greets\n";
        assert_eq!(toml_name(manifest, "[package]").as_deref(), Some("greeter"));
        assert_eq!(toml_name("[package]\nname.workspace = true\n", "[package]"), None);
        assert_eq!(toml_name("[package]\nname = \"../x\"\n", "[package]"), None);
    }

    #[test]
    fn only_the_last_exec_form_counts() {
        let text = "FROM x\nCMD [\"old\"]\nCMD [\"./serve\", \"$PORT\"]\nENTRYPOINT run it\n";
        assert_eq!(exec_form(text, "CMD").unwrap(), ["./serve", "$$PORT"]);
        assert_eq!(exec_form(text, "ENTRYPOINT"), None);
    }
}
