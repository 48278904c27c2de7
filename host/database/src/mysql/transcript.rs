//! Scripts for the `mysql` client, which MariaDB calls `mariadb`.

use std::borrow::Cow;

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::backend::Server;
use crate::error::Result;
use crate::ledger::COLUMNS;
use crate::ledger::FIRST_PREVIOUS_HASH;
use crate::ledger::LedgerRow;
use crate::options::Options;
use crate::options::TableName;
use crate::preflight::PreflightProblem;
use crate::run::RunInfo;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::session::Access;
use crate::transcript::Beginning;
use crate::transcript::ELSEWHERE;
use crate::transcript::Pen;
use crate::transcript::UNEXPECTED_ROWS;
use crate::transcript::ended;
use crate::transcript::stands_at;
use crate::url::DatabaseUrl;

use super::books::Books;
use super::books::name;
use super::connect::Settings;
use super::literal::literal;
use super::literal::quoted;
use super::refusals;
use super::statements;

/// What may end a statement that has semicolons of its own.
const DELIMITERS: [&str; 4] = ["//", "$$", ";;", "@@@@"];

struct MysqlPen {
    books: Books,
    server: Server,
    settings: Settings,
    is_mariadb: bool,
}

/// What writes scripts for MySQL and MariaDB.
pub(crate) fn pen(url: &DatabaseUrl, options: &Options, server: Option<&Server>) -> Result<Box<dyn Pen>> {
    let product = if url.to_string().starts_with("mariadb") { "MariaDB" } else { "MySQL" };
    let unknown = || Server { product: product.to_owned(), version: String::new(), database: String::new() };
    let server = server.cloned().unwrap_or_else(unknown);
    Ok(Box::new(MysqlPen {
        books: Books {
            version: TableName::parse("version_table", &options.version_table)?,
            ledger: TableName::parse("ledger_table", &options.ledger_table)?,
        },
        is_mariadb: server.product == "MariaDB",
        server,
        settings: Settings::new(url, options, Access::Read)?,
    }))
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// Ends the script unless a condition holds. Only a stored program can raise an error of its own words, so a table is read
/// that has them as its name and does not exist.
fn check(condition: &str, message: &str) -> String {
    let complaint = literal(&format!("DO (SELECT 1 FROM {})", quoted(message)));
    format!(
        "SET @runner_check = IF({condition}, 'DO 0', {complaint});\n\
         PREPARE runner_check FROM @runner_check;\nEXECUTE runner_check;"
    )
}

impl MysqlPen {
    /// Takes both of the runner's locks for this session. Their names are made of the database's.
    fn lock(&self) -> String {
        let TableName { schema, name } = &self.books.version;
        let target = format!(
            "CONCAT({}, CHAR(0 USING utf8mb4), {})",
            schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal),
            literal(name)
        );
        let taken = "GET_LOCK(@runner_lock, 0) = 1 AND GET_LOCK(CONCAT(@runner_lock, '.work'), 0) = 1";
        format!(
            "SET @runner_lock = {target};\n\
             SET @runner_lock = IF(@@lower_case_table_names = 0, @runner_lock, LOWER(@runner_lock));\n\
             SET @runner_lock = CONCAT('runner.', LEFT(SHA2(CONVERT(@runner_lock USING utf8mb4), 256), 40));\n{}",
            check(taken, "another runner holds the lock of this database")
        )
    }

    /// Prepares the statement that writes a row of the ledger from variables of the session.
    fn ledger_writer(&self, info: &RunInfo) -> String {
        let ledger = name(&self.books.ledger);
        let json = |value: &serde_json::Value| optional((!value.is_null()).then(|| value.to_string()).as_deref());
        let fixed = [
            ("run_id", literal(&info.run_id)),
            ("command", literal(&info.command)),
            ("environment", literal(&info.environment)),
            ("actor", literal(&info.actor)),
            ("host", literal(&info.host)),
            ("tool_version", literal(&info.tool_version)),
            ("plugins", json(&info.plugins)),
        ];
        let fixed: Vec<String> =
            fixed.iter().map(|(column, value)| format!("SET @runner_{column} = {value};")).collect();
        let time = |moment: &str| format!("CONCAT(REPLACE(LEFT({moment}, 23), ' ', 'T'), 'Z')");
        let value = |column: &&str| match *column {
            "id" => format!("(SELECT COALESCE(MAX(id), 0) + 1 FROM {ledger})"),
            "previous_hash" => {
                format!("COALESCE((SELECT hash FROM {ledger} ORDER BY id DESC LIMIT 1), '{FIRST_PREVIOUS_HASH}')")
            }
            "started_at" => time("@runner_began"),
            "finished_at" => time("@runner_ended"),
            "duration_ms" => {
                "IF(@runner_revision IS NULL, NULL, TIMESTAMPDIFF(MICROSECOND, @runner_began, @runner_ended) DIV 1000)"
                    .to_owned()
            }
            column => format!("@runner_{column}"),
        };
        let hashed = &COLUMNS[..COLUMNS.len() - 1];
        let values: Vec<String> = hashed.iter().map(|column| format!("{} AS {column}", value(column))).collect();
        let part = |column: &&str| {
            let bytes = format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)");
            format!("IF({column} IS NULL, X'00', CONCAT(X'01', UNHEX(LPAD(HEX(LENGTH({bytes})), 16, '0')), {bytes}))")
        };
        let parts: Vec<String> = hashed.iter().map(part).collect();
        let insert = format!(
            "INSERT INTO {ledger} ({}) SELECT {}, SHA2(CONCAT('runner-ledger/1', {}), 256) FROM (SELECT {}) AS entry",
            COLUMNS.join(", "),
            hashed.join(", "),
            parts.join(", "),
            values.join(", "),
        );
        // Without backslashes it is the same text in every `sql_mode`.
        format!("{}\nPREPARE runner_record FROM '{}';", fixed.join("\n"), insert.replace('\'', "''"))
    }

    fn change_versions(&self, change: &VersionChange) -> Vec<String> {
        let table = name(&self.books.version);
        let each = |ids: &[String]| ids.iter().map(|id| literal(id)).collect::<Vec<_>>();
        let hit = |count: usize| check(&format!("ROW_COUNT() = {count}"), UNEXPECTED_ROWS);
        if let ([old], [new]) = (change.delete.as_slice(), change.insert.as_slice()) {
            let (old, new) = (literal(old), literal(new));
            return vec![format!("UPDATE {table} SET version_num = {new} WHERE version_num = {old};"), hit(1)];
        }
        let mut sql = Vec::new();
        if !change.delete.is_empty() {
            let gone = each(&change.delete).join(", ");
            sql.push(format!("DELETE FROM {table} WHERE version_num IN ({gone});"));
            sql.push(hit(change.delete.len()));
        }
        if !change.insert.is_empty() {
            sql.push(format!("INSERT INTO {table} (version_num) VALUES ({});", each(&change.insert).join("), (")));
        }
        sql
    }
}

impl Pen for MysqlPen {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        false
    }

    fn command(&self) -> &'static str {
        if self.is_mariadb {
            "mariadb --skip-force --comments DATABASE < SCRIPT"
        } else {
            "mysql --skip-force --comments DATABASE < SCRIPT"
        }
    }

    fn opening(&self, info: &RunInfo, beginning: &Beginning) -> Result<String> {
        let (version, ledger) = (name(&self.books.version), name(&self.books.ledger));
        let condition = stands_at(beginning, &version, &ledger, |text| Ok(literal(text)))?;
        Ok(format!(
            "DELIMITER ;\n\\C utf8mb4\nSET SESSION sql_safe_updates = 0;\n{};\n\n\
             -- One runner at a time.\n{}\n\n\
             -- The runner's tables, and the state that this script begins with.\n{};\n{}\n\n\
             -- What writes the ledger; gone with the session.\n{}{}",
            self.settings.session,
            self.lock(),
            self.books.create_if_missing(),
            check(&condition, ELSEWHERE),
            self.ledger_writer(info),
            self.settings.timeouts(self.is_mariadb).map_or_else(String::new, |sql| format!("\n{sql};")),
        ))
    }

    fn clock(&self) -> &'static str {
        "SET @runner_began = UTC_TIMESTAMP(3);"
    }

    fn begin(&self) -> &'static str {
        "START TRANSACTION;"
    }

    fn statement(&self, sql: &str) -> String {
        if !sql.contains(';') {
            return ended(sql, ";");
        }
        // Together with the end of the statement it would be another one: `*/` and `//`.
        let is_free = |delimiter: &&&str| !sql.contains(**delimiter) && !sql.ends_with(&delimiter[..1]);
        let delimiter = DELIMITERS.iter().find(is_free);
        let delimiter: Cow<'_, str> = match delimiter {
            Some(delimiter) => Cow::Borrowed(delimiter),
            None => {
                (0..).map(|number| format!("//{number}//")).find(|text| !sql.contains(text)).unwrap_or_default().into()
            }
        };
        format!("DELIMITER {delimiter}\n{}\nDELIMITER ;", ended(sql, &delimiter))
    }

    fn record(&self, change: &VersionChange, rows: &[LedgerRow], _as_login: bool) -> Result<String> {
        let mut sql = self.change_versions(change);
        for row in rows {
            let number = |value: Option<i64>| value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
            let set = [
                ("status", literal(&row.status)),
                ("revision", optional(row.revision.as_deref())),
                ("direction", optional(row.direction.as_deref())),
                ("checksum", optional(row.checksum.as_deref())),
                ("sql_checksum", optional(row.sql_checksum.as_deref())),
                ("statements_done", number(row.statements_done)),
                ("statements_total", number(row.statements_total)),
                ("verdicts", optional(row.verdicts.as_deref())),
                ("error", optional(row.error.as_deref())),
                ("ended", "UTC_TIMESTAMP(3)".to_owned()),
            ];
            let set: Vec<String> = set.iter().map(|(column, value)| format!("@runner_{column} = {value}")).collect();
            sql.push(format!("SET {};\nEXECUTE runner_record;", set.join(", ")));
        }
        Ok(sql.join("\n"))
    }

    fn reset(&self, info: &RunInfo, _statements: &[String]) -> Result<String> {
        // A new connection, as online. The server may notice late that the old one has gone.
        Ok(format!(
            "{}\n\\r\n{};\n{}\n{}{}",
            self.closing(),
            self.settings.session,
            self.lock(),
            self.ledger_writer(info),
            self.settings.timeouts(self.is_mariadb).map_or_else(String::new, |sql| format!("\n{sql};")),
        ))
    }

    fn closing(&self) -> String {
        "DO RELEASE_LOCK(CONCAT(@runner_lock, '.work')), RELEASE_LOCK(@runner_lock);".to_owned()
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        refusals::preflight(script, [&self.books.version, &self.books.ledger])
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }
}
