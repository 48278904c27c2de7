//! The contract and the SDK as they are embedded in the binary, so that an installed runner suffices to start a project.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A file that is embedded: its path relative to its folder, and its text.
pub(super) struct Embedded {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// Files of the current version of the package `runner:policy`.
pub(super) const WIT: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/wit.rs"));

/// Sources of the SDK, below its `src`.
const SDK: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

const SDK_MANIFEST: &str = include_str!("../../../../plugins/sdk/Cargo.toml");
const WORKSPACE_MANIFEST: &str = include_str!("../../../../Cargo.toml");

/// Where the sources of the SDK say that the contract is, and where it is beside a copy of them.
const WIT_IN_WORKSPACE: &str = concat!("../../wit/", "0.1.2");
const WIT_IN_COPY: &str = "wit";

/// The version of the contract.
pub(super) fn version() -> &'static str {
    WIT_IN_WORKSPACE.rsplit('/').next().unwrap_or_default()
}

/// The SDK as a package of its own, with the contract in its `wit`, as (path, text).
pub(super) fn sdk() -> Vec<(String, String)> {
    let sources =
        SDK.iter().map(|file| (format!("src/{}", file.path), file.text.replace(WIT_IN_WORKSPACE, WIT_IN_COPY)));
    let wit = WIT.iter().map(|file| (format!("{WIT_IN_COPY}/{}", file.path), file.text.to_owned()));
    std::iter::once(("Cargo.toml".to_owned(), sdk_manifest())).chain(sources).chain(wit).collect()
}

/// The manifest without what it takes from its workspace.
fn sdk_manifest() -> String {
    let manifest: toml::Table = SDK_MANIFEST.parse().unwrap_or_default();
    let workspace: toml::Table = WORKSPACE_MANIFEST.parse().unwrap_or_default();
    let inherited = |table: &str, key: &str| workspace.get("workspace")?.get(table)?.get(key).cloned();
    let mut text = String::from("[package]\n");
    for (key, value) in manifest.get("package").and_then(toml::Value::as_table).into_iter().flatten() {
        let value = if value.get("workspace").is_some() { inherited("package", key) } else { Some(value.clone()) };
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text.push_str("\n[dependencies]\n");
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
    let dependencies: BTreeMap<_, _> =
        dependencies.filter_map(|(name, _)| Some((name, inherited("dependencies", name)?))).collect();
    for (name, value) in dependencies {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_sdk_stands_on_its_own() {
        let files = sdk();
        let text = |path: &str| &files.iter().find(|(name, _)| name == path).unwrap().1;
        let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("runner-policy-sdk"));
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for name in ["schemars", "serde", "serde_json", "serde_path_to_error", "wit-bindgen"] {
            assert!(dependencies.contains_key(name), "{name}");
        }
        for (path, text) in &files {
            for reference in ["../..", "workspace = true", env!("CARGO_MANIFEST_DIR")] {
                assert!(!text.contains(reference), "`{path}` holds `{reference}`");
            }
        }
        assert!(
            text("wit/types.wit").contains("runner:policy@0.1.2") || text("wit/worlds.wit").contains("world policy")
        );
        assert!(text("src/bindings.rs").contains("path: \"wit\""));
        assert!(text("src/testing/sql.rs").contains("fn split"));
    }
}
