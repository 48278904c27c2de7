//! The room itself: a file that is not declared would never run.

use std::path::Path;

#[test]
fn every_file_is_declared() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests"));
    let declared = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            assert!(
                declared.lines().any(|line| line == format!("mod {name};")),
                "`mod {name};` is missing in tests/main.rs"
            );
        }
    }
}
