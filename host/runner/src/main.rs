//! The `runner` command. Everything is in the library.

use std::process::ExitCode;

/// Chains of thousands of revisions are read by several threads, which the system's allocator makes wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runner::main()
}
