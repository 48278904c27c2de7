//! What is dangerous in revisions for PostgreSQL, and which locks they take.
//!
//! The engine of the linter `squawk` finds what it finds on the command line, under the same names and with the same
//! comments. Rules of our own are added, and all of them learn what the runner knows: whether it makes the transaction, what
//! the version of the server is, what is new in the plan and so empty, and how large the rest is.

mod catalogue;
mod checks;
mod engine;
mod exceptions;
mod fixes;
mod forecast;
mod judge;
mod knowledge;
mod names;
mod nesting;
mod novelty;
mod plain;
mod proof;
mod raw;
mod review;
mod script;
mod server;
mod settings;
mod statements;
mod subject;
mod volatility;

use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Grant;
use runner_policy_sdk::Policy;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::SettingProblem;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Rule;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Surroundings;

pub use plain::PlainFinding;
pub use plain::PlainOptions;
pub use plain::PlainReport;
pub use plain::Withheld;
pub use plain::check_plain;
pub use settings::Settings;

/// The rules of the engine that have to be asked for, as `--include` and the setting `opt-in` do.
pub fn opt_in_rules() -> Vec<&'static str> {
    catalogue::all().map(|entry| entry.name).filter(|name| catalogue::is_opt_in(name)).collect()
}

/// The policy.
#[derive(Debug)]
pub struct LintPostgres;

impl Policy for LintPostgres {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Finds what is dangerous in revisions for PostgreSQL, and tells which locks they take",
        )
        .requires(Grant::Facts, "says how large a table is that is locked, and how much is lost with what is dropped")
        .with_settings_schema(settings::SCHEMA)
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl RevisionLint for LintPostgres {
    fn rules() -> Vec<Rule> {
        let mut rules: Vec<Rule> = catalogue::all().map(catalogue::Entry::rule).collect();
        rules.sort_by(|one, other| one.name.cmp(&other.name));
        rules
    }

    fn check(
        settings: &Settings,
        circumstances: &Circumstances,
        source: &Source,
        surroundings: &Surroundings,
    ) -> Result<Report, Failure> {
        review::check(settings, circumstances, source, surroundings)
    }
}

runner_policy_sdk::export_policy!(LintPostgres: revision_lint);
