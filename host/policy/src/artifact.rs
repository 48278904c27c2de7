//! The manifest under which a registry keeps a component: an OCI artifact as the CNCF defines it for WebAssembly.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::Digest;
use crate::printable;

/// Media type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of the configuration that says what a component imports and exports.
pub const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// Media type of a component.
pub const COMPONENT_TYPE: &str = "application/wasm";
/// The annotation of the manifest that holds the component's signature, in the form of a signature file.
const SIGNATURE: &str = "runner.policy.signature";
/// Bytes of the largest manifest that is taken. A real one has about 1000.
pub const LARGEST_MANIFEST: u64 = 256 << 10;

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The component.
    pub component: Digest,
    /// Its bytes.
    pub size: u64,
    /// Its signature, as text.
    pub signature: Option<String>,
}

/// A manifest is not one of a component.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NotAnArtifact(String);

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

impl Artifact {
    /// Reads a manifest.
    ///
    /// # Errors
    /// It is one of something else.
    pub fn read(manifest: &[u8]) -> Result<Self, NotAnArtifact> {
        let refuse = |what: String| Err(NotAnArtifact(printable(&what)));
        if manifest.len() as u64 > LARGEST_MANIFEST {
            return refuse(format!("its manifest is larger than {}", crate::limits::bytes(LARGEST_MANIFEST)));
        }
        let manifest: Manifest = match serde_json::from_slice(manifest) {
            Ok(manifest) => manifest,
            Err(error) => return refuse(format!("its manifest can't be read: {error}")),
        };
        if manifest.schema_version != 2 || manifest.media_type.as_deref().is_some_and(|found| found != MANIFEST_TYPE) {
            let found = manifest.media_type.unwrap_or_default();
            return refuse(format!("its manifest is of the type `{found}`, not `{MANIFEST_TYPE}`"));
        }
        match manifest.config {
            Some(config) if config.media_type == CONFIG_TYPE => {}
            Some(config) => {
                return refuse(format!("it is configured by `{}`, not `{CONFIG_TYPE}`", config.media_type));
            }
            None => return refuse("its manifest names no configuration".to_owned()),
        }
        let [layer] = &manifest.layers[..] else {
            return refuse(format!("it has {} layers, and a component has one", manifest.layers.len()));
        };
        if layer.media_type != COMPONENT_TYPE {
            return refuse(format!("its layer is of the type `{}`, not `{COMPONENT_TYPE}`", layer.media_type));
        }
        match layer.digest.parse() {
            Ok(component) => {
                let signature = manifest.annotations.get(SIGNATURE).cloned();
                Ok(Artifact { component, size: layer.size, signature })
            }
            Err(error) => refuse(format!("the digest of its layer: {error}")),
        }
    }

    /// Writes a manifest: the same bytes for the same artifact and configuration.
    pub fn manifest(&self, config: &[u8]) -> Vec<u8> {
        let descriptor = |media_type: &str, digest: Digest, size| Descriptor {
            media_type: media_type.to_owned(),
            digest: digest.to_string(),
            size,
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            config: Some(descriptor(CONFIG_TYPE, Digest::of(config), config.len() as u64)),
            layers: vec![descriptor(COMPONENT_TYPE, self.component, self.size)],
            annotations: self.signature.iter().map(|text| (SIGNATURE.to_owned(), text.clone())).collect(),
        };
        serde_json::json!(manifest).to_string().into_bytes()
    }

    /// Writes the configuration that goes with a component.
    pub fn config(&self, imports: &[String], exports: &[String]) -> Vec<u8> {
        serde_json::json!({
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [self.component.to_string()],
            "component": { "imports": imports, "exports": exports, "target": null },
        })
        .to_string()
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact() -> Artifact {
        Artifact { component: Digest::of(b"component"), size: 9, signature: Some("by me\n".to_owned()) }
    }

    #[test]
    fn a_manifest_reads_back_as_it_is_written() {
        let config = artifact().config(&[], &["runner:policy/gate@0.1.0".to_owned()]);
        assert_eq!(Artifact::read(&artifact().manifest(&config)), Ok(artifact()));
        let unsigned = Artifact { signature: None, ..artifact() };
        assert_eq!(Artifact::read(&unsigned.manifest(&config)), Ok(unsigned));
    }

    #[test]
    fn manifests_of_something_else_are_refused() {
        let manifest = String::from_utf8(artifact().manifest(b"{}")).unwrap();
        let layer = manifest.split("\"layers\":[").nth(1).unwrap().split(']').next().unwrap();
        for (from, to, part) in [
            (MANIFEST_TYPE, "application/vnd.oci.image.index.v1+json", "its manifest is of the type"),
            (CONFIG_TYPE, "application/vnd.oci.image.config.v1+json", "it is configured by"),
            (COMPONENT_TYPE, "application/vnd.oci.image.layer.v1.tar", "its layer is of the type"),
            ("sha256:", "sha512:", "the digest of its layer"),
            (layer, "", "it has 0 layers"),
            (layer, &format!("{layer},{layer}"), "it has 2 layers"),
            ("{", "[", "its manifest can't be read"),
            ("\"config\"", "\"konfig\"", "names no configuration"),
            ("\"size\":9", "\"size\":-9", "its manifest can't be read"),
        ] {
            assert!(manifest.contains(from), "{from}");
            let error = Artifact::read(manifest.replace(from, to).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let huge = vec![b' '; usize::try_from(LARGEST_MANIFEST).unwrap() + 1];
        assert!(Artifact::read(&huge).unwrap_err().to_string().contains("larger than"));
    }
}
