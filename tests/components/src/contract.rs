//! The definition in `wit/`, and a world that exports just the chosen interfaces.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use wit_parser::Resolve;
use wit_parser::SourceMap;
use wit_parser::WorldId;

use crate::component::Import;

/// The contract under a version number of its own choice, and the world of one component.
pub(crate) fn world<'a>(
    interfaces: impl Iterator<Item = &'a str>,
    imports: &[Import],
    version: &str,
) -> (Resolve, WorldId) {
    let mut resolve = definition(FIRST, version);
    if imports.iter().any(Import::is_of_contract) {
        read(&mut resolve, CURRENT, CURRENT);
    }
    let mut text = String::from("package tests:policies;\nworld component {\n");
    writeln!(text, "import runner:policy/log@{version};").unwrap();
    for import in imports.iter().map(path).collect::<BTreeSet<_>>() {
        writeln!(text, "import {import};").unwrap();
    }
    for interface in interfaces.collect::<BTreeSet<_>>() {
        writeln!(text, "export runner:policy/{interface}@{version};").unwrap();
    }
    text.push_str("}\n");
    text.push_str(&packages(imports));
    let package = resolve.push_source("component.wit", &text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let world = resolve.packages[package].worlds["component"];
    (resolve, world)
}

/// The first version of the contract, against which the components are built: what holds for them holds for the policies
/// that were built before there was any other.
pub(crate) const FIRST: &str = "0.1.0";

/// The newest version, of which `files` and `facts` are imported.
pub(crate) const CURRENT: &str = "0.1.2";

/// The package `runner:policy` as a version in `wit/` defines it, under a version number of its own choice.
pub(crate) fn definition(written: &str, version: &str) -> Resolve {
    let mut resolve = Resolve::default();
    read(&mut resolve, written, version);
    resolve
}

fn read(resolve: &mut Resolve, written: &str, version: &str) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).join(written);
    let mut sources = SourceMap::new();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "wit")) {
        let text = fs::read_to_string(file).unwrap();
        sources.push(file, text.replace(&format!("runner:policy@{written}"), &format!("runner:policy@{version}")));
    }
    let group = sources.parse().unwrap_or_else(|(_, error)| panic!("{error}"));
    resolve.push_group(group).unwrap();
}

/// As in `wasi:cli/environment@0.2.0`.
pub(crate) fn path(import: &Import) -> String {
    format!("{}/{}@{}", import.package, import.interface, import.version)
}

/// The packages of the imports, each written once.
fn packages(imports: &[Import]) -> String {
    let mut packages: BTreeMap<String, BTreeMap<&str, String>> = BTreeMap::new();
    for import in imports.iter().filter(|import| !import.is_of_contract()) {
        let package = packages.entry(format!("{}@{}", import.package, import.version)).or_default();
        package.entry(&import.interface).or_default().push_str(&import.definition);
    }
    let mut text = String::new();
    for (package, interfaces) in packages {
        writeln!(text, "package {package} {{").unwrap();
        for (interface, definitions) in interfaces {
            writeln!(text, "interface {interface} {{ {definitions} }}").unwrap();
        }
        text.push_str("}\n");
    }
    text
}
