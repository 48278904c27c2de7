//! `runner status`

use runner_database::Access;
use runner_database::Holder;
use runner_database::LedgerRow;
use runner_database::Session;
use runner_database::State;
use runner_policy::Identity;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::data::Operation;
use serde_json::Value;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;
use crate::pipeline::Drift;
use crate::pipeline::load_chain;
use crate::pipeline::outbox;
use crate::pipeline::outbox::Outbox;
use crate::pipeline::plugin_set;
use crate::pipeline::policy_context;
use crate::pipeline::policy_host;
use crate::pipeline::versions;

/// Show how things stand: what is applied, what is pending, who holds the lock, which messages wait
///
/// Writes nothing. Exits with 4 if something is wrong: files and database contradict each other, a revision is half-done, or
/// a message was given up. Pending revisions and waiting messages are not wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner status
  runner status --json | jq .pending")]
pub(crate) struct Args {}

/// What is found.
struct Found {
    server: String,
    current: Vec<String>,
    heads: Vec<String>,
    /// `None`: files and database contradict each other.
    pending: Option<usize>,
    last: Option<LedgerRow>,
    state: State,
    holder: Option<Holder>,
    outbox: Outbox,
    problems: Vec<String>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let url = config.database_url()?;
        let (identity, found) = tokio::join!(identify(&config), look(&config));
        let (identity, found) = (identity?, found?);
        let level = identity.level.map_or_else(|| "level unknown".to_owned(), |level| format!("level {level}"));
        let mut table = Table::new();
        table.row(["target".to_owned(), url.to_string()]);
        table.row(["server".to_owned(), found.server.clone()]);
        table.row(["environment".to_owned(), format!("{} ({level})", identity.name)]);
        table.row(["current".to_owned(), or_none(&found.current)]);
        table.row(["heads".to_owned(), or_none(&found.heads)]);
        table.row(["pending".to_owned(), pending(&found)]);
        table.row(["last run".to_owned(), found.last.as_ref().map_or_else(|| "none".to_owned(), last_run)]);
        table.row(["lock".to_owned(), found.holder.as_ref().map_or_else(|| "free".to_owned(), held)]);
        table.row(["messages".to_owned(), messages(&found.outbox)]);
        for line in table.lines() {
            printer.line(line);
        }
        for problem in &found.problems {
            printer.line(format_args!("{}  {problem}", Style::Bad.paint("problem")));
        }
        for problem in &found.outbox.problems {
            printer.warn(problem);
        }
        printer.document(&document(&config, &identity, &found));
        Ok(if found.problems.is_empty() { exit::DONE } else { exit::PROBLEMS })
    }
}

async fn identify(config: &Config) -> Result<Identity> {
    let context = policy_context(config, Operation::Upgrade, true, config.database_url().ok());
    let policies = Policies::load(&policy_host(), &plugin_set(config).await?, &[Role::Environment]).await;
    Ok(policies.identify(&context).await)
}

async fn look(config: &Config) -> Result<Found> {
    let chain = load_chain(config)?;
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let state = session.state().await?;
    let last = session.ledger(Some(1)).await?.into_iter().next();
    let holder = session.holder().await?;
    let outbox = outbox::read(config, Some(&mut session)).await;
    let server = format!("{} {}", session.server().product, session.server().version);
    session.close().await?;
    let versions = versions(&state)?;
    let drift = Drift::between(&chain, &state, &versions);
    let mut problems = Vec::new();
    let contradiction = drift.refuse(config).and_then(|()| drift.lost_rows().map_or(Ok(()), Err));
    problems.extend(contradiction.err().map(|error: Error| error.to_string()));
    for dirty in &state.dirty {
        problems.push(format!(
            "revision `{}` is half-way {}: {} of {} statements are done",
            dirty.revision, dirty.direction, dirty.statements_done, dirty.statements_total
        ));
    }
    match outbox.dead().count() {
        0 => {}
        1 => problems.push("a message was given up; `runner notify list` says why".to_owned()),
        count => problems.push(format!("{count} messages were given up; `runner notify list` says why")),
    }
    Ok(Found {
        server,
        current: versions.iter().map(ToString::to_string).collect(),
        heads: chain.heads().map(|head| head.id.to_string()).collect(),
        pending: chain.applied(&versions).ok().map(|applied| chain.len() - applied.len()),
        last,
        state,
        holder,
        outbox,
        problems,
    })
}

fn or_none(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

fn pending(found: &Found) -> String {
    match found.pending {
        None => "unknown".to_owned(),
        Some(0) => "none".to_owned(),
        Some(1) => "1 revision".to_owned(),
        Some(count) => format!("{count} revisions"),
    }
}

/// The ledger's last row tells how the last run ended, as far as it got.
fn outcome(row: &LedgerRow) -> &str {
    match row.status.as_str() {
        "failed" => "failed",
        "started" | "progress" => "unfinished",
        _ => "done",
    }
}

fn last_run(row: &LedgerRow) -> String {
    let when = row.finished_at.as_ref().unwrap_or(&row.started_at);
    let text =
        format!("{} {} in {}, {when}, by {}@{}", row.command, outcome(row), row.environment, row.actor, row.host);
    runner_policy::printable(&text)
}

fn held(holder: &Holder) -> String {
    runner_policy::printable(&format!("held by {holder}"))
}

fn messages(outbox: &Outbox) -> String {
    let (waiting, dead) = (outbox.waiting().count(), outbox.dead().count());
    let oldest = outbox.messages.first().map(|message| format!(", the oldest since {}", message.created_at));
    match (waiting, dead) {
        (0, 0) => "none waiting".to_owned(),
        (waiting, 0) => format!("{waiting} waiting{}", oldest.unwrap_or_default()),
        (waiting, dead) => format!("{waiting} waiting, {dead} given up{}", oldest.unwrap_or_default()),
    }
}

fn document(config: &Config, identity: &Identity, found: &Found) -> Value {
    let url = config.database_url().ok();
    let count = |channel: &str, is_dead: bool| {
        let here = |message: &&outbox::Waiting| message.channel == channel && message.is_dead == is_dead;
        found.outbox.messages.iter().filter(here).count()
    };
    let mut names: Vec<&str> = found.outbox.messages.iter().map(|message| message.channel.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    json!({
        "target": {
            "dialect": url.map(|url| url.dialect().to_string()), "name": url.map(ToString::to_string),
            "server": found.server,
        },
        "environment": { "name": identity.name, "level": identity.level, "production": identity.production },
        "current": found.current,
        "heads": found.heads,
        "pending": found.pending,
        "last_run": found.last.as_ref().map(|row| json!({
            "run_id": row.run_id, "command": row.command, "environment": row.environment, "outcome": outcome(row),
            "started_at": row.started_at, "finished_at": row.finished_at, "actor": row.actor, "host": row.host,
        })),
        "half_done": found.state.dirty.iter().map(|dirty| json!({
            "revision": dirty.revision, "direction": dirty.direction.as_str(),
            "statements_done": dirty.statements_done, "statements_total": dirty.statements_total,
        })).collect::<Vec<_>>(),
        "lock": found.holder.as_ref().map(held),
        "messages": {
            "waiting": found.outbox.waiting().count(),
            "dead": found.outbox.dead().count(),
            "oldest": found.outbox.messages.first().map(|message| &message.created_at),
            "channels": names.iter().map(|name| json!({
                "channel": name, "waiting": count(name, false), "dead": count(name, true),
            })).collect::<Vec<_>>(),
        },
        "problems": found.problems,
        "ok": found.problems.is_empty(),
    })
}
