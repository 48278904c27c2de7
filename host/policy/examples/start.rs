//! Times one start of a built-in set, in a process of its own as in every command: `start SET FOLDER`, where the folder is
//! that of the native code. Prints the microseconds from the first line of `main` until every plugin of the set is loaded and
//! has said who it is (those that only lint are left for when there is something to lint), and those of asking all of them about a plan of 100 steps.
#![expect(clippy::print_stdout, reason = "the numbers are what this program is for")]

use std::path::PathBuf;
use std::time::Instant;

use runner_policy::Cache;
use runner_policy::Host;
use runner_policy::LintMatter;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::builtin_definition;
use runner_policy::builtin_set;
use runner_policy::data;

fn main() -> Result<(), String> {
    let begun = Instant::now();
    let mut words = std::env::args().skip(1);
    let (Some(set), Some(folder)) = (words.next(), words.next()) else {
        return Err("usage: start SET FOLDER".to_owned());
    };
    let set = builtin_set(&set, builtin_definition).ok_or("there is no such set")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let host = Host::new(Cache::Folder(PathBuf::from(folder))).with_variables(|_| None);
        let policies = Policies::load_but_lint(&host, &set, &Role::ALL, data::Dialect::Sqlite).await;
        let loaded = begun.elapsed();
        if let Some(error) = policies.reports().into_iter().find_map(|report| report.error) {
            return Err(error);
        }
        let request = request(100);
        let begun = Instant::now();
        let identity = policies.identify(&request.context).await;
        let review = policies.review(request, &identity).await;
        println!("{} {} {}", loaded.as_micros(), begun.elapsed().as_micros(), review.verdicts.len());
        Ok(())
    })
}

fn request(steps: usize) -> Request {
    let revision = |number: usize| data::Revision {
        id: format!("r{number:04}"),
        parents: if number == 0 { Vec::new() } else { vec![format!("r{:04}", number - 1)] },
        depends_on: Vec::new(),
        labels: Vec::new(),
        title: format!("Revision {number}"),
        description: String::new(),
        created: None,
        environments: vec![data::EnvironmentTag { name: "staging".to_owned(), exact: false }],
        file: format!("migrations/r{number:04}.sql"),
        transactional: true,
    };
    let step = |number| data::Step {
        revision: revision(number),
        direction: data::Direction::Up,
        statements: vec![data::Statement {
            text: format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"),
            line: 7,
            column: 1,
        }],
        recorded: None,
        skipped: false,
    };
    Request {
        context: data::Context {
            operation: data::Operation::Upgrade,
            dry_run: false,
            now: data::Timestamp { seconds: 1_800_000_000, nanoseconds: 0 },
            actor: data::Actor { name: "ada".to_owned(), host: "analytical".to_owned() },
            target: data::Target {
                dialect: data::Dialect::Sqlite,
                name: "sqlite://app.db".to_owned(),
                server_version: "3.50.0".to_owned(),
            },
            environment: data::Environment { name: "development".to_owned(), level: None, production: None },
            settings: String::new(),
            variables: Vec::new(),
        },
        plan: data::Plan { hash: "0".repeat(64), steps: (0..steps).map(step).collect() },
        applied: Vec::new(),
        sources: Vec::new(),
        lint: LintMatter::default(),
    }
}
