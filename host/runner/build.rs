//! Links the binary at a fixed address on Linux.
//!
//! A position-independent executable of this size has 40,000 addresses to fix at every start, which takes longer than all else
//! that `runner --version` does. The sandbox does not depend on where the host's code lies; heap, stacks, libraries and the
//! policies' native code are still placed at random.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bin=runner=-no-pie");
    }
}
