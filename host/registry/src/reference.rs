//! `oci://registry/name:tag@sha256:…`: where a component is.

use std::fmt;

use runner_policy::Digest;

/// How a reference to a registry begins.
const SCHEME: &str = "oci://";

/// Where a component is: a registry, a name in it, and a tag, the digest of a manifest, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    name: String,
    tag: Option<String>,
    manifest: Option<Digest>,
}

/// A text is no such reference.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct ReferenceError {
    what: String,
    help: &'static str,
}

const FORM: &str = "write `oci://registry/name:tag`, or `oci://registry/name:tag@sha256:…` to pin it";

impl ReferenceError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl Reference {
    /// Whether a text means to be a reference.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads a reference. Nothing is filled in: neither a registry nor a tag.
    ///
    /// # Errors
    /// It is of another form.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let shown = runner_policy::printable(text);
        let wrong = |what: String| ReferenceError { what, help: FORM };
        let rest =
            text.strip_prefix(SCHEME).ok_or_else(|| wrong(format!("`{shown}` does not begin with `{SCHEME}`")))?;
        let (registry, _) =
            rest.split_once('/').ok_or_else(|| wrong(format!("`{shown}` names a registry and nothing in it")))?;
        if registry.contains('@') {
            // Not shown, because it may hold a password.
            return Err(ReferenceError {
                what: "the name of a registry holds an `@`".to_owned(),
                help: "credentials come from Docker's configuration or from variables, never from a source",
            });
        }
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            let registry = runner_policy::printable(registry);
            return Err(wrong(format!("`{shown}` names no registry: `{registry}` is not the name of a server")));
        }
        let parsed: oci_client::Reference =
            rest.parse().map_err(|error| wrong(format!("`{shown}` is not the name of an artifact: {error}")))?;
        let name_end = rest.rfind('/').unwrap_or(0);
        let has_tag = rest[name_end..].split('@').next().is_some_and(|name| name.contains(':'));
        let manifest = match parsed.digest().map(str::parse) {
            Some(Err(error)) => return Err(wrong(format!("`{shown}`: {error}"))),
            Some(Ok(digest)) => Some(digest),
            None => None,
        };
        let tag = parsed.tag().filter(|_| has_tag).map(str::to_owned);
        if tag.is_none() && manifest.is_none() {
            return Err(wrong(format!("`{shown}` has neither a tag nor a digest")));
        }
        Ok(Reference { registry: registry.to_owned(), name: parsed.repository().to_owned(), tag, manifest })
    }

    /// The registry, perhaps with a port.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest.
    pub fn manifest(&self) -> Option<Digest> {
        self.manifest
    }

    /// The same with this digest.
    #[must_use]
    pub fn with_manifest(&self, manifest: Digest) -> Self {
        Reference { manifest: Some(manifest), ..self.clone() }
    }

    /// Whether the registry is on this machine, so that nobody can listen in between.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = match self.registry.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.registry,
        };
        host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    pub(crate) fn to_client(&self) -> oci_client::Reference {
        let (registry, name) = (self.registry.clone(), self.name.clone());
        match (&self.manifest, &self.tag) {
            (Some(digest), _) => oci_client::Reference::with_digest(registry, name, digest.to_string()),
            (None, tag) => oci_client::Reference::with_tag(registry, name, tag.clone().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.registry, self.name)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(manifest) = &self.manifest {
            write!(formatter, "@{manifest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest::of(b"manifest")
    }

    #[test]
    fn references_read_back_as_they_are_written() {
        for text in [
            "oci://ghcr.io/acme/lint:1.2".to_owned(),
            "oci://localhost:5000/lint:latest".to_owned(),
            "oci://localhost/a/b/c:1".to_owned(),
            "oci://docker.io/acme/lint:1".to_owned(),
            format!("oci://ghcr.io/acme/lint@{}", digest()),
            format!("oci://ghcr.io:443/acme/lint:1.2@{}", digest()),
        ] {
            assert_eq!(Reference::parse(&text).unwrap().to_string(), text);
        }
        let both = Reference::parse(&format!("oci://ghcr.io/acme/lint:1.2@{}", digest())).unwrap();
        assert_eq!((both.registry(), both.tag(), both.manifest()), ("ghcr.io", Some("1.2"), Some(digest())));
    }

    #[test]
    fn what_is_left_out_is_not_made_up() {
        for (text, part) in [
            ("ghcr.io/acme/lint:1", "does not begin with"),
            ("oci://ghcr.io", "nothing in it"),
            ("oci://acme/lint:1", "names no registry"),
            ("oci://ghcr.io/acme/lint", "neither a tag nor a digest"),
            ("oci://ghcr.io/Acme/lint:1", "is not the name of an artifact"),
            ("oci://ghcr.io/acme/lint:", "is not the name of an artifact"),
            ("oci://ghcr.io/acme/lint:1@sha256:abc", "is not the name of an artifact"),
            ("oci://ghcr.io/../lint:1", "is not the name of an artifact"),
            ("oci:///lint:1", "names no registry"),
            ("oci://ghcr.io/acme/li nt:1", "is not the name of an artifact"),
            ("oci://ghcr.io/acme/lint:1\u{1b}[2J", "is not the name of an artifact"),
        ] {
            let error = Reference::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let upper = format!("oci://ghcr.io/acme/lint@{}", digest())
            .to_uppercase()
            .replace("OCI://GHCR.IO/ACME/LINT@SHA", "oci://ghcr.io/acme/lint@sha");
        assert!(Reference::parse(&upper).is_err(), "a digest has one spelling");
        let sha512 = format!("oci://ghcr.io/acme/lint@sha512:{}", "a".repeat(128));
        assert!(Reference::parse(&sha512).unwrap_err().to_string().contains("is not a digest"));
    }

    #[test]
    fn what_is_no_registry_does_not_steer_the_terminal() {
        let error = Reference::parse("oci://acme\u{1b}[2J\u{202e}/lint:1").unwrap_err().to_string();
        assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = Reference::parse("oci://me:hunter2@ghcr.io/acme/lint:1").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for (registry, is_loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.8.9.1", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("10.0.0.1:5000", false),
            ("ghcr.io", false),
        ] {
            let reference = Reference::parse(&format!("oci://{registry}/lint:1")).unwrap();
            assert_eq!(reference.is_loopback(), is_loopback, "{registry}");
        }
    }
}
