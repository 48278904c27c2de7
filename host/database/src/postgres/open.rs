//! Connecting, and making sure that the server is one that can be worked with.

use sqlx::postgres::PgRow;

use crate::backend::Backend;
use crate::backend::Server;
use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::options::TableName;
use crate::session::Access;
use crate::url::DatabaseUrl;

use super::Postgres;
use super::books::Books;
use super::connect::Settings;
use super::failures;
use super::link::Link;
use super::link::ServerProcess;
use super::link::required;
use super::link::text;
use super::literal::literal;

/// The first major version with everything that is needed: `ROLLBACK AND CHAIN` came with 12.
const OLDEST: u32 = 12;

/// What a server says of itself.
struct About {
    /// The full text, which begins with the product.
    product: String,
    version: String,
    major: u32,
    database: String,
    is_standby: bool,
    is_read_only: bool,
    role: String,
    /// The schema for tables without one of their own; `None` if there is no such schema.
    schema: Option<String>,
}

/// Connects to the server. Nothing of the session is changed: behind a pooler, others would inherit it.
pub(crate) async fn open(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Box<dyn Backend>> {
    let Some(address) = url.server() else { return Err(Error::Unsupported { dialect: url.dialect() }) };
    let mut settings = Settings::new(url, address, options)?;
    let (link, about) = connect(&settings).await?;
    // Other systems came later, and refuse the setting before.
    settings.can_miss_client = about.major >= 14 && about.product.contains("-linux");
    refuse(&about, &settings, access)?;
    let version = TableName::parse("version_table", &options.version_table)?;
    let ledger = TableName::parse("ledger_table", &options.ledger_table)?;
    let books = match &about.schema {
        Some(schema) => Books { version: version.or_in(schema), ledger: ledger.or_in(schema) },
        None if version.schema.is_some() && ledger.schema.is_some() => Books { version, ledger },
        None => return Err(no_schema(&settings)),
    };
    let server = Server {
        product: "PostgreSQL".to_owned(),
        version: about.version,
        database: format!("{}/{}", settings.place(), about.database),
    };
    Ok(Box::new(Postgres {
        settings,
        link,
        lock: None,
        server,
        books,
        role: about.role,
        begins: false,
        due: String::new(),
        is_changed: false,
        is_unsettled: false,
        stop: None,
        last_holder: None,
        held: Vec::new(),
        schema: about.schema.clone(),
    }))
}

async fn connect(settings: &Settings) -> Result<(Link, About)> {
    let schema = match &settings.schema {
        Some(schema) => format!("(SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = {})", literal(schema)?),
        None => "current_schema()".to_owned(),
    };
    let sql = ServerProcess::question(&format!(
        ", version(), current_setting('server_version'), current_setting('server_version_num'), \
         current_database()::text, pg_catalog.pg_is_in_recovery()::text, current_setting('transaction_read_only'), \
         current_setting('role'), {schema}::text"
    ));
    let (link, row) = settings.connect_asking(None, &sql).await?;
    let about = About::read(&row).map_err(|error| failures::explain_connect(&error, &settings.target))?;
    Ok((link, about))
}

impl About {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let column = |index: usize| required(row, ServerProcess::COLUMNS + index);
        let number: u32 = column(2)?.parse().unwrap_or_default();
        Ok(About {
            product: column(0)?.to_owned(),
            version: column(1)?.split(' ').next().unwrap_or_default().to_owned(),
            major: number / 10_000,
            database: column(3)?.to_owned(),
            is_standby: column(4)? == "true",
            is_read_only: column(5)? == "on",
            role: column(6)?.to_owned(),
            schema: text(row, ServerProcess::COLUMNS + 7)?.map(str::to_owned),
        })
    }
}

fn refuse(about: &About, settings: &Settings, access: Access) -> Result<()> {
    let unusable = |message: String, hint: &str| {
        Err(Error::Unreadable { target: settings.target.clone(), message, hint: hint.to_owned() })
    };
    if !about.product.starts_with("PostgreSQL ") {
        let product = about.product.split(' ').next().unwrap_or_default();
        return unusable(
            format!("`{product}` speaks PostgreSQL's protocol, but its locks are not known to hold"),
            "use a PostgreSQL server",
        );
    }
    if about.major < OLDEST {
        return unusable(
            format!("the server is PostgreSQL {}, and {OLDEST} is the oldest that is supported", about.version),
            "upgrade the server",
        );
    }
    let must_write = access == Access::Write || settings.needs_primary;
    if must_write && about.is_standby {
        return unusable("the server is a standby, which accepts no writes".to_owned(), "connect to the primary");
    }
    if must_write && about.is_read_only {
        return unusable(
            "`default_transaction_read_only` is on".to_owned(),
            "look at the settings of the role and of the database: `SELECT * FROM pg_db_role_setting;`",
        );
    }
    Ok(())
}

fn no_schema(settings: &Settings) -> Error {
    let (message, hint) = match &settings.schema {
        Some(schema) => (
            format!("the schema `{schema}` does not exist, or the role may not see it"),
            "check `schema=` in the URL, or create it: `CREATE SCHEMA …;`",
        ),
        None => (
            "no schema of the `search_path` exists".to_owned(),
            "name one with `schema=` in the URL, or correct the `search_path` of the role",
        ),
    };
    Error::Unreadable { target: settings.target.clone(), message, hint: hint.to_owned() }
}
