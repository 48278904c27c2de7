//! What `pg_restore` and `mariadb-dump` write. The one writes definitions as statements, and rows between `COPY … FROM stdin;` and
//! `\.`; the other statements alone, whose ends are ends of lines.

use std::io::BufRead;

use runner_chain::Dialect;
use runner_chain::sql;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So many bytes of rows are handed on at a time, at least.
const CHUNK: usize = 256 * 1024;

/// A part of the section with rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A statement.
    Statement(String),
    /// A `COPY … FROM STDIN`, whose rows follow.
    Copy(String),
    /// Rows of it, whole lines.
    Rows(Vec<u8>),
    /// The rows end.
    End,
}

/// Takes what `mariadb-dump` and `mysqldump` write apart, and hands on its statements until nobody wants any more. They write line
/// feeds in texts as `\n`, and bodies between lines with `DELIMITER`.
pub(super) fn statements(mut from: impl BufRead, hand_on: &mut dyn FnMut(String) -> bool) -> std::io::Result<()> {
    let mut delimiter = b";".to_vec();
    let (mut statement, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if statement.is_empty() {
            if line.trim_ascii().is_empty() || line.starts_with(b"--") {
                continue;
            }
            if let Some(next) = line.strip_prefix(b"DELIMITER ") {
                delimiter = next.trim_ascii().to_vec();
                continue;
            }
        }
        statement.extend_from_slice(&line);
        let Some(text) = statement.trim_ascii_end().strip_suffix(delimiter.as_slice()) else { continue };
        let text = std::str::from_utf8(text).map_err(|_| std::io::Error::other("a statement is not UTF-8"))?.to_owned();
        statement.clear();
        // The tables are nobody else's.
        let is_lock = text.starts_with("LOCK TABLES ") || text == "UNLOCK TABLES";
        if !is_lock && !text.trim().is_empty() && !hand_on(here(text)) {
            return Ok(());
        }
    }
    // Comments may stand behind the last statement without an end.
    let rest = statement.trim_ascii();
    if rest.is_empty() || rest.starts_with(b"/*") {
        Ok(())
    } else {
        Err(std::io::Error::other("a statement has no end"))
    }
}

/// A statement about the database without the name of the one that was saved: it is about the one that is restored.
fn here(statement: String) -> String {
    let Some(mut rest) = statement.strip_prefix("ALTER DATABASE `") else { return statement };
    while let Some((_, behind)) = rest.split_once('`') {
        match behind.strip_prefix('`') {
            Some(inside) => rest = inside,
            None => return format!("ALTER DATABASE{behind}"),
        }
    }
    statement
}

/// A line that only `psql` understands, and that changes nothing for us.
fn is_for_psql(line: &[u8]) -> bool {
    line.starts_with(b"\\restrict ") || line.starts_with(b"\\unrestrict ")
}

/// Statements of a section without rows, as they are run within a transaction: settings last as long as it does.
pub(super) fn definitions(text: &str, server_major: u32) -> Result<Vec<String>> {
    let plain: String = text.split_inclusive('\n').filter(|line| !is_for_psql(line.as_bytes())).collect();
    let statements = sql::split(&plain, Dialect::Postgres, 1).map_err(|error| {
        Error::new(ErrorKind::Backup, format!("the definitions that `pg_restore` writes can't be read: {error}"))
    })?;
    Ok(statements.iter().filter_map(|statement| within(statement.text, server_major)).collect())
}

/// A statement as it is run within a transaction; `None` for one that has no place there, or that the server does not know.
fn within(statement: &str, server_major: u32) -> Option<String> {
    if statement.starts_with("SET transaction_timeout") && server_major < 17 {
        return None;
    }
    if matches!(statement, "BEGIN" | "COMMIT") {
        return None;
    }
    // One with the runner's tables or an extension in it stays.
    if let Some(schema) = statement.strip_prefix("CREATE SCHEMA ").filter(|rest| !rest.starts_with("IF ")) {
        return Some(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
    }
    if let Some(setting) = statement.strip_prefix("SET ") {
        return Some(format!("SET LOCAL {setting}"));
    }
    if statement.starts_with("SELECT pg_catalog.set_config('search_path'") {
        return Some(statement.replace(", false)", ", true)"));
    }
    Some(statement.to_owned())
}

/// Takes the section with rows apart, and hands on its pieces until nobody wants any more.
pub(super) fn rows(
    mut from: impl BufRead,
    server_major: u32,
    hand_on: &mut dyn FnMut(Piece) -> bool,
) -> std::io::Result<()> {
    let mut statement: Vec<u8> = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if statement.is_empty() && (line.trim_ascii().is_empty() || line.starts_with(b"--") || is_for_psql(&line)) {
            continue;
        }
        statement.extend_from_slice(&line);
        let text = statement.trim_ascii_end();
        let Some(text) = text.strip_suffix(b";") else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        statement.clear();
        let copy = text.strip_suffix(" FROM stdin").filter(|text| text.starts_with("COPY "));
        if let Some(copy) = copy {
            if !hand_on(Piece::Copy(format!("{copy} FROM STDIN"))) || !copied(&mut from, hand_on)? {
                return Ok(());
            }
        } else if let Some(text) = within(&text, server_major)
            && !hand_on(Piece::Statement(text))
        {
            return Ok(());
        }
    }
    if statement.is_empty() { Ok(()) } else { Err(std::io::Error::other("a statement has no end")) }
}

/// Hands on the rows of a `COPY`. `false`: nobody wants any more.
fn copied(from: &mut impl BufRead, hand_on: &mut dyn FnMut(Piece) -> bool) -> std::io::Result<bool> {
    let mut waiting = Vec::with_capacity(CHUNK + CHUNK / 4);
    loop {
        let before = waiting.len();
        if from.read_until(b'\n', &mut waiting)? == 0 {
            return Err(std::io::Error::other("the rows of a table have no end"));
        }
        if waiting.get(before..) == Some(b"\\.\n") {
            waiting.truncate(before);
            return Ok((waiting.is_empty() || hand_on(Piece::Rows(waiting))) && hand_on(Piece::End));
        }
        if waiting.len() >= CHUNK
            && !hand_on(Piece::Rows(std::mem::replace(&mut waiting, Vec::with_capacity(CHUNK + CHUNK / 4))))
        {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_between_copy_and_their_end() {
        let text = "--\n-- head\n\nSET row_security = off;\nSET transaction_timeout = 0;\n\\restrict abc\n\
            COPY public.t (a, b) FROM stdin;\n1\tSET x = 1;\n\\\\.\t\\N\n\\.\n\n\
            COPY public.\"e;\" (a) FROM stdin;\n\\.\n\nSELECT pg_catalog.setval('public.s', 2, true);\n\\unrestrict abc\n";
        let mut pieces = Vec::new();
        rows(text.as_bytes(), 15, &mut |piece| {
            pieces.push(piece);
            true
        })
        .unwrap();
        assert_eq!(
            pieces,
            [
                Piece::Statement("SET LOCAL row_security = off".to_owned()),
                Piece::Copy("COPY public.t (a, b) FROM STDIN".to_owned()),
                Piece::Rows(b"1\tSET x = 1;\n\\\\.\t\\N\n".to_vec()),
                Piece::End,
                Piece::Copy("COPY public.\"e;\" (a) FROM STDIN".to_owned()),
                Piece::End,
                Piece::Statement("SELECT pg_catalog.setval('public.s', 2, true)".to_owned()),
            ]
        );
        let cut = rows(&b"COPY t (a) FROM stdin;\n1\n"[..], 15, &mut |_| true);
        assert!(cut.is_err());
    }

    #[test]
    fn statements_end_with_their_lines() {
        let text = "/*M!999999\\- enable the sandbox mode */ \n-- head\n/*!40101 SET NAMES utf8mb4 */;\nCREATE TABLE `t;` (\n  a INT\n);\n\
            LOCK TABLES `t;` WRITE;\nINSERT INTO `t;` VALUES (1,'x;\\n'),(2,'y');\nUNLOCK TABLES;\nDELIMITER ;;\n\
            CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN\nSET x = 1;\nEND ;;\nDELIMITER ;\nSET x = 2;\n";
        let mut found = Vec::new();
        statements(text.as_bytes(), &mut |statement| {
            found.push(statement);
            true
        })
        .unwrap();
        assert_eq!(
            found,
            [
                "/*M!999999\\- enable the sandbox mode */ \n-- head\n/*!40101 SET NAMES utf8mb4 */",
                "CREATE TABLE `t;` (\n  a INT\n)",
                "INSERT INTO `t;` VALUES (1,'x;\\n'),(2,'y')",
                "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN\nSET x = 1;\nEND ",
                "SET x = 2",
            ]
        );
        assert!(statements(&b"INSERT INTO t VALUES (1"[..], &mut |_| true).is_err());
    }

    #[test]
    fn another_database_is_not_changed() {
        let here = |text: &str| here(text.to_owned());
        assert_eq!(
            here("ALTER DATABASE `a``b` CHARACTER SET x COLLATE y "),
            "ALTER DATABASE CHARACTER SET x COLLATE y "
        );
        assert_eq!(here("CREATE TABLE `a` (b INT)"), "CREATE TABLE `a` (b INT)");
    }

    #[test]
    fn settings_last_as_long_as_the_transaction() {
        let text = "\\restrict abc\nSET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\
            CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\nSET x; SELECT 1;\n$$;\n";
        assert_eq!(
            definitions(text, 15).unwrap(),
            [
                "SET LOCAL lock_timeout = 0",
                "SELECT pg_catalog.set_config('search_path', '', true)",
                "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\nSET x; SELECT 1;\n$$",
            ]
        );
    }
}
