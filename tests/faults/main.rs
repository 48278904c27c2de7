//! Faults, with real processes and real servers: whatever breaks, the next `upgrade` finishes with the schema of an undisturbed
//! one, every revision exactly once in the ledger, and no lock left.
//!
//! Part of the tests in a short form; `cargo xtask faults --rounds N` runs more rounds. Prints a table and fails if anything did
//! not survive.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::unwrap_used, reason = "a test harness fails loudly")]

mod proxy;
mod random;
mod scenarios;
mod target;

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use crate::random::Random;
use crate::scenarios::Scenario;
use crate::target::Kind;
use crate::target::Target;

/// Rounds of each fault unless `RUNNER_FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 2;
const SEED: u64 = 0x5eed_0002;

fn main() -> ExitCode {
    // `cargo test -- --list` and filters are for other harnesses.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("RUNNER_FAULT_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let only = std::env::var("RUNNER_FAULT_DATABASE").ok();
    let wanted = std::env::var("RUNNER_FAULT").ok();
    let mut random = Random(number("RUNNER_FAULT_SEED").unwrap_or(SEED));
    println!("{:12} {:44} {:>7} {:>9} {:>9}", "database", "fault", "rounds", "survived", "time");
    let mut failures = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| only.as_ref().is_none_or(|only| only == kind.name())) {
        let target = Target::new(kind);
        let reference = target.reference();
        let is_wanted = |scenario: &Scenario| wanted.as_ref().is_none_or(|wanted| scenario.name().contains(wanted));
        for scenario in Scenario::of(kind).into_iter().filter(is_wanted) {
            let begun = Instant::now();
            let mut survived = 0;
            for round in 1..=rounds {
                let seed = random.next();
                let ended = catch_unwind(AssertUnwindSafe(|| {
                    scenario.run(&target, &reference, &mut Random(seed));
                }));
                match ended {
                    Ok(()) => survived += 1,
                    Err(_) => {
                        failures.push(format!("{} · {} · round {round}, seed {seed}", kind.name(), scenario.name()));
                    }
                }
            }
            let took = format!("{:.1} s", begun.elapsed().as_secs_f64());
            println!("{:12} {:44} {rounds:>7} {survived:>9} {took:>9}", kind.name(), scenario.name());
        }
    }
    for failure in &failures {
        println!("did not survive: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
