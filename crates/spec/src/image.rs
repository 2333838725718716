//! Names of container images.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quote::shown;
use crate::{Digest, Version};

/// The longest reference; the registry's own limit for a name is 255.
const LIMIT: usize = 512;
/// What stands for the version in the file.
const VERSION: &str = "$VERSION";

/// The name of an image: a registry's host if it is not the usual one, a path, and a tag, a digest or both.
///
/// The grammar is that of the distribution project's `reference` package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    name: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that names no image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` does not name an image: {rule}")]
pub struct ImageError {
    text: String,
    rule: &'static str,
}

impl ImageReference {
    /// Registry and path, without tag and digest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of its manifest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The image with this digest and nothing else: what is run.
    pub fn pinned(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.name)
    }
}

impl FromStr for ImageReference {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let odd = |rule| ImageError { text: shown(text), rule };
        if text.len() > LIMIT {
            return Err(odd("it is too long"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest =
                    digest.parse().map_err(|_| odd("after `@` there must be `sha256:` and 64 digits"))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        // A colon before a `/` is a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(odd(
                "a tag has letters, digits, `_`, `.` and `-`, 128 at most, and does not begin with `.` or `-`",
            ));
        }
        if !is_name(name) {
            return Err(odd("write `host/path/name`, in lower-case letters, digits, `.`, `_` and `-`"));
        }
        Ok(Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest })
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_name(name: &str) -> bool {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
        _ => (None, name),
    };
    host.is_none_or(is_host) && path.split('/').all(is_component)
}

fn is_host(host: &str) -> bool {
    let (host, port) = host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_component(component: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(end)
        && component.ends_with(end)
        && component.chars().all(|c| end(c) || matches!(c, '.' | '_' | '-'))
        && !component.contains("..")
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for ImageReference {
    type Error = ImageError;

    fn try_from(text: String) -> Result<Self, ImageError> {
        text.parse()
    }
}

impl From<ImageReference> for String {
    fn from(image: ImageReference) -> Self {
        image.to_string()
    }
}

/// The image of a service as the file names it: `$VERSION` stands for the version of a release, which is the tag where none is
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageTemplate(String);

impl ImageTemplate {
    /// The image of one version. Build metadata is set off by `_`, since a tag has no `+`.
    pub fn of(&self, version: &Version) -> Result<ImageReference, ImageError> {
        let version = version.to_string().replace('+', "_");
        let image: ImageReference = self.0.replace(VERSION, &version).parse()?;
        Ok(match (&image.tag, &image.digest) {
            (None, None) => ImageReference { tag: Some(version), ..image },
            _ => image,
        })
    }
}

impl FromStr for ImageTemplate {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        // Whatever the version, the rest decides whether it is a name.
        text.replace(VERSION, "0").parse::<ImageReference>()?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ImageTemplate {
    type Error = ImageError;

    fn try_from(text: String) -> Result<Self, ImageError> {
        text.parse()
    }
}

impl From<ImageTemplate> for String {
    fn from(template: ImageTemplate) -> Self {
        template.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn references_are_read_and_written_alike() {
        for text in ["api", "shop/api:1.2.0", "127.0.0.1:5000/shop/api", "registry.example.com/a_b/c-d:v1_x"]
        {
            assert_eq!(text.parse::<ImageReference>().unwrap().to_string(), text);
        }
        let pinned = format!("localhost/api:1@{DIGEST}");
        let image: ImageReference = pinned.parse().unwrap();
        assert_eq!((image.name(), image.tag()), ("localhost/api", Some("1")));
        assert_eq!(image.pinned(image.digest().unwrap()), format!("localhost/api@{DIGEST}"));
    }

    #[test]
    fn a_colon_before_a_slash_is_a_port() {
        let image: ImageReference = "localhost:5000/api".parse().unwrap();
        assert_eq!((image.name(), image.tag()), ("localhost:5000/api", None));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for text in [
            "",
            "Api",
            "api:",
            "api:-x",
            "a//b",
            "/api",
            "api@sha256:1",
            "a b",
            "../api",
            "$(x)",
            "--rm",
            "api/..",
            "http://a/b",
        ] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_version_is_the_tag_where_none_is_written() {
        let of = |template: &str, version: &str| {
            let template: ImageTemplate = template.parse().unwrap();
            template.of(&version.parse().unwrap()).unwrap().to_string()
        };
        assert_eq!(of("shop/api", "1.2.0"), "shop/api:1.2.0");
        assert_eq!(of("shop/api:v$VERSION-slim", "1.2.0+7"), "shop/api:v1.2.0_7-slim");
        assert_eq!(of(&format!("shop/api@{DIGEST}"), "1.2.0"), format!("shop/api@{DIGEST}"));
    }
}
