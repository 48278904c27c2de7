//! Saving tables of a target.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use runner_backup::Backup;
use runner_backup::Column;
use runner_backup::Compression;
use runner_backup::Draft;
use runner_backup::Encryption;
use runner_backup::FORMAT;
use runner_backup::Folder;
use runner_backup::Kind;
use runner_backup::Manifest;
use runner_backup::Method;
use runner_backup::Part;
use runner_backup::SavedAs;
use runner_backup::Scope;
use runner_backup::Target;
use runner_database::Dialect;
use runner_database::Form;
use runner_database::Reading;
use runner_database::Rows;
use runner_database::Session;
use runner_database::Table;
use runner_database::TableColumn;

use super::affected::Extent;
use super::keys;
use super::rows::Hear;
use super::rows::IntoMember;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;
use crate::pipeline;

/// Nobody waits longer to know how long it takes.
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// What is said about a backup besides its contents.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The name, or nothing for one made of the time.
    pub(crate) name: Option<String>,
    /// Why, as text.
    pub(crate) reason: String,
    /// Version rows now.
    pub(crate) before: Vec<String>,
    /// Version rows after what it is made for.
    pub(crate) after: Option<Vec<String>>,
    /// The hash of the plan it is made for.
    pub(crate) plan_hash: Option<String>,
    /// The run it is made for.
    pub(crate) run: Option<String>,
    /// The environment, as far as it is known.
    pub(crate) environment: String,
}

/// A name that sorts by time and says where the database is.
fn name_of(about: &About) -> String {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string();
    let revision = about.before.first().map_or("base", String::as_str);
    let millis = Timestamp::now().subsec_millisecond();
    format!("{time}{millis:03}-{revision}")
}

/// The folder of backups.
pub(crate) fn folder(config: &Config) -> Result<Folder> {
    Ok(Folder::new(&config.backup()?.folder))
}

/// Begins a backup, and removes what dead processes have left.
pub(crate) fn begin(config: &Config, about: &About) -> Result<Draft> {
    let settings = config.backup()?;
    let folder = folder(config)?;
    folder.sweep()?;
    let name = about.name.clone().unwrap_or_else(|| name_of(about));
    Ok(folder.begin(&name, keys::protection(settings)?)?)
}

/// Saves tables, or parts of them, as they are at one moment.
pub(crate) async fn save(
    config: &Config,
    session: &mut Session,
    about: &About,
    scope: Scope,
    choose: impl FnOnce(&[Table]) -> Result<BTreeMap<usize, Extent>>,
    transfer: &mut dyn Transfer,
) -> Result<Option<Backup>> {
    let draft = begin(config, about)?;
    let (server, dialect) = (session.server().clone(), session.dialect());
    let mut reading = session.read().await?;
    let tables = reading.tables().await?;
    let chosen = choose(&tables)?;
    if chosen.is_empty() && scope == Scope::Affected {
        reading.finish().await?;
        return Ok(None);
    }
    let mut total = 0;
    for table in chosen.keys().filter_map(|index| tables.get(*index)) {
        total += expected_rows(&mut reading, table, dialect).await?;
    }
    transfer.begin(draft.name(), total);
    let mut saved = Vec::with_capacity(chosen.len());
    for (index, extent) in &chosen {
        let Some(table) = tables.get(*index) else { continue };
        saved.push(save_table(&mut reading, &draft, table, extent, transfer).await?);
    }
    reading.finish().await?;
    transfer.end();
    let manifest = manifest(config, about, scope, Method::Rows, &server, saved)?;
    // Syncing takes as long as the disk takes.
    let finished = tokio::task::spawn_blocking(move || draft.finish(manifest)).await;
    let finished = finished.map_err(|error| Error::new(ErrorKind::Io, format!("a thread was cut off: {error}")))?;
    Ok(Some(finished?))
}

/// How many rows a table has by all accounts. SQLite keeps none, and counts faster than it reads; 0 if that takes too long.
async fn expected_rows(reading: &mut Reading<'_>, table: &Table, dialect: Dialect) -> Result<u64> {
    if table.rows_estimate.is_some() || dialect != Dialect::Sqlite {
        return Ok(table.rows_estimate.unwrap_or_default());
    }
    let sql = format!("SELECT CAST(count(*) AS TEXT) FROM {}", table.sql_name(dialect));
    let answer = reading.ask(sql, COUNT_LIMIT).await?.into_iter().flatten().flatten().flatten().next();
    Ok(answer.and_then(|count| count.parse().ok()).unwrap_or_default())
}

/// The manifest of a backup whose members are written.
pub(crate) fn manifest(
    config: &Config,
    about: &About,
    scope: Scope,
    method: Method,
    server: &runner_database::Server,
    tables: Vec<runner_backup::Table>,
) -> Result<Manifest> {
    let url = config.database_url()?;
    Ok(Manifest {
        format: FORMAT,
        name: String::new(),
        created: Timestamp::now(),
        tool: concat!("runner ", env!("CARGO_PKG_VERSION")).to_owned(),
        scope,
        method,
        reason: about.reason.clone(),
        actor: pipeline::actor(),
        host: pipeline::host(),
        target: Target {
            dialect: url.dialect().to_string(),
            product: server.product.clone(),
            version: server.version.clone(),
            name: url.to_string(),
        },
        environment: about.environment.clone(),
        revisions_before: about.before.clone(),
        revisions_after: about.after.clone(),
        plan_hash: about.plan_hash.clone(),
        run: about.run.clone(),
        encryption: Encryption::default(),
        compression: Compression::default(),
        consistency: "all tables as they were at one moment, in one transaction".to_owned(),
        tables,
        applied: Vec::new(),
        ledger: None,
        members: Vec::new(),
    })
}

async fn save_table(
    reading: &mut Reading<'_>,
    draft: &Draft,
    table: &Table,
    extent: &Extent,
    transfer: &mut dyn Transfer,
) -> Result<runner_backup::Table> {
    let is_saved = |column: &TableColumn| match extent {
        Extent::Whole => true,
        Extent::Columns(columns) => columns.contains(&column.name) || table.key.contains(&column.name),
    };
    let columns: Vec<TableColumn> = table.stored().filter(|column| is_saved(column)).cloned().collect();
    let name = table.full_name().to_string();
    transfer.table(&name);
    let mut hear = |rows, bytes| transfer.passed(rows, bytes);
    let hear: &mut Hear<'_> = &mut hear;
    let mut sink = IntoMember::begin(draft.member(&name, Kind::Rows)?, hear);
    let read = reading.rows(Rows { table, columns: &columns }, &mut sink).await;
    let (member, digest) = sink.finish(read).await?;
    Ok(runner_backup::Table {
        schema: table.schema.clone(),
        name: table.name.clone(),
        part: match extent {
            Extent::Whole => Part::Rows,
            Extent::Columns(_) => Part::Columns,
        },
        columns: columns.iter().map(saved_column).collect(),
        key: table.key.clone(),
        rows: digest.rows(),
        digest: digest.to_string(),
        member: member.file,
        create: table.create.clone(),
        complete: table.complete.clone(),
        connect: table.connect.clone(),
        counters: table.counters.clone(),
    })
}

pub(super) fn saved_column(column: &TableColumn) -> Column {
    Column {
        name: column.name.clone(),
        kind: column.kind.clone(),
        saved_as: match column.form {
            Form::Text => SavedAs::Text,
            Form::Hex => SavedAs::Hex,
            Form::Literal => SavedAs::Literal,
        },
        generated: column.is_generated,
    }
}
