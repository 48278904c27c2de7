//! Starts the server that tests of this machine would share, says how to reach it, and keeps it until stdin ends. To look
//! around by hand: `cargo run --package test-servers -- postgres`.

#![expect(clippy::print_stdout, reason = "a developer's tool talks to the terminal")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let server = match std::env::args().nth(1).as_deref() {
        Some("postgres") => test_servers::postgres(),
        Some("mysql") => test_servers::mysql(),
        _ => {
            println!("usage: test-server postgres|mysql");
            return ExitCode::from(2);
        }
    };
    println!("{server}\n{}\n{}", server.admin_url(), server.socket_url(""));
    drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ExitCode::SUCCESS
}
