//! Large tables are not changed, unless a file of the operator's says so: a policy that uses facts and files as its authors
//! would, compiled from source by the tests.

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Gate;
use runner_policy_sdk::Grant;
use runner_policy_sdk::Need;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use runner_policy_sdk::facts;
use runner_policy_sdk::files;

/// The policy.
#[derive(Debug)]
pub struct LargeTables;

/// Its settings.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Tables with more rows are not changed.
    pub max_rows: u64,
    /// Names of tables that may be changed all the same, a line each.
    pub exempt: Option<String>,
}

impl Policy for LargeTables {
    type Settings = Settings;

    fn describe() -> Description {
        let mut description =
            Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), "Large tables are not changed");
        let why = "to know how many rows a table has".to_owned();
        description.needs.push(Need { grant: Grant::Facts, required: true, why });
        description
    }
}

impl Gate for LargeTables {
    fn review(settings: &Settings, _: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        let exempt = match &settings.exempt {
            Some(path) => files::read_text(path).map_err(|problem| problem.about(path))?,
            None => String::new(),
        };
        let relations = facts::relations()?;
        let mut ruling = Ruling::allow();
        for step in &plan.steps {
            let mentions = |name: &str| {
                let words = |text: &str| {
                    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                        .any(|word| word.eq_ignore_ascii_case(name))
                };
                step.statements.iter().any(|statement| words(&statement.text))
            };
            for table in relations.iter().filter(|table| mentions(&table.name)) {
                let rows = table.rows.unwrap_or(0);
                if rows > settings.max_rows && !exempt.lines().any(|line| line == table.name) {
                    let message = format!("`{}` has {rows} rows, more than {}", table.name, settings.max_rows);
                    let denied = Ruling::deny("large-table", message);
                    let about = |reason: Reason| reason.about(&step.revision.id);
                    ruling.decision = denied.decision;
                    ruling.reasons.extend(denied.reasons.into_iter().map(about));
                }
            }
        }
        let steps = facts::recent(1)?;
        if let Some(last) = steps.first() {
            ruling = ruling.notice(format!("the last step was `{}` by {}", last.revision, last.actor));
        }
        Ok(ruling)
    }
}

runner_policy_sdk::export_policy!(LargeTables: gate);

#[cfg(test)]
mod tests {
    use runner_policy_sdk::Actor;
    use runner_policy_sdk::Decision;
    use runner_policy_sdk::Dialect;
    use runner_policy_sdk::Direction;
    use runner_policy_sdk::Environment;
    use runner_policy_sdk::Operation;
    use runner_policy_sdk::Revision;
    use runner_policy_sdk::Statement;
    use runner_policy_sdk::Step;
    use runner_policy_sdk::Target;
    use runner_policy_sdk::Timestamp;
    use runner_policy_sdk::facts::Facts;
    use runner_policy_sdk::facts::Relation;
    use runner_policy_sdk::files::Files;

    use super::*;

    fn context() -> Context {
        Context {
            operation: Operation::Upgrade,
            dry_run: false,
            now: Timestamp { seconds: 0, nanoseconds: 0 },
            actor: Actor { name: String::new(), host: String::new() },
            target: Target { dialect: Dialect::Sqlite, name: String::new(), server_version: String::new() },
            environment: Environment { name: String::new(), level: None, production: None },
            settings: "{}".to_owned(),
            variables: Vec::new(),
        }
    }

    fn plan(sql: &str) -> Plan {
        let revision = Revision {
            id: "a1".to_owned(),
            parents: Vec::new(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            title: String::new(),
            description: String::new(),
            created: None,
            environments: Vec::new(),
            file: String::new(),
            transactional: true,
        };
        let statements = vec![Statement { text: sql.to_owned(), line: 1, column: 1 }];
        let step = Step { revision, direction: Direction::Up, statements, recorded: None, skipped: false };
        Plan { hash: String::new(), steps: vec![step] }
    }

    fn ruling(sql: &str, exempt: Option<&str>) -> Result<Ruling, Failure> {
        let settings = Settings { max_rows: 1000, exempt: exempt.map(str::to_owned) };
        let facts = Facts { relations: vec![Relation::table("patient").rows(5000)], ..Facts::default() };
        let files = Files::new().folder("data").file("data/exempt.txt", "visit\npatient\n").file("data/none.txt", "");
        facts::with(facts, || files::with(files, || LargeTables::review(&settings, &context(), &plan(sql))))
    }

    #[test]
    fn a_large_table_is_not_changed_unless_it_is_exempt() {
        let sql = "ALTER TABLE Patient ADD COLUMN email TEXT";
        assert!(matches!(ruling(sql, None).unwrap().decision, Decision::Deny));
        assert!(matches!(ruling(sql, Some("data/none.txt")).unwrap().decision, Decision::Deny));
        assert!(matches!(ruling(sql, Some("data/exempt.txt")).unwrap().decision, Decision::Allow));
        assert!(matches!(ruling("CREATE TABLE patients (id INTEGER)", None).unwrap().decision, Decision::Allow));
    }

    #[test]
    fn without_its_file_it_can_not_decide() {
        let failure = ruling("SELECT 1", Some("data/gone.txt")).unwrap_err();
        assert_eq!(failure.message, "`data/gone.txt` can't be read: there is no such file");
    }
}
