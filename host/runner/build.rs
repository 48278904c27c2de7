//! Lists the files that the binary embeds for authors of policies, and links it at a fixed address on Linux.
//!
//! A position-independent executable of this size has 40,000 addresses to fix at every start, which takes longer than all else
//! that `runner --version` does. The sandbox does not depend on where the host's code lies; heap, stacks, libraries and the
//! policies' native code are still placed at random.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// What is embedded: the name of the list, and the folder relative to the workspace.
const EMBEDDED: [(&str, &str); 2] = [("wit", "wit/0.1.2"), ("sdk", "plugins/sdk/src")];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for (list, folder) in EMBEDDED {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        files.sort();
        let mut table = String::from("&[\n");
        for file in files {
            let path = file.strip_prefix(&folder)?.to_str().ok_or("a path is not UTF-8")?.replace('\\', "/");
            writeln!(table, "Embedded {{ path: {path:?}, text: include_str!({file:?}) }},")?;
        }
        table.push(']');
        fs::write(Path::new(&env::var("OUT_DIR")?).join(list).with_extension("rs"), table)?;
    }

    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bin=runner=-no-pie");
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
