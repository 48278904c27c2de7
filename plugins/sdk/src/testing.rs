//! What a policy's native unit tests ask about: contexts, plans and revisions in one line each. What is not said has the
//! defaults of case files: an upgrade in `development` on SQLite, by `tester` on `testhost` at 2026-01-01T00:00:00Z.
//!
//! ```
//! use runner_policy_sdk::testing;
//!
//! let context = testing::context().in_production().at("2026-11-20T16:30:00Z");
//! let plan = testing::plan([testing::step("DROP TABLE patient;").titled("Drop the register")]);
//! assert_eq!(context.now.weekday().name(), "Friday");
//! assert_eq!(plan.steps[0].statements[0].keyword(), "DROP");
//! ```
//!
//! SQL is cut at each `;` that is outside of quotes and comments. Triggers and procedures hold others: test with them in a
//! case file, where the host splits them as in a run.
//!
//! The module is not part of components. Its functions panic when they are given what makes no sense.

mod revision_file;
mod revision_lint;
mod sql;

pub use self::revision_lint::circumstances;
pub use self::revision_lint::revision_source;
pub use self::revision_lint::revision_source_of;
pub use self::revision_lint::surroundings;

use crate::Actor;
use crate::AppliedRevision;
use crate::Context;
use crate::Dialect;
use crate::Direction;
use crate::Environment;
use crate::EnvironmentTag;
use crate::Operation;
use crate::Plan;
use crate::Recorded;
use crate::Revision;
use crate::Source;
use crate::Step;
use crate::Target;
use crate::Timestamp;
use crate::Variable;

/// Hash of plans made by [`plan`].
pub const HASH: &str = "0f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a6978";

/// The line on which the SQL of a [`step`] begins, as in case files.
const FIRST_LINE: u32 = 10;

/// The situation described in the module's documentation.
pub fn context() -> Context {
    Context {
        operation: Operation::Upgrade,
        dry_run: false,
        now: timestamp("2026-01-01T00:00:00Z"),
        actor: Actor { name: "tester".to_owned(), host: "testhost".to_owned() },
        target: Target {
            dialect: Dialect::Sqlite,
            name: "sqlite://app.db".to_owned(),
            server_version: "3.50.0".to_owned(),
        },
        environment: Environment { name: "development".to_owned(), level: Some(10), production: Some(false) },
        settings: "{}".to_owned(),
        variables: Vec::new(),
    }
}

impl Context {
    /// In production, at level 100.
    #[must_use]
    pub fn in_production(self) -> Self {
        self.in_environment("production", 100, true)
    }

    /// In an environment that an environment policy has identified.
    #[must_use]
    pub fn in_environment(mut self, name: &str, level: u32, production: bool) -> Self {
        self.environment = Environment { name: name.to_owned(), level: Some(level), production: Some(production) };
        self
    }

    /// In an environment of which nobody knows what it is.
    #[must_use]
    pub fn in_unknown_environment(mut self, name: &str) -> Self {
        self.environment = Environment { name: name.to_owned(), level: None, production: None };
        self
    }

    /// At a time, written as in `2026-11-20T16:30:00Z`.
    #[must_use]
    pub fn at(mut self, now: &str) -> Self {
        self.now = timestamp(now);
        self
    }

    /// For another operation.
    #[must_use]
    pub fn doing(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// By somebody else.
    #[must_use]
    pub fn by(mut self, name: &str) -> Self {
        name.clone_into(&mut self.actor.name);
        self
    }

    /// On a database of another dialect.
    #[must_use]
    pub fn on(mut self, dialect: Dialect) -> Self {
        self.target.dialect = dialect;
        self
    }

    /// With a granted variable that is set.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push(Variable { name: name.to_owned(), value: value.to_owned() });
        self.variables.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }
}

/// A time, written as in `2026-11-20T16:30:00Z`.
pub fn timestamp(text: &str) -> Timestamp {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<i64>().ok());
    let fields = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19].map(number);
    let [Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)] = fields else {
        panic!("`{text}` is not a time such as `2026-11-20T16:30:00Z`");
    };
    let marks: String = text.chars().filter(|character| !character.is_ascii_digit()).collect();
    assert!(marks == "--T::Z" && text.len() == 20, "`{text}` is not a time such as `2026-11-20T16:30:00Z`");
    // Months count from March, so that the leap day is the last of its year.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1 - 719_468;
    let made = Timestamp { seconds: days * 86_400 + hour * 3600 + minute * 60 + second, nanoseconds: 0 };
    let shown = format!("{}T{}:{second:02}Z", made.date(), made.time_of_day());
    assert_eq!(shown, text, "there is no such time");
    made
}

/// A plan of steps. Steps without an id of their own get `r0001`, `r0002`, …, each with the one before as its parent.
pub fn plan(steps: impl IntoIterator<Item = Step>) -> Plan {
    let mut steps: Vec<Step> = steps.into_iter().collect();
    for index in 0..steps.len() {
        if steps[index].revision.id != UNNAMED {
            continue;
        }
        let mut named = renamed(steps[index].revision.clone(), &format!("r{:04}", index + 1));
        named.parents = steps[..index].last().map(|before| before.revision.id.clone()).into_iter().collect();
        steps[index].revision = named;
    }
    Plan { hash: HASH.to_owned(), steps }
}

const UNNAMED: &str = "r0000";

/// A step up that runs SQL, which begins on line 10 of its file.
pub fn step(sql: &str) -> Step {
    Step {
        revision: revision(UNNAMED),
        direction: Direction::Up,
        statements: sql::split(sql, FIRST_LINE),
        recorded: None,
        skipped: false,
    }
}

impl Step {
    /// With an id of its own.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.revision = renamed(self.revision, id);
        self
    }

    /// With a title.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.revision.title);
        self
    }

    /// With environment tags as a header has them: `staging, =test`.
    #[must_use]
    pub fn tagged(mut self, tags: &str) -> Self {
        self.revision.environments = self::tags(tags);
        self
    }

    /// Down instead of up, for a revision of which the ledger says this.
    #[must_use]
    pub fn down(mut self, recorded: Recorded) -> Self {
        self.direction = Direction::Down;
        self.recorded = Some(recorded);
        self
    }

    /// With its SQL skipped by an environment policy.
    #[must_use]
    pub fn skipped(mut self) -> Self {
        self.skipped = true;
        self
    }
}

/// A revision without tags, labels and parents, titled `Revision ID` with its id.
pub fn revision(id: &str) -> Revision {
    Revision {
        id: id.to_owned(),
        parents: Vec::new(),
        depends_on: Vec::new(),
        labels: Vec::new(),
        title: format!("Revision {id}"),
        description: String::new(),
        created: None,
        environments: Vec::new(),
        file: format!("migrations/{id}.sql"),
        transactional: true,
    }
}

/// A revision that counts as applied, with environment tags as a header has them: `staging, =test`.
pub fn applied(id: &str, tags: &str, recorded: Recorded) -> AppliedRevision {
    AppliedRevision { id: id.to_owned(), environments: self::tags(tags), recorded }
}

/// Environment tags as a header has them: `staging, =test`.
pub fn tags(text: &str) -> Vec<EnvironmentTag> {
    let written = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    written
        .map(|tag| EnvironmentTag {
            name: tag.trim_start_matches('=').to_ascii_lowercase(),
            exact: tag.starts_with('='),
        })
        .collect()
}

/// What a lint policy reads, from the text of a revision file with its header.
pub fn source(text: &str) -> Source {
    revision_file::read(text)
}

/// What a lint policy reads, from SQL alone: a file with the id `r0001`, in which the SQL begins on line 10.
pub fn source_of(up: &str) -> Source {
    source(&format!(
        "-- Revision r0001\n--\n-- Revision ID: r0001\n-- Revises: base\n-- Create Date: 2026-01-01T00:00:00Z\n--\n--\n\n\
         -- migrate:up\n{up}\n"
    ))
}

/// Compares a schema that is kept as a text with the one made from the type of the settings, and shows the latter if they
/// differ.
#[track_caller]
pub fn assert_schema<Settings: schemars::JsonSchema>(kept: &str) {
    let made = crate::settings_schema::<Settings>();
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    assert!(read(kept) == read(&made), "the schema is out of date; this is the current one:\n{made}");
}

fn renamed(mut revision: Revision, id: &str) -> Revision {
    if revision.title == format!("Revision {}", revision.id) {
        revision.title = format!("Revision {id}");
    }
    id.clone_into(&mut revision.id);
    revision.file = format!("migrations/{id}.sql");
    revision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(timestamp("1970-01-01T00:00:00Z").seconds, 0);
        assert_eq!(timestamp("2026-11-20T15:59:59Z").seconds, 1_795_190_399);
        assert_eq!(timestamp("2000-02-29T00:00:00Z").seconds, 951_782_400);
        for wrong in ["", "2026-02-30T00:00:00Z", "2026-11-20 15:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T15:00Z"] {
            assert!(std::panic::catch_unwind(|| timestamp(wrong)).is_err(), "`{wrong}`");
        }
    }

    #[test]
    fn steps_are_numbered_unless_they_have_a_name() {
        let plan = plan([step("SELECT 1;"), step("SELECT 2; SELECT 3").named("own").titled("Mine"), step("")]);
        let ids: Vec<&str> = plan.steps.iter().map(|step| step.revision.id.as_str()).collect();
        assert_eq!(ids, ["r0001", "own", "r0003"]);
        let titles: Vec<&str> = plan.steps.iter().map(|step| step.revision.title.as_str()).collect();
        assert_eq!(titles, ["Revision r0001", "Mine", "Revision r0003"]);
        assert_eq!(plan.steps[2].revision.parents, ["own"]);
        assert_eq!(plan.steps[0].revision.file, "migrations/r0001.sql");
        let lines: Vec<u32> = plan.statements().map(|(_, statement)| statement.line).collect();
        assert_eq!(lines, [10, 10, 10]);
    }

    #[test]
    fn sql_alone_begins_on_line_ten() {
        let source = source_of("\n  DROP TABLE a;");
        assert_eq!((source.up[0].line, source.up[0].column), (11, 3));
        assert_eq!(source.revision.id, "r0001");
        assert_eq!(source.down, None);
    }
}
