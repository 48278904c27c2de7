//! What a component must prove before it is loaded: that it is the pinned one, and that somebody trusted has signed it.
//!
//! Both are checked over the very bytes that are loaded afterwards, so no other file can slip in between.

use std::path::Path;

use crate::Digest;
use crate::PublicKey;
use crate::Refusal;
use crate::Signature;
use crate::Source;
use crate::component::Bytes;
use crate::regular;
use crate::signature::LARGEST;

/// What an operator wants of a component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trust {
    /// What a lock file says of it.
    pub pin: Pin,
    /// The keys of which one must have signed it, unless it is built in. None: no signature is needed.
    pub keys: Vec<PublicKey>,
}

/// What a lock file says of a plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Pin {
    /// Nothing, and that is no fault.
    #[default]
    None,
    /// It must have this digest.
    Digest {
        /// The digest.
        digest: Digest,
        /// The lock file, as people call it.
        file: String,
    },
    /// It must not be loaded at all.
    Refused {
        /// Why, as a sentence about the plugin without its name.
        what: String,
        /// What to do about it.
        help: String,
    },
}

impl Trust {
    /// Whether the component must be refused before it is even read.
    pub(crate) fn admit(&self) -> Result<(), Refusal> {
        match &self.pin {
            Pin::Refused { what, help } => Err(Refusal::Pin { what: what.clone(), help: help.clone() }),
            Pin::None | Pin::Digest { .. } => Ok(()),
        }
    }

    /// Checks a component. Gives the key that has signed it, if a signature was needed.
    pub(crate) fn check(&self, source: &Source, bytes: &Bytes) -> Result<Option<PublicKey>, Refusal> {
        let actual = Digest::new(bytes.digest);
        if let Pin::Digest { digest, file } = &self.pin
            && *digest != actual
        {
            return Err(Refusal::Digest { pinned: *digest, actual, file: file.clone() });
        }
        if self.keys.is_empty() || matches!(source, Source::Builtin(_)) {
            return Ok(None);
        }
        let (shown, text) = match source {
            Source::File { path, .. } => (format!("`{}.sig`", regular::seen_from_here(path)), beside(path)),
            Source::Builtin(_) | Source::Oci(_) => {
                let text = bytes.signature.clone().ok_or_else(|| "it has none".to_owned());
                (format!("the manifest of `{source}`"), text)
            }
        };
        let text = text.map_err(|reason| Refusal::Signature { what: format!("{shown} can't be read: {reason}") })?;
        let wrong = |error: crate::SignatureError| Refusal::Signature { what: format!("{shown} {error}") };
        let signature: Signature = text.parse().map_err(wrong)?;
        signature.verify(&actual, &self.keys).map(Some).map_err(wrong)
    }
}

/// The text of the signature file beside a component.
pub(crate) fn beside(component: &Path) -> Result<String, String> {
    let mut path = component.as_os_str().to_owned();
    path.push(".sig");
    read_signature(Path::new(&path))
}

/// Reads a signature file.
fn read_signature(path: &Path) -> Result<String, String> {
    let content = regular::read(path, LARGEST)?.ok_or_else(|| "it is too large for a signature".to_owned())?;
    String::from_utf8(content).map_err(|_| "it is not text".to_owned())
}

/// The command that writes a lock file, as a message names it: one that is not `runner.lock` belongs to a set in a file of its
/// own.
pub fn lock_command(file: &str) -> String {
    let is_of_project = std::path::Path::new(file).file_name().is_some_and(|name| name == "runner.lock");
    if is_of_project {
        "`runner plugin lock`".to_owned()
    } else {
        format!("`runner plugin lock --plugins {}`", std::path::Path::new(file).with_extension("toml").display())
    }
}
