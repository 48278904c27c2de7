//! Hostile components, each behind the real binary: every attack ends in a named refusal within its limit, the database is
//! as it was, the other policies are heard as if nothing had happened, and the next run works.
//!
//! Part of the tests; prints a table and fails if an attack did anything else.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::unwrap_used, reason = "a test harness fails loudly")]

mod answers;
mod attack;
mod cache;
mod escapes;
mod exhaustion;
mod files;
mod project;

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test -- --list` is for other harnesses.
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let filter = words.iter().find(|word| !word.starts_with('-'));
    let attacks = [exhaustion::all(), answers::all(), escapes::all(), files::all(), cache::all()].concat();
    println!("{:56} {:24} {:>8}  what is said", "attack", "ended by", "time");
    let (mut tried, mut failures) = (0, Vec::new());
    for attack in attacks.iter().filter(|attack| filter.is_none_or(|filter| attack.name.contains(filter.as_str()))) {
        tried += 1;
        match catch_unwind(AssertUnwindSafe(|| attack.run())) {
            Ok(ended) => {
                let time = format!("{:.2} s", ended.time.as_secs_f64());
                println!("{:56} {:24} {time:>8}  {}", attack.name, ended.by, ended.said);
            }
            Err(_) => failures.push(&attack.name),
        }
    }
    for failure in &failures {
        println!("was not stopped as it should: {failure}");
    }
    println!("{tried} attacks, {} stopped", tried - failures.len());
    // A name of another test chooses none of these, which is no failure.
    let were_chosen = tried > 0 || filter.is_some();
    if failures.is_empty() && were_chosen { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
