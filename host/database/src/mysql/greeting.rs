//! The first words with a server: who it is, and whether it will do.

use crate::error::Error;
use crate::error::Result;
use crate::session::Access;

use super::connect::Settings;
use super::failures;
use super::link::Link;
use super::link::number;
use super::link::text;

/// The driver asks for `IGNORE_SPACE`, which turns names such as `count` into keywords; the `mysql` client does not.
const PLAIN_SQL_MODE: &str = "SESSION sql_mode = IF(FIND_IN_SET('IGNORE_SPACE', @@GLOBAL.sql_mode), @@SESSION.sql_mode, \
                              TRIM(BOTH ',' FROM REPLACE(CONCAT(',', @@SESSION.sql_mode, ','), ',IGNORE_SPACE,', ',')))";

/// Idle for longer, a server closes a session. It may have to outlast a person's answer, or a long statement elsewhere.
const PATIENT: &str = "SESSION wait_timeout = CAST(GREATEST(@@SESSION.wait_timeout, 604800) AS UNSIGNED)";

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) product: &'static str,
    /// Only the numbers.
    pub(super) version: String,
    /// The database as the server writes its name.
    pub(super) database: String,
    /// Whether names of tables and databases are the same in any case.
    pub(super) ignores_case: bool,
    is_read_only: bool,
}

/// Opens a session that runs scripts, or reads.
pub(super) async fn open(settings: &Settings) -> Result<(Link, Greeting)> {
    let mut link = Link::new(settings.connect().await?);
    let read_only = if settings.access == Access::Read { "SET SESSION TRANSACTION READ ONLY;\n" } else { "" };
    let sql = format!(
        "SET {PLAIN_SQL_MODE}, {PATIENT};\n{read_only}\
         SELECT CAST(CONNECTION_ID() AS CHAR), VERSION(), @@version_comment, CAST(@@GLOBAL.read_only AS CHAR), \
         CAST(@@lower_case_table_names AS CHAR), DATABASE()"
    );
    let answer = link.ask(sql).await.complete();
    let greeting = answer.and_then(|answer| {
        let row = answer.row(answer.sets.len().saturating_sub(1))?;
        let column = |index| Ok::<_, sqlx::Error>(text(row, index)?.unwrap_or_default());
        link.id = number(row, 0)?.unwrap_or_default();
        let (product, version) = product(&column(1)?, &column(2)?);
        let is_read_only = !matches!(column(3)?.as_str(), "0" | "OFF");
        let ignores_case = column(4)? != "0";
        Ok(Greeting { product, version, database: column(5)?, ignores_case, is_read_only })
    });
    let greeting = greeting.map_err(|error| failures::explain_connect(&error, &settings.target, &settings.database))?;
    greeting.check(settings)?;
    Ok((link, greeting))
}

/// Opens a session that does nothing but hold the lock.
pub(super) async fn open_for_lock(settings: &Settings) -> Result<Link> {
    let mut link = Link::new(settings.connect().await?);
    let answer = link.ask(format!("SET {PATIENT};\nSELECT CAST(CONNECTION_ID() AS CHAR)")).await.complete();
    let id = answer.and_then(|answer| number(answer.row(1)?, 0));
    let id = id.map_err(|error| failures::explain_connect(&error, &settings.target, &settings.database))?;
    link.id = id.unwrap_or_default();
    Ok(link)
}

impl Greeting {
    pub(super) fn is_mariadb(&self) -> bool {
        self.product == "MariaDB"
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        let refuse = |message: String, hint: &str| {
            Err(Error::Unreadable { target: settings.target.clone(), message, hint: hint.to_owned() })
        };
        let (oldest, hint) =
            if self.is_mariadb() { ((10, 6), "use MariaDB 10.6 or newer") } else { ((8, 0), "use MySQL 8.0 or newer") };
        if numbers(&self.version) < oldest {
            return refuse(format!("{} {} is too old", self.product, self.version), hint);
        }
        if self.is_read_only && settings.access == Access::Write {
            return refuse(
                "the server is read-only (`read_only`)".to_owned(),
                "it may be a replica: name the server that accepts writes in the URL",
            );
        }
        Ok(())
    }
}

/// The product, and its version without what packagers put around it: `5.5.5-10.11.14-MariaDB-0+deb12u2`, `8.0.36-28`.
fn product(version: &str, comment: &str) -> (&'static str, String) {
    let is_mariadb = [version, comment].iter().any(|text| text.to_ascii_lowercase().contains("mariadb"));
    // Put in front for replicas that know no other first number.
    let version = if is_mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
    let numbers = version.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next().unwrap_or_default();
    (if is_mariadb { "MariaDB" } else { "MySQL" }, numbers.trim_end_matches('.').to_owned())
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::options::Options;
    use crate::url::DatabaseUrl;

    fn check(version: &str, comment: &str, read_only: bool, access: Access) -> Result<String> {
        let url = DatabaseUrl::parse("mysql://me:hunter2@h/app", Path::new("/")).unwrap();
        let settings = Settings::new(&url, &Options::default(), access).unwrap();
        let (product, version) = product(version, comment);
        let greeting =
            Greeting { product, version, database: String::new(), ignores_case: false, is_read_only: read_only };
        greeting.check(&settings)?;
        Ok(format!("{} {}", greeting.product, greeting.version))
    }

    #[test]
    fn versions_are_read_and_old_ones_refused() {
        let read = |version, comment| check(version, comment, false, Access::Write);
        assert_eq!(read("8.0.36", "MySQL Community Server - GPL").unwrap(), "MySQL 8.0.36");
        assert_eq!(read("8.4.0", "MySQL Community Server - GPL").unwrap(), "MySQL 8.4.0");
        assert_eq!(read("8.0.36-28", "Percona Server (GPL)").unwrap(), "MySQL 8.0.36");
        assert_eq!(read("9.1.0-commercial", "").unwrap(), "MySQL 9.1.0");
        assert_eq!(read("5.5.5-10.11.14-MariaDB-0+deb12u2", "Debian 12").unwrap(), "MariaDB 10.11.14");
        assert_eq!(read("11.4.2", "mariadb.org binary distribution").unwrap(), "MariaDB 11.4.2");
        for (version, said) in [("10.5.29-MariaDB", "MariaDB 10.5.29"), ("5.7.44-log", "MySQL 5.7.44")] {
            let error = read(version, "").unwrap_err();
            assert!(error.to_string().ends_with(&format!("{said} is too old")), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_read_only_server_may_be_read() {
        assert!(check("8.4.0", "", true, Access::Read).is_ok());
        let error = check("8.4.0", "", true, Access::Write).unwrap_err();
        assert!(error.to_string().contains("read-only"), "{error}");
    }
}
