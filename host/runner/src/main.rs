//! The `runner` command. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::main()
}
