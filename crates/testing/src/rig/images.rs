//! Images from scratch: a program, the libraries it is linked with, and nothing that would have to be fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use serde_json::json;

use super::program::BUSYBOX;
use super::{Docker, RigError, command, folder, lock, mounts};

/// What an image is made of.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// Such as `sample`.
    pub name: &'a str,
    /// Its tag. Images of two versions differ in their digests even if all else is the same.
    pub version: &'a str,
    /// The program on this machine. It is `/bin/NAME` in the image, with NAME being its file name.
    pub program: &'a Path,
    /// The command, whose first word may be the program's `/bin/NAME`. A container's own arguments follow it.
    pub entrypoint: &'a [&'a str],
    /// Environment variables.
    pub environment: &'a [(&'a str, &'a str)],
    /// Files of this machine and where they are in the image.
    pub files: &'a [(&'a Path, &'a str)],
}

/// The port on which the sample service listens in its image.
pub const SAMPLE_PORT: u16 = 8080;

/// Marks the images that tests have made.
const LABEL: &str = "pilotage.rig";

/// For how long such images are kept after they were made, in the notation of `docker image prune`.
const KEPT: &str = "until=4h";

/// The image that keeps a pod's network. Only the rig's own engine has it.
pub(crate) const PAUSE: &str = "pause:1";

impl Docker {
    /// Builds the image, pushes it to the registry, and says what it is called there: `127.0.0.1:PORT/NAME@sha256:…`. The
    /// tag `127.0.0.1:PORT/NAME:VERSION` names it too. A shell and its tools are `/bin/busybox` in it.
    ///
    /// # Errors
    ///
    /// What the builder, the engine or the registry says.
    pub fn push_image(&self, image: &Image<'_>) -> Result<String, RigError> {
        let base = self.base(image)?;
        let tag = format!("{}/{}:{}", self.registry(), image.name, image.version);
        // A dollar sign would be a variable of the builder.
        let quoted = |value: &str| json!(value).to_string().replace('$', "\\$");
        let environment =
            image.environment.iter().map(|(name, value)| format!("ENV {name}={}\n", quoted(value)));
        let text = format!(
            "FROM {base}\nLABEL {LABEL}=1 version={version}\n{environment}ENTRYPOINT {entrypoint}\n",
            version = json!(image.version),
            environment = environment.collect::<String>(),
            entrypoint = json!(image.entrypoint),
        );
        let context = Context::new()?;
        context.build(self, &text, &tag)?;
        command::output(self.client().args(["push", "--quiet", &tag]))?;
        digest(self, &tag)
    }

    /// The sample service of Pilotage as an image: answers on port [`SAMPLE_PORT`], `/ready` for its readiness, with all its
    /// settings as further arguments of a container (`--ready-after-ms 60000`, `--crash-after-ms 1`, `--error-rate 0.5`).
    ///
    /// # Errors
    ///
    /// As [`Docker::push_image`]; or the `pilotage` program is not built.
    pub fn sample_image(&self, version: &str) -> Result<String, RigError> {
        let port = SAMPLE_PORT.to_string();
        self.push_image(&Image {
            name: "sample",
            version,
            program: &pilotage()?,
            entrypoint: &[
                "/bin/pilotage",
                "sample-service",
                "--version",
                version,
                "--host",
                "0.0.0.0",
                "--port",
                &port,
            ],
            environment: &[],
            files: &[],
        })
    }

    /// `pilotage` itself as an image, with its verb as the arguments of a container.
    ///
    /// # Errors
    ///
    /// As [`Docker::push_image`]; or the `pilotage` program is not built.
    pub fn pilotage_image(&self) -> Result<String, RigError> {
        let program = pilotage()?;
        self.push_image(&Image {
            name: "pilotage",
            version: "test",
            program: &program,
            entrypoint: &["/bin/pilotage"],
            environment: &[],
            files: &[],
        })
    }

    /// Builds the image of the container that keeps a pod's network.
    pub(crate) fn build_pause(&self) -> Result<(), RigError> {
        let context = Context::new()?;
        context.add(BUSYBOX.path.as_ref(), "/bin/busybox")?;
        // Far longer than any rig lives.
        let text = "FROM scratch\nCOPY root /\nENTRYPOINT [\"/bin/busybox\", \"sleep\", \"2147483647\"]\n";
        context.build(self, text, PAUSE)
    }

    /// The part that all versions of an image share, built when the program or a file has changed.
    fn base(&self, image: &Image<'_>) -> Result<String, RigError> {
        let _one = lock::for_build("image")?;
        let mut mark = mark(image.program)?;
        for (file, inside) in image.files {
            mark = format!("{mark}-{}-{}", self::mark(file)?, inside.replace('/', "."));
        }
        let tag = format!("rig-base/{}:{mark}", image.name);
        if command::output(self.client().args(["image", "inspect", &tag])).is_ok() {
            return Ok(tag);
        }
        let context = Context::new()?;
        let name = image.program.file_name().unwrap_or_default().to_string_lossy();
        let inside = context.add(image.program, &format!("/bin/{name}"))?;
        // Symbols are most of a program that was built for tests, and it has to be pushed.
        let _ = command::output(Command::new("strip").arg(&inside));
        for library in libraries(image.program)? {
            context.add(&library, &folder::text(&library))?;
        }
        context.add(BUSYBOX.path.as_ref(), "/bin/busybox")?;
        for (file, inside) in image.files {
            context.add(file, inside)?;
        }
        context.build(self, &format!("FROM scratch\nLABEL {LABEL}=1\nCOPY root /\n"), &tag)?;
        // Each build of a program makes one, and a rig may live for days.
        let label = format!("label={LABEL}");
        let prune = ["image", "prune", "--all", "--force", "--filter", KEPT, "--filter", &label];
        command::output(self.client().args(prune))?;
        Ok(tag)
    }
}

/// What a pushed image is called by its digest.
pub(crate) fn digest(docker: &Docker, tag: &str) -> Result<String, RigError> {
    let format = "{{range .RepoDigests}}{{println .}}{{end}}";
    let listed = command::output(docker.client().args(["image", "inspect", "--format", format, tag]))?;
    let name = tag.rsplit_once(':').map_or(tag, |(name, _)| name);
    let found = listed.lines().find(|line| line.starts_with(&format!("{name}@")));
    found.map(str::to_owned).ok_or_else(|| RigError::Command {
        program: format!("docker push {tag}"),
        reason: "the engine knows no digest of the image".to_owned(),
    })
}

/// A folder from which an image is built, with the image's files in `root`.
struct Context(PathBuf);

impl Context {
    fn new() -> Result<Self, RigError> {
        let parent = folder::run("builds")?;
        folder::make_private(&parent)?;
        let name = format!("{}-{:?}", std::process::id(), std::thread::current().id());
        let path = parent.join(name.replace(['(', ')'], "-"));
        mounts::remove_folder(&path)?;
        fs::create_dir_all(path.join("root")).map_err(RigError::file(&path))?;
        Ok(Self(path))
    }

    /// Copies a file to where it shall be in the image; where the copy is now.
    fn add(&self, file: &Path, inside: &str) -> Result<PathBuf, RigError> {
        let to = self.0.join("root").join(inside.trim_start_matches('/'));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(RigError::file(parent))?;
        }
        fs::copy(file, &to).map_err(RigError::file(file))?;
        Ok(to)
    }

    fn build(&self, docker: &Docker, text: &str, tag: &str) -> Result<(), RigError> {
        folder::write(&self.0.join("Dockerfile"), text)?;
        command::output(docker.client().args(["build", "--quiet", "--tag", tag]).arg(&self.0)).map(drop)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Tells one build of a file from another: its length and when it was written.
fn mark(file: &Path) -> Result<String, RigError> {
    let meta = file.metadata().map_err(RigError::file(file))?;
    let written = meta.modified().map_err(RigError::file(file))?;
    let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{:x}-{:x}", meta.len(), written.as_nanos()))
}

/// The shared libraries of a program, its loader included, as `ldd(1)` lists them; none of a static one.
fn libraries(program: &Path) -> Result<Vec<PathBuf>, RigError> {
    let listed = match command::output(Command::new("ldd").arg(program)) {
        Err(RigError::Command { reason, .. }) if reason.contains("not a dynamic executable") => {
            return Ok(Vec::new());
        }
        listed => listed?,
    };
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)` or `/lib64/ld-linux-x86-64.so.2 (0x…)`
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(listed.lines().filter_map(path).collect())
}

/// The `pilotage` of the build to which the running test belongs.
fn pilotage() -> Result<PathBuf, RigError> {
    let own = std::env::current_exe().map_err(RigError::file(Path::new("/proc/self/exe")))?;
    // Tests are in `target/PROFILE/deps`, xtask in `target/PROFILE`.
    let found =
        own.ancestors().skip(1).take(2).map(|folder| folder.join("pilotage")).find(|path| path.is_file());
    found.ok_or(RigError::Unfit(
        "the program `pilotage` is not built; run `cargo build --workspace --bin pilotage`",
    ))
}
