//! What is wrong with a revision: its place in the chain and in its file for every dialect, and what its statements do for SQLite,
//! MySQL and MariaDB. The statements of PostgreSQL are the business of a policy of their own.

mod cursor;
mod deed;
mod findings;
mod lexeme;
mod made;
mod query;
mod reading;
mod rebuilding;
mod rule;
mod rules;
mod script;
mod search;
mod server;
mod settings;
mod target;
mod types;

use runner_policy_sdk::Description;
use runner_policy_sdk::Direction;
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

use findings::Findings;
use rules::Case;
use script::Script;
use search::Search;
pub use settings::CommentRequired;
pub use settings::Naming;
pub use settings::NamingStyle;
pub use settings::Settings;
use target::Target;

/// The policy.
#[derive(Debug)]
pub struct Lint;

impl Policy for Lint {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Finds what is wrong with a revision, its place in the chain and its statements",
        )
        .with_settings_schema(settings::SCHEMA)
        .wants(
            Grant::Facts,
            "to tell large tables from small ones, and what uses a table or column; else the worst is assumed",
        )
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl RevisionLint for Lint {
    fn rules() -> Vec<Rule> {
        rule::told()
    }

    fn check(
        settings: &Settings,
        circumstances: &Circumstances,
        source: &Source,
        surroundings: &Surroundings,
    ) -> Result<Report, Failure> {
        // What a way back destroys was decided when it was written, and nothing of the chain changes.
        if source.planned == Some(Direction::Down) {
            return Ok(Report { findings: Vec::new(), locks: Vec::new(), notes: Vec::new() });
        }
        let mut findings = Findings::new(circumstances);
        let mut search = Search::default();
        let mut read = |statements| {
            Script::read(circumstances.dialect, statements, &mut |statement, lexeme, before| {
                search.visit(statement, lexeme, before);
            })
        };
        let up = source.up.as_deref().map(&mut read).unwrap_or_default();
        let down = source.down.as_deref().map(&mut read);
        let commented = search.finish(source, &mut findings);
        let mut target = Target::new(circumstances, settings.small_table_rows, &surroundings.notes);
        target.expect(&mut up.statements.iter().map(|stated| &stated.deed));
        let lines = source.text.split('\n').collect();
        let rebuilds = rebuilding::find(&up, circumstances.dialect);
        let mut case =
            Case { settings, circumstances, source, surroundings, up, down, target, rebuilds, lines, commented };
        rules::check(&mut case, &mut findings);
        match case.target.failure() {
            Some(failure) => Err(failure),
            None => Ok(Report { findings: findings.into_sorted(), locks: Vec::new(), notes: case.target.notes() }),
        }
    }
}

runner_policy_sdk::export_policy!(Lint: revision_lint);

#[cfg(test)]
mod tests;
