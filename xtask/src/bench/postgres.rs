//! PostgreSQL, on a private server that waits for its disk as any other.

use std::fs::File;
use std::process::Command;
use std::process::Stdio;

use anyhow::Result;
use test_servers::Kind;
use test_servers::Server;
use test_servers::ServerOptions;
use test_servers::TestDatabase;

use super::chains::Chain;
use super::timing;
use super::timing::Contestant;
use super::timing::compare;
use super::tools::Tools;

const CLEAR: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";

/// Times applying a chain, and having nothing to do, against `sqlx` and `psql`.
pub(super) fn bench(tools: &Tools, chain: &Chain, rounds: usize) -> Result<()> {
    test_servers::install_missing()?;
    let server = Server::start(ServerOptions { kind: Kind::Postgres, durable: true });
    let (ours, whole, theirs, shell) = (server.database(), server.database(), server.database(), server.database());
    let shell_whole = server.database();
    let per_run = "[database]\nurl = \"${DATABASE_URL}\"\ntransaction = \"per-run\"\n";
    std::fs::write(chain.folder.join("per-run.toml"), per_run)?;
    let runner = |database: &TestDatabase, configuration: &str| {
        let mut command = tools.runner(chain, "default");
        command.env("DATABASE_URL", database.url()).args(["--config", configuration, "upgrade"]);
        command
    };
    let upgrade = || runner(&ours, "runner.toml");
    let upgrade_whole = || runner(&whole, "per-run.toml");
    let sqlx = || tools.sqlx(chain, &theirs.url());
    let psql_whole = || psql(chain, &shell_whole, "whole.sql");
    let psql = || psql(chain, &shell, "script.sql");
    let clear = |database: &TestDatabase| database.try_execute(CLEAR).map_err(anyhow::Error::from);
    println!("\nApplying {} revisions on {}", chain.revisions, server.version());
    let times = compare(
        rounds,
        &[
            Contestant { name: "runner upgrade", before: &|| clear(&ours), command: &upgrade },
            Contestant { name: "runner upgrade, per-run", before: &|| clear(&whole), command: &upgrade_whole },
            Contestant { name: "sqlx migrate run", before: &|| clear(&theirs), command: &sqlx },
            Contestant { name: "psql -f script", before: &|| clear(&shell), command: &psql },
            Contestant { name: "psql -f, one transaction", before: &|| clear(&shell_whole), command: &psql_whole },
        ],
    )?;
    println!("  runner / sqlx: {:.2}", times[0] / times[2]);
    println!("  runner / psql: {:.2}", times[0] / times[3]);
    println!("  per-run / per-revision: {:.2} (psql: {:.2})", times[1] / times[0], times[4] / times[3]);
    println!("  per-run / psql in one transaction: {:.2}", times[1] / times[4]);
    for (mode, database, command) in
        [("per-revision", &ours, &upgrade as &dyn Fn() -> Command), ("per-run", &whole, &upgrade_whole)]
    {
        clear(database)?;
        if let Some(peak) = timing::peak_memory(&mut command())? {
            println!("  memory of the runner at most, {mode}: {peak:.1} MiB");
        }
    }
    println!("\nUp to date, {} revisions on {}", chain.revisions, server.version());
    timing::once(&mut upgrade())?;
    timing::once(&mut sqlx())?;
    let nothing = || Ok(());
    let times = compare(
        rounds * super::SHORT,
        &[
            Contestant { name: "runner upgrade", before: &nothing, command: &upgrade },
            Contestant { name: "sqlx migrate run", before: &nothing, command: &sqlx },
        ],
    )?;
    println!("  runner / sqlx: {:.2}", times[0] / times[1]);
    Ok(())
}

fn psql(chain: &Chain, database: &TestDatabase, script: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", "-", &database.url()]);
    match File::open(chain.folder.join(script)) {
        Ok(script) => command.stdin(script),
        Err(_) => command.stdin(Stdio::null()),
    };
    command
}
