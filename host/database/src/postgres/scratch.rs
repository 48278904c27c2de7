//! Databases that are there for a short time.

use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::url::DatabaseUrl;

use super::connect::Settings;
use super::failures;
use super::link::Link;
use super::link::required;
use super::literal::identifier;
use super::literal::literal;

/// The connection that makes and removes a database.
pub(crate) struct Keeper {
    link: Link,
    name: String,
}

impl Keeper {
    /// Makes an empty database in the server of `url`, with the encoding of the database that it names.
    pub(crate) async fn create(url: &DatabaseUrl, options: &Options, name: &str) -> Result<Self> {
        let Some(address) = url.server() else { return Err(Error::Unsupported { dialect: url.dialect() }) };
        let settings = Settings::new(url, address, options)?;
        let mut link = settings.connect(None).await?;
        let failed = |error: sqlx::Error| failures::translate(&error, 0).while_doing("making a scratch database");
        let ask = "SELECT pg_encoding_to_char(encoding), datcollate::text, datctype::text FROM pg_database \
                   WHERE datname = current_database()";
        let row = link.row(ask.to_owned()).await.map_err(failed)?;
        let column = |index| required(&row, index).map_err(failed).and_then(literal);
        let sql = format!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            identifier(name),
            column(0)?,
            column(1)?,
            column(2)?
        );
        link.execute(sql).await.map_err(failed)?;
        let mut keeper = Self { link, name: name.to_owned() };
        if let Some(schema) = &settings.schema
            && let Err(error) = keeper.create_schema(url, options, schema).await
        {
            keeper.remove().await?;
            return Err(error);
        }
        Ok(keeper)
    }

    async fn create_schema(&mut self, url: &DatabaseUrl, options: &Options, schema: &str) -> Result<()> {
        let url = url.with_database(&self.name);
        let Some(address) = url.server() else { return Ok(()) };
        let mut link = Settings::new(&url, address, options)?.connect(None).await?;
        let created = link.execute(format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema))).await;
        // It is about to be used by others.
        let _ = link.close().await;
        created.map_err(|error| failures::translate(&error, 0).while_doing("making a scratch database"))
    }

    /// Removes the database, whoever is connected to it.
    pub(crate) async fn remove(mut self) -> Result<()> {
        let name = identifier(&self.name);
        let mut removed = self.link.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        if removed.as_ref().is_err_and(|error| failures::code(error) == Some("42601")) {
            // PostgreSQL 12 does not know the option.
            removed = self.link.execute(format!("DROP DATABASE IF EXISTS {name}")).await;
        }
        let _ = self.link.close().await;
        removed.map_err(|error| failures::translate(&error, 0).while_doing("removing the scratch database"))
    }
}

/// What only this server answers.
pub(crate) async fn who(url: &DatabaseUrl, options: &Options) -> Result<String> {
    let Some(address) = url.server() else { return Err(Error::Unsupported { dialect: url.dialect() }) };
    let mut link = Settings::new(url, address, options)?.connect(None).await?;
    let ask = "SELECT system_identifier::text || ' ' || pg_postmaster_start_time()::text FROM pg_control_system()";
    let row = link.row(ask.to_owned()).await.and_then(|row| required(&row, 0).map(str::to_owned));
    let _ = link.close().await;
    row.map_err(|error| failures::translate(&error, 0).while_doing("asking a server who it is"))
}
