//! From what a case says to what the policy is asked.

use std::fmt::Write as _;

use jiff::Timestamp;
use runner_chain::Dialect;
use runner_chain::EnvironmentTag;
use runner_policy::Identity;
use runner_policy::LintMatter;
use runner_policy::Request;
use runner_policy::data;
use sha2::Digest as _;
use sha2::Sha256;
use toml::value::Datetime;

use super::file;
use super::file::Case;
use super::file::Operation;
use super::file::Written;
use super::text_or::TextOr;
use crate::bounded;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline::alone;
use crate::pipeline::request;
use crate::recorded;
use crate::recorded::Recorded;

/// What the policy is asked, but for what the environment is, and the facts that it may ask for.
pub(super) fn recorded_of(case: &Case) -> Result<Recorded> {
    let recorded = match &case.written.request {
        Some(file) => recorded_request(case, file)?,
        None => Recorded { request: written_request(case)?, facts: None },
    };
    match &case.written.facts {
        Some(written) => {
            let facts = written.data(|written| moment(case, "finished", written))?;
            Ok(Recorded { facts: Some(facts), ..recorded })
        }
        None => Ok(recorded),
    }
}

/// The environment that a case names, if a policy must say what it is.
pub(super) fn environment(written: &Written) -> Option<data::Environment> {
    written.environment.as_ref().map(|environment| match environment {
        TextOr::Text(name) => data::Environment { name: name.clone(), level: None, production: None },
        TextOr::Table(table) => {
            data::Environment { name: table.name.clone(), level: table.level, production: table.production }
        }
    })
}

/// Whether a policy is to say what the environment is.
pub(super) fn is_named_only(written: &Written) -> bool {
    match &written.environment {
        Some(TextOr::Text(_)) => true,
        Some(TextOr::Table(_)) => false,
        None => written.request.is_none(),
    }
}

/// The request with what a policy says of its environment.
pub(super) fn identified(mut request: Request, identity: &Identity) -> Request {
    request.context.environment =
        data::Environment { name: identity.name.clone(), level: identity.level, production: identity.production };
    request
}

fn recorded_request(case: &Case, file: &str) -> Result<Recorded> {
    let path = case.folder.join(file);
    if path.exists() && !path.is_file() {
        return Err(case.wrong(format!("the recorded request `{file}` is not a regular file")));
    }
    let Recorded { mut request, facts } = recorded::read(&path.display().to_string())
        .map_err(|error| case.wrong(error.to_string()).maybe_help(error.hints().first().cloned()))?;
    let written = &case.written;
    let context = &mut request.context;
    if let Some(operation) = written.operation {
        context.operation = operation_of(operation);
    }
    if let Some(environment) = environment(written) {
        context.environment = environment;
    }
    if let Some(actor) = &written.actor {
        context.actor = actor_of(actor);
    }
    if written.now.is_some() {
        context.now = now(case)?;
    }
    context.dry_run = written.dry_run.unwrap_or(context.dry_run);
    replace(&mut context.target.name, written.target.as_ref());
    replace(&mut context.target.server_version, written.server_version.as_ref());
    replace(&mut request.plan.hash, written.plan_hash.as_ref());
    Ok(Recorded { request, facts })
}

fn replace(text: &mut String, by: Option<&String>) {
    if let Some(by) = by {
        text.clone_from(by);
    }
}

fn written_request(case: &Case) -> Result<Request> {
    let written = &case.written;
    let operation = written.operation.unwrap_or(Operation::Upgrade);
    let mut steps = Vec::new();
    let (mut sources, mut surroundings) = (Vec::new(), Vec::new());
    for (number, entry) in entries(written).into_iter().enumerate() {
        let planned = planned(case, operation, number, &entry, &steps)?;
        steps.push(planned.0);
        sources.push(planned.1);
        surroundings.push(planned.2);
    }
    if operation == Operation::Stamp {
        sources.clear();
        surroundings.clear();
        steps.iter_mut().for_each(|step| step.statements.clear());
    }
    let (dialect, name, version) = match written.dialect {
        None | Some(file::Dialect::Sqlite) => (data::Dialect::Sqlite, "sqlite://app.db", "3.50.0"),
        Some(file::Dialect::Postgres) => (data::Dialect::Postgres, "postgres://localhost/app", "17.0"),
        Some(file::Dialect::Mysql) => (data::Dialect::Mysql, "mysql://localhost/app", "11.4.0"),
    };
    let or = |given: Option<&String>, default: &str| given.cloned().unwrap_or_else(|| default.to_owned());
    let unnamed = || data::Environment { name: "development".to_owned(), level: None, production: None };
    let nobody = || data::Actor { name: "tester".to_owned(), host: "testhost".to_owned() };
    let context = data::Context {
        operation: operation_of(operation),
        dry_run: written.dry_run.unwrap_or(false),
        now: now(case)?,
        actor: written.actor.as_ref().map_or_else(nobody, actor_of),
        target: data::Target {
            dialect,
            name: or(written.target.as_ref(), name),
            server_version: or(written.server_version.as_ref(), version),
        },
        environment: environment(written).unwrap_or_else(unnamed),
        settings: "{}".to_owned(),
        variables: Vec::new(),
    };
    let hash = written.plan_hash.clone().unwrap_or_else(|| hash(&steps));
    let lint = LintMatter { surroundings, ..LintMatter::default() };
    Ok(Request { context, plan: data::Plan { hash, steps }, applied: applied(case)?, sources, lint })
}

/// A hash that follows from the steps, so that randomness that is seeded from it is the same every time.
fn hash(steps: &[data::Step]) -> String {
    let steps = serde_json::to_vec(steps).unwrap_or_default();
    Sha256::digest(steps).iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

fn entries(written: &Written) -> Vec<file::Revision> {
    if written.up.is_some() || written.down.is_some() {
        let (up, down) = (written.up.clone(), written.down.clone());
        return vec![file::Revision { up, down, ..file::Revision::default() }];
    }
    let entries = written.revisions.iter().flatten();
    entries
        .map(|entry| match entry {
            TextOr::Text(path) => file::Revision { path: Some(path.clone()), ..file::Revision::default() },
            TextOr::Table(table) => table.clone(),
        })
        .collect()
}

fn operation_of(operation: Operation) -> data::Operation {
    match operation {
        Operation::Upgrade => data::Operation::Upgrade,
        Operation::Downgrade => data::Operation::Downgrade,
        Operation::Stamp => data::Operation::Stamp,
        Operation::Rollback => data::Operation::Rollback,
        Operation::Restore => data::Operation::Restore,
    }
}

fn actor_of(actor: &TextOr<file::Actor>) -> data::Actor {
    let (name, host) = match actor {
        TextOr::Text(name) => (name, None),
        TextOr::Table(table) => (&table.name, table.host.clone()),
    };
    data::Actor { name: name.clone(), host: host.unwrap_or_else(|| "testhost".to_owned()) }
}

fn now(case: &Case) -> Result<data::Timestamp> {
    match &case.written.now {
        Some(written) => moment(case, "now", written),
        // 2026-01-01T00:00:00Z
        None => Ok(data::Timestamp { seconds: 1_767_225_600, nanoseconds: 0 }),
    }
}

/// A point in time that a case writes under a key.
fn moment(case: &Case, key: &str, written: &Datetime) -> Result<data::Timestamp> {
    let moment: Timestamp = written.to_string().parse().map_err(|_| {
        case.wrong(format!("`{key} = {written}` is no point in time"))
            .help(format!("write date, time and offset from UTC, as in `{key} = 2026-01-01T00:00:00Z`"))
    })?;
    let nanoseconds = moment.as_nanosecond();
    let (seconds, rest) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
    Ok(data::Timestamp {
        seconds: i64::try_from(seconds).unwrap_or_default(),
        nanoseconds: u32::try_from(rest).unwrap_or_default(),
    })
}

fn applied(case: &Case) -> Result<Vec<data::AppliedRevision>> {
    let entries = case.written.applied.iter().flatten();
    entries
        .map(|entry| {
            let (id, env, recorded) = match entry {
                TextOr::Text(id) => (id, None, None),
                TextOr::Table(table) => (&table.id, table.env.as_deref(), table.recorded),
            };
            Ok(data::AppliedRevision {
                id: id.clone(),
                environments: tags(case, env.unwrap_or_default())?,
                recorded: recorded.map_or(data::Recorded::Applied, file::Recorded::data),
            })
        })
        .collect()
}

fn tags(case: &Case, written: &str) -> Result<Vec<data::EnvironmentTag>> {
    let tags = written.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    tags.map(|tag| {
        let parsed = tag.parse::<EnvironmentTag>().map_err(|error| case.wrong(error.to_string()))?;
        Ok(request::tag(&parsed))
    })
    .collect()
}

/// A step of the plan, and what lint policies read of it.
fn planned(
    case: &Case,
    operation: Operation,
    number: usize,
    entry: &file::Revision,
    before: &[data::Step],
) -> Result<(data::Step, data::LintSource, data::Surroundings)> {
    let revision = revision(case, number, entry, before)?;
    let dialect = match case.written.dialect {
        None | Some(file::Dialect::Sqlite) => Dialect::Sqlite,
        Some(file::Dialect::Postgres) => Dialect::Postgres,
        Some(file::Dialect::Mysql) => Dialect::Mysql,
    };
    let split = |direction: runner_chain::Direction| -> Result<Option<Vec<data::Statement>>> {
        let Some(section) = revision.run(direction, dialect) else { return Ok(None) };
        let statements = section.statements(dialect).map_err(|error| {
            let (line, column) = error.place();
            case.wrong(format!("{}:{line}:{column}: {error}", revision.file)).maybe_help(error.help())
        })?;
        Ok(Some(statements.iter().map(request::statement).collect()))
    };
    let up = split(runner_chain::Direction::Up)?;
    let down = split(runner_chain::Direction::Down)?;
    let is_down = match entry.direction {
        Some(direction) => direction == file::Direction::Down,
        None => matches!(operation, Operation::Downgrade | Operation::Rollback),
    };
    let statements = if is_down { &down } else { &up };
    let described = request::described(&revision, revision.depends_on.clone());
    let step = data::Step {
        revision: described.clone(),
        direction: if is_down { data::Direction::Down } else { data::Direction::Up },
        statements: statements.clone().unwrap_or_default(),
        recorded: is_down.then(|| entry.recorded.map_or(data::Recorded::Applied, file::Recorded::data)),
        skipped: entry.skipped.unwrap_or(false),
    };
    let source = data::LintSource {
        revision: described,
        text: revision.source().to_owned(),
        up: up.unwrap_or_default(),
        down,
        planned: true,
    };
    Ok((step, source, alone(&revision)))
}

/// The revision that an entry describes or names.
fn revision(
    case: &Case,
    number: usize,
    entry: &file::Revision,
    before: &[data::Step],
) -> Result<runner_chain::Revision> {
    let is_short = entry.up.is_some() || entry.down.is_some();
    let ways = [is_short, entry.text.is_some(), entry.path.is_some()];
    let place = || format!("entry {} of `revisions`", number + 1);
    if ways.iter().filter(|given| **given).count() > 1 {
        return Err(case.wrong(format!("{}: `up` and `down`, `text`, and `path` exclude each other", place())));
    }
    let has_header = [
        entry.id.is_some(),
        entry.title.is_some(),
        entry.parents.is_some(),
        entry.depends_on.is_some(),
        entry.labels.is_some(),
        entry.env.is_some(),
        entry.transaction.is_some(),
    ];
    if (entry.text.is_some() || entry.path.is_some()) && has_header.contains(&true) {
        let what = if entry.text.is_some() { "text" } else { "path" };
        return Err(case.wrong(format!("{}: with `{what}`, the header of the file says the rest", place())));
    }
    let id = entry.id.clone().unwrap_or_else(|| format!("r{:04}", number + 1));
    let named = || entry.file.clone().unwrap_or_else(|| format!("migrations/{id}.sql"));
    let (file, text) = match (&entry.path, &entry.text) {
        (Some(path), _) => {
            let read = bounded::file(&case.folder.join(path))
                .map_err(|error| case.wrong(format!("the revision file `{path}` can't be read: {error}")))?;
            (entry.file.clone().unwrap_or_else(|| path.clone()), read)
        }
        (None, Some(text)) => (named(), text.clone().into_bytes()),
        (None, None) => (named(), short(entry, &id, before).into_bytes()),
    };
    runner_chain::parse_revision(&file, &text).map_err(|problems| {
        Error::new(ErrorKind::Configuration, format!("the case `{}` can't be asked: {} is wrong", case.name, place()))
            .at(problems)
    })
}

/// The short form as a file. The header always has the same lines, so that lines of the SQL are known.
fn short(entry: &file::Revision, id: &str, before: &[data::Step]) -> String {
    let list = |names: Option<&Vec<String>>| names.map(|names| names.join(", ")).unwrap_or_default();
    let parent = before.last().map(|step| step.revision.id.clone());
    let parents = match &entry.parents {
        Some(parents) if parents.is_empty() => "base".to_owned(),
        Some(parents) => parents.join(", "),
        None => parent.unwrap_or_else(|| "base".to_owned()),
    };
    let title = entry.title.clone().unwrap_or_else(|| format!("Revision {id}"));
    let up = entry.up.as_deref().unwrap_or_default().trim_end();
    let mut text = format!(
        "-- {title}\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n-- Env: {env}\n-- Depends On: {depends_on}\n\
         -- Branch Labels: {labels}\n-- Transaction: {transaction}\n-- migrate:up\n{up}\n",
        env = entry.env.as_deref().unwrap_or_default(),
        depends_on = list(entry.depends_on.as_ref()),
        labels = list(entry.labels.as_ref()),
        transaction = if entry.transaction == Some(false) { "off" } else { "on" },
    );
    if let Some(down) = &entry.down {
        let _ = write!(text, "\n-- migrate:down\n{}\n", down.trim_end());
    }
    text
}
