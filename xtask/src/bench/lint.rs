//! What linting costs: side by side with `squawk` over the same files, of a long chain that has not changed, and of one pending
//! revision in `upgrade`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use super::silent;
use super::tools::Tools;
use crate::squawk::Cli;

/// Files that are compared.
const FILES: usize = 500;
/// Revisions of the chain that is linted again.
const LONG: usize = 10_000;

const CONFIGURATION: &str = "\
[lint]
fail-on = \"never\"

[plugin-sets.without]
plugins = [\"environment-hierarchy\", \"production-override\"]
";

/// Where a comparison takes place.
struct Place {
    folder: PathBuf,
    cache: PathBuf,
}

impl Place {
    fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("migrations"))?;
        fs::write(folder.join("runner.toml"), CONFIGURATION)?;
        Ok(Place { folder: folder.to_path_buf(), cache: folder.join("cache") })
    }

    fn revision(&self, number: usize, sql: &str) -> Result<()> {
        let parent = if number == 0 { "base".to_owned() } else { id(number - 1) };
        let mut text = format!("-- Revision {number}\n--\n-- Revision ID: {}\n-- Revises: {parent}\n", id(number));
        write!(text, "\n-- migrate:up\n{sql}\n-- migrate:down\nSELECT 1;\n")?;
        Ok(fs::write(self.folder.join("migrations").join(format!("{}.sql", id(number))), text)?)
    }

    fn runner(&self, tools: &Tools, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(tools.runner_program());
        command.current_dir(&self.folder).args(["--database-url", url]).args(arguments);
        command.env("ENVIRONMENT", "test").env("RUNNER_CACHE_DIR", &self.cache);
        command
    }

    /// Forgets what the policies have said, and keeps their native code.
    fn forget(&self) -> Result<()> {
        for entry in fs::read_dir(&self.cache)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "answers") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn id(number: usize) -> String {
    format!("{number:012x}")
}

/// Runs a command whose findings are no failure. Gives the milliseconds it took.
fn timed(mut command: Command) -> Result<f64> {
    let shown = crate::shown(&command);
    let began = Instant::now();
    let status = silent(&mut command).status().with_context(|| format!("`{shown}` can't be started"))?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    match status.code() {
        Some(0 | 1) => Ok(took),
        _ => bail!("`{shown}` failed: {status}"),
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

fn show(name: &str, times: &mut [f64]) -> f64 {
    let median = median(times);
    println!("  {name:44} {median:9.2} ms (least {:.2} ms)", times.first().copied().unwrap_or(0.0));
    median
}

pub(super) fn bench(tools: &Tools, folder: &Path, rounds: usize) -> Result<()> {
    against_squawk(tools, &folder.join("squawk"), rounds)?;
    unchanged(tools, &folder.join("unchanged"), rounds)?;
    one_pending(tools, &folder.join("pending"), rounds * 5)
}

fn against_squawk(tools: &Tools, folder: &Path, rounds: usize) -> Result<()> {
    println!("\nLinting {FILES} files for PostgreSQL");
    let squawk = Cli::install()?;
    let place = Place::new(folder)?;
    let plain = folder.join("plain");
    fs::create_dir_all(&plain)?;
    for number in 0..FILES {
        let sql = statements(number);
        place.revision(number, &sql)?;
        fs::write(plain.join(format!("{number:04}.sql")), sql)?;
    }
    let mut files: Vec<PathBuf> = (0..FILES).map(|number| plain.join(format!("{number:04}.sql"))).collect();
    files.sort();
    let url = "postgres://localhost/not-connected";
    timed(place.runner(tools, url, &["lint"]))?;
    let (mut ours, mut again, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        place.forget()?;
        ours.push(timed(place.runner(tools, url, &["lint"]))?);
        again.push(timed(place.runner(tools, url, &["lint"]))?);
        let mut command = Command::new(squawk.program());
        command.args(&files);
        theirs.push(timed(command)?);
    }
    let ours = show("runner lint, nothing remembered", &mut ours);
    show("runner lint, unchanged", &mut again);
    let theirs = show("squawk", &mut theirs);
    println!("  runner / squawk: {:.2}", ours / theirs);
    Ok(())
}

/// What migrations are made of, in another order for each number.
fn statements(number: usize) -> String {
    const FORMS: [&str; 10] = [
        "CREATE TABLE {t} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, at timestamptz);",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS {t}_name ON {t} (name);",
        "CREATE INDEX {t}_at ON {t} (at);",
        "ALTER TABLE {t} ADD COLUMN email varchar(80);",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_owner FOREIGN KEY (owner) REFERENCES person (id);",
        "ALTER TABLE {t} ALTER COLUMN name TYPE varchar(20);",
        "UPDATE {t} SET name = lower(name) WHERE id < 1000;",
        "INSERT INTO {t} (name) VALUES ('a'), ('b'), ('c');",
        "CREATE FUNCTION f_{t}() RETURNS trigger AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$ LANGUAGE plpgsql;",
        "DROP TABLE IF EXISTS old_{t};",
    ];
    let mut text = String::new();
    for place in 0..3 + number % 17 {
        let form = FORMS[(number * 7 + place * (1 + number % 3)) % FORMS.len()];
        text.push_str(&form.replace("{t}", &format!("t{}", (number * 13 + place) % 200)));
        text.push('\n');
    }
    text
}

fn unchanged(tools: &Tools, folder: &Path, rounds: usize) -> Result<()> {
    println!("\nLinting {LONG} unchanged revisions again");
    let place = Place::new(folder)?;
    for number in 0..LONG {
        place.revision(number, &format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"))?;
    }
    for (name, url) in [("SQLite", "sqlite://runner.db"), ("PostgreSQL", "postgres://localhost/not-connected")] {
        let first = timed(place.runner(tools, url, &["lint"]))?;
        println!("  {:44} {first:9.2} ms", format!("{name}, the first time"));
        let mut times = Vec::new();
        for _ in 0..rounds.max(1) {
            times.push(timed(place.runner(tools, url, &["lint"]))?);
        }
        show(&format!("{name}, again"), &mut times);
    }
    Ok(())
}

fn one_pending(tools: &Tools, folder: &Path, rounds: usize) -> Result<()> {
    println!("\nAn upgrade of one pending revision on SQLite");
    let place = Place::new(folder)?;
    for number in 0..100 {
        place.revision(number, &format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"))?;
    }
    let url = "sqlite://runner.db";
    timed(place.runner(tools, url, &["upgrade", &id(98)]))?;
    let (database, kept) = (folder.join("runner.db"), folder.join("kept.db"));
    fs::copy(&database, &kept)?;
    let (mut with, mut cold, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        let upgrade = |set: &str, times: &mut Vec<f64>| -> Result<()> {
            fs::copy(&kept, &database)?;
            times.push(timed(place.runner(tools, url, &["--plugins", set, "upgrade"]))?);
            Ok(())
        };
        upgrade("without", &mut without)?;
        place.forget()?;
        upgrade("default", &mut cold)?;
        upgrade("default", &mut with)?;
    }
    let cold = show("with lint, nothing remembered", &mut cold);
    let with = show("with lint, remembered", &mut with);
    let without = show("without lint", &mut without);
    println!("  lint: {:.2} ms, remembered {:.2} ms", cold - without, with - without);
    Ok(())
}
