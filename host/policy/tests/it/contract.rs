//! The released versions of the contract in `wit/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::Digest as _;
use sha2::Sha256;

/// Texts of the files of a version, by name, without the line that states the version.
fn version(name: &str) -> BTreeMap<String, String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).join(name);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let statement = format!("package runner:policy@{name};");
            (file.file_name().unwrap().to_str().unwrap().to_owned(), text.replace(&statement, ""))
        })
        .collect()
}

fn digest(files: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        hasher.update(name);
        hasher.update([0]);
        hasher.update(text);
        hasher.update([0]);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_released_version_is_never_changed() {
    for (name, expected) in [
        ("0.1.0", "21fb598bb741bda68388a06edd334d6c24a7080e9aa7b589e4b1f7b7b8376e6f"),
        ("0.1.1", "4876db3cc1ae8f9ee83cb6e29e172018b3543348b71df7572f8fe07e75d16b06"),
    ] {
        let message = format!("`wit/{name}` is released: what is new belongs into a newer version");
        assert_eq!(digest(&version(name)), expected, "{message}");
    }
}

/// What is written about it may become clearer.
fn without_comments(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect()
}

#[test]
fn a_newer_version_keeps_every_interface_as_it_was() {
    let current = version("0.1.2");
    for released in ["0.1.0", "0.1.1"] {
        for (name, text) in version(released).iter().filter(|(name, _)| *name != "worlds.wit") {
            let newer = current.get(name).map(|text| without_comments(text));
            assert_eq!(Some(without_comments(text)), newer, "`{released}/{name}` differs");
        }
    }
}
