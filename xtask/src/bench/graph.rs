//! What long and branched chains cost: each command side by side with Alembic's on the same graph, and planning for chains of
//! several lengths.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use anyhow::Result;

use super::timing;
use super::tools::Tools;

/// Revisions of the chain that both tools read, and its merges.
const REVISIONS: usize = 10_000;
const MERGES: usize = 500;
/// Lengths for which planning is timed.
const LENGTHS: [usize; 3] = [1_000, 10_000, 100_000];
/// Alembic takes seconds, so it is not asked more often.
const ROUNDS_OF_ALEMBIC: usize = 2;

/// The same graph in the forms of both tools.
struct Graph {
    folder: PathBuf,
}

impl Graph {
    /// `merges` diamonds one after the other, each with two branches.
    fn write(folder: &Path, revisions: usize, merges: usize, for_alembic: bool) -> Result<Self> {
        fs::create_dir_all(folder.join("migrations"))?;
        fs::write(folder.join("runner.toml"), "[database]\nurl = \"sqlite://runner.db\"\n")?;
        let graph = Graph { folder: folder.to_path_buf() };
        if for_alembic {
            graph.write_environment()?;
        }
        let diamond = revisions / merges;
        let mut number = 0;
        let mut add = |parents: &[usize]| -> Result<usize> {
            graph.write_revision(number, parents)?;
            if for_alembic {
                graph.write_script(number, parents)?;
            }
            number += 1;
            Ok(number - 1)
        };
        let mut tip = add(&[])?;
        while tip + diamond < revisions {
            let (mut left, mut right) = (tip, tip);
            for place in 1..diamond {
                let branch = if place % 2 == 0 { &mut left } else { &mut right };
                *branch = add(&[*branch])?;
            }
            tip = add(&[left, right])?;
        }
        Ok(graph)
    }

    fn write_revision(&self, number: usize, parents: &[usize]) -> Result<()> {
        let parents: Vec<String> = parents.iter().map(|parent| id(*parent)).collect();
        let parents = if parents.is_empty() { "base".to_owned() } else { parents.join(", ") };
        let mut text = format!("-- Create t{number}\n--\n-- Revision ID: {}\n-- Revises: {parents}\n", id(number));
        write!(
            text,
            "\n-- migrate:up\nCREATE TABLE t{number} (id INTEGER PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE t{number};\n"
        )?;
        Ok(fs::write(self.folder.join("migrations").join(format!("{}.sql", id(number))), text)?)
    }

    fn write_environment(&self) -> Result<()> {
        let folder = self.folder.join("alembic");
        fs::create_dir_all(folder.join("versions"))?;
        fs::write(self.folder.join("alembic.ini"), "[alembic]\nscript_location = %(here)s/alembic\n")?;
        fs::write(folder.join("script.py.mako"), "")?;
        let environment = "\
from alembic import context
from sqlalchemy import create_engine

with create_engine(\"sqlite:///alembic.db\").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
";
        Ok(fs::write(folder.join("env.py"), environment)?)
    }

    fn write_script(&self, number: usize, parents: &[usize]) -> Result<()> {
        let quoted: Vec<String> = parents.iter().map(|parent| format!("\"{}\"", id(*parent))).collect();
        let down = match &quoted[..] {
            [] => "None".to_owned(),
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let text = format!(
            "\"\"\"Create t{number}\"\"\"\nfrom alembic import op\n\nrevision = \"{}\"\ndown_revision = {down}\n\n\n\
             def upgrade():\n    op.execute(\"CREATE TABLE t{number} (id INTEGER PRIMARY KEY)\")\n\n\n\
             def downgrade():\n    op.execute(\"DROP TABLE t{number}\")\n",
            id(number)
        );
        Ok(fs::write(self.folder.join("alembic/versions").join(format!("{}.py", id(number))), text)?)
    }

    fn runner(&self, tools: &Tools, arguments: &[&str]) -> Command {
        let mut command = Command::new(tools.runner_program());
        command.current_dir(&self.folder).args(arguments).env("ENVIRONMENT", "test");
        command
    }

    fn alembic(&self, python: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(python);
        command.current_dir(&self.folder).args(["-m", "alembic"]).args(arguments);
        command
    }
}

/// Spread, so that the order of the identifiers is not that of the graph.
fn id(number: usize) -> String {
    format!("{:012x}", (number * 2_654_435_761) % (1 << 48))
}

pub(super) fn bench(tools: &Tools, folder: &Path, rounds: usize) -> Result<()> {
    test_toolchains::install_missing()?;
    let python = test_toolchains::alembic()?;
    println!("\nA chain of {REVISIONS} revisions with {MERGES} merges");
    let graph = Graph::write(&folder.join("both"), REVISIONS, MERGES, true)?;
    timing::once(&mut graph.runner(tools, &["stamp", "heads"]))?;
    timing::once(&mut graph.alembic(&python, &["stamp", "heads"]))?;
    for (name, ours, theirs) in [
        ("heads", &["heads"][..], Some(&["heads"][..])),
        ("history", &["history"], Some(&["history"])),
        ("current", &["current"], Some(&["current"])),
        ("plan", &["plan"], None),
        ("upgrade, up to date", &["upgrade"], Some(&["upgrade", "heads"])),
    ] {
        let ours = || graph.runner(tools, ours);
        let contestant = timing::Contestant { name: &format!("runner {name}"), before: &|| Ok(()), command: &ours };
        let took = timing::compare(rounds, &[contestant])?;
        if let Some(theirs) = theirs {
            let theirs = || graph.alembic(&python, theirs);
            let name = format!("alembic {name}");
            let contestant = timing::Contestant { name: &name, before: &|| Ok(()), command: &theirs };
            let alembic = timing::compare(ROUNDS_OF_ALEMBIC, &[contestant])?;
            println!("  alembic / runner: {:.0}", alembic[0] / took[0]);
        }
    }
    println!("\nPlanning everything, on nothing");
    for length in LENGTHS {
        let graph = Graph::write(&folder.join(length.to_string()), length, length / 20, false)?;
        let plan = || graph.runner(tools, &["--plugins", "none", "plan", "--json"]);
        fs::write(
            graph.folder.join("runner.toml"),
            "[database]\nurl = \"sqlite://runner.db\"\n[plugin-sets.none]\nplugins = []\n",
        )?;
        let name = format!("{length} revisions");
        let contestant = timing::Contestant { name: &name, before: &|| Ok(()), command: &plan };
        let took = timing::compare(rounds, &[contestant])?;
        println!("  {:.1} µs a revision", took.first().context("it was timed")? * 1_000_000.0 / length as f64);
    }
    Ok(())
}
