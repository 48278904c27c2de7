//! Databases that are there for a short time.

use crate::error::Result;
use crate::options::Options;
use crate::session::Access;
use crate::url::DatabaseUrl;

use super::connect::Settings;
use super::failures;
use super::link::Link;
use super::link::text;
use super::literal::quoted;

/// The connection that makes and removes a database.
pub(crate) struct Keeper {
    link: Link,
    name: String,
}

impl Keeper {
    /// Makes an empty database in the server of `url`, with the character set of the database that it names.
    pub(crate) async fn create(url: &DatabaseUrl, options: &Options, name: &str) -> Result<Self> {
        let settings = Settings::new(url, options, Access::Write)?;
        let mut link = Link::new(settings.connect().await?);
        let failed = |error: sqlx::Error| failures::translate(&error, "making a scratch database");
        let ask = "SELECT @@character_set_database, @@collation_database".to_owned();
        let answer = link.ask(ask).await.complete().map_err(failed)?;
        let row = answer.row(0).map_err(failed)?;
        let word = |index| text(row, index).map(Option::unwrap_or_default).map_err(failed);
        let sql = format!("CREATE DATABASE {} CHARACTER SET {} COLLATE {}", quoted(name), word(0)?, word(1)?);
        link.run(sql).await.map_err(|(_, error)| failed(error))?;
        Ok(Self { link, name: name.to_owned() })
    }

    /// The other databases of the server, as far as the account may see them.
    pub(crate) async fn others(&mut self) -> Result<Vec<String>> {
        let answer = self.link.ask("SHOW DATABASES".to_owned()).await.complete();
        let names = answer.and_then(|answer| {
            let rows = answer.sets.first().map_or(&[][..], Vec::as_slice);
            rows.iter()
                .map(|row| text(row, 0).map(Option::unwrap_or_default))
                .collect::<std::result::Result<Vec<_>, _>>()
        });
        let mut names = names.map_err(|error| failures::translate(&error, "making a scratch database"))?;
        names.retain(|name| *name != self.name);
        Ok(names)
    }

    /// Removes the database.
    pub(crate) async fn remove(mut self) -> Result<()> {
        let removed = self.link.run(format!("DROP DATABASE IF EXISTS {}", quoted(&self.name))).await;
        let _ = self.link.close().await;
        removed.map_err(|(_, error)| failures::translate(&error, "removing the scratch database"))
    }
}

/// What only this server answers.
pub(crate) async fn who(url: &DatabaseUrl, options: &Options) -> Result<String> {
    let settings = Settings::new(url, options, Access::Read)?;
    let mut link = Link::new(settings.connect().await?);
    let ask = "SELECT CONCAT_WS('\\n', @@hostname, @@port, @@datadir, @@socket)".to_owned();
    let answer = link.ask(ask).await.complete().and_then(|answer| text(answer.row(0)?, 0));
    let _ = link.close().await;
    answer.map(Option::unwrap_or_default).map_err(|error| failures::translate(&error, "asking a server who it is"))
}
