//! A component in a file, outside of any plugin set: to be shipped, signed or checked.

use std::path::Path;
use std::path::PathBuf;

use crate::Digest;
use crate::Grants;
use crate::Host;
use crate::Limits;
use crate::Mode;
use crate::PluginDefinition;
use crate::ReadGrant;
use crate::Refusal;
use crate::Source;
use crate::Trust;
use crate::component::Bytes;
use crate::component::Policy;
use crate::engine::engine;
use crate::trust;

/// A component in a file that is known to be a policy.
#[derive(Debug)]
pub struct ComponentFile {
    /// Its bytes.
    pub content: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// What it imports, as in `wasi:cli/environment@0.2.0`, sorted.
    pub imports: Vec<String>,
    /// What it exports, as in `runner:policy/gate@0.1.0`, sorted.
    pub exports: Vec<String>,
}

/// What a component wants is no reason not to ship it: whether it is granted is for whoever uses it. It is not run here.
fn with_everything(path: &Path) -> PluginDefinition {
    let shown = path.display().to_string();
    PluginDefinition {
        name: shown.clone(),
        source: Source::File { path: path.to_owned(), shown },
        settings: serde_json::Map::new(),
        grants: Grants {
            env: Vec::new(),
            read: vec![ReadGrant { path: PathBuf::new(), name: String::new() }],
            facts: true,
        },
        limits: Limits::default(),
        mode: Mode::Enforce,
        trust: Trust::default(),
    }
}

impl ComponentFile {
    /// Reads a component and makes sure that it is a policy.
    ///
    /// # Errors
    /// It can't be read or is something else.
    pub fn read(host: &Host, path: &Path) -> Result<Self, Refusal> {
        let bytes = bytes(path)?;
        let plugin = with_everything(path);
        let engine = engine(plugin.limits.stack).map_err(|reason| Refusal::Sandbox { reason })?;
        let policy = Policy::new(engine, &host.cache, &bytes, &plugin)?;
        let component = policy.instance.component();
        let component = component.component_type();
        let mut imports: Vec<String> = component.imports(engine).map(|(name, _)| name.to_owned()).collect();
        let mut exports: Vec<String> = component.exports(engine).map(|(name, _)| name.to_owned()).collect();
        imports.sort();
        exports.sort();
        Ok(ComponentFile { digest: Digest::new(bytes.digest), content: bytes.content.into_owned(), imports, exports })
    }

    /// The digest of a file, whatever it holds.
    ///
    /// # Errors
    /// It can't be read, or is larger than a component may be.
    pub fn digest(path: &Path) -> Result<Digest, Refusal> {
        Ok(Digest::new(bytes(path)?.digest))
    }

    /// The text of the signature file beside a component.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn signature(path: &Path) -> Result<String, String> {
        trust::beside(path)
    }
}

fn bytes(path: &Path) -> Result<Bytes, Refusal> {
    Bytes::read(&Source::File { path: path.to_owned(), shown: path.display().to_string() })
}

/// The digest of the component that a source stands for now.
///
/// # Errors
/// It can't be read.
pub fn digest_of(source: &Source) -> Result<Digest, Refusal> {
    Ok(Digest::new(Bytes::read(source)?.digest))
}
