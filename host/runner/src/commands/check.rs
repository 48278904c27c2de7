//! `runner check`

use runner_chain::Chain;
use runner_database::Access;
use runner_database::LedgerCheck;
use runner_database::Session;
use runner_database::State;
use serde::Serialize;

use crate::args::Global;
use crate::config::Config;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::Drift;
use crate::pipeline::load_chain;
use crate::pipeline::versions;

/// Check files and database, for CI
///
/// Files are valid, there is one head, the database is up to date, no applied revision was edited or removed, and the
/// ledger is intact. Writes nothing. Exits with 4 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner check                   files and database
  runner check --files           files alone, no database is needed
  runner check --json")]
pub(crate) struct Args {
    /// Leave the database alone
    #[arg(long)]
    files: bool,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    message: String,
}

#[derive(Debug, Serialize)]
struct Checks {
    ok: bool,
    checks: Vec<Check>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let mut checks = Vec::new();
        match load_chain(&config) {
            Ok(chain) => {
                checks.push(passed(
                    "files",
                    match chain.len() {
                        1 => "1 revision is valid".to_owned(),
                        count => format!("{count} revisions are valid"),
                    },
                ));
                checks.push(one_head(&chain));
                if !self.files {
                    database(&config, &chain, &mut checks).await?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Chain => {
                checks.push(failed("files", error.to_string()));
                // With `--json` the problems go to stderr, the document holds the summary.
                printer.problems(&error);
            }
            Err(error) => return Err(error),
        }
        for check in &checks {
            let tick = if check.ok { Style::Good.paint("ok    ") } else { Style::Bad.paint("failed") };
            printer.line(format_args!("{tick}  {:<10}  {}", check.name, check.message));
        }
        let ok = checks.iter().all(|check| check.ok);
        printer.document(&Checks { ok, checks });
        Ok(if ok { exit::DONE } else { exit::PROBLEMS })
    }
}

fn passed(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, ok: true, message: message.into() }
}

fn failed(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, ok: false, message: message.into() }
}

fn one_head(chain: &Chain) -> Check {
    let heads: Vec<String> = chain.heads().map(|head| format!("`{}`", head.id)).collect();
    match heads.as_slice() {
        [head] => passed("one head", head.clone()),
        heads => failed("one head", format!("there are {}: {}; a merge is missing", heads.len(), heads.join(", "))),
    }
}

async fn database(config: &Config, chain: &Chain, checks: &mut Vec<Check>) -> Result<()> {
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let state = session.state().await?;
    let versions = versions(&state)?;
    let drift = Drift::between(chain, &state, &versions);
    checks.push(match drift.refuse(config).and_then(|()| drift.lost_rows().map_or(Ok(()), Err)) {
        Err(error) => failed("unchanged", error.to_string()),
        Ok(()) => match drift.warnings().as_slice() {
            [] => passed("unchanged", "no applied revision was edited or removed"),
            warnings => passed("unchanged", warnings.join("; ")),
        },
    });
    if drift.unknown.is_empty() {
        let pending = chain.len() - chain.applied(&versions)?.len();
        checks.push(match pending {
            0 => passed("up to date", "every revision is applied"),
            pending => failed("up to date", format!("{pending} of {} revisions are pending", chain.len())),
        });
    } else {
        checks.push(failed("up to date", "the database is ahead of the files"));
    }
    checks.push(half_done(&state));
    checks.push(match session.verify_ledger().await? {
        LedgerCheck::Intact { .. } => passed("ledger", "its rows follow from each other"),
        LedgerCheck::Damaged { id, reason } => failed("ledger", format!("row {id} is damaged: {reason}")),
    });
    session.close().await?;
    Ok(())
}

fn half_done(state: &State) -> Check {
    match state.dirty.first() {
        None => passed("complete", "no revision is half-way done"),
        Some(dirty) => failed(
            "complete",
            format!(
                "`{}` is half-way {}: {} of {} statements are done",
                dirty.revision, dirty.direction, dirty.statements_done, dirty.statements_total
            ),
        ),
    }
}
