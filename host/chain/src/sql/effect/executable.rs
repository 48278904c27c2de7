//! The ways in which servers may read the comments of a statement that some of them run (`/*! … */`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::dialect::Dialect;
use crate::sql::lexeme::{LexemeKind, lexemes};

/// No server is older than this; so comments for older ones are run by all.
const OLDEST_SERVER: u32 = 50_500;
/// MariaDB runs no comments that are meant for these versions of MySQL.
const NOT_OF_MARIADB: std::ops::RangeInclusive<u32> = 50_700..=99_999;
/// Each reading takes the time of one statement.
const MOST_VERSIONS: usize = 8;

/// A comment that is run by servers from a version on.
struct Executable {
    start: usize,
    end: usize,
    /// Length of what comes before the SQL.
    opening: usize,
    of_mariadb: bool,
    version: u32,
}

impl Executable {
    /// None if it is not clear where servers see its version or its end.
    fn of(text: &str, start: usize) -> Option<Self> {
        let (of_mariadb, inside) = match text.strip_prefix("/*M!") {
            Some(inside) => (true, inside),
            None => (false, text.strip_prefix("/*!")?),
        };
        let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
        let version = match digits {
            0 => 0,
            5 | 6 => inside.get(..digits)?.parse().ok()?,
            _ => return None,
        };
        let sql = inside.get(digits..)?.strip_suffix("*/")?;
        // A server that skips the comment ends it at the first of these; and some count the first.
        if sql.contains("*/") || sql.contains("/*") {
            return None;
        }
        let opening = text.len() - inside.len() + digits;
        Some(Self { start, end: start + text.len(), opening, of_mariadb, version })
    }

    fn is_run(&self, is_mariadb: bool, version: u32) -> bool {
        match (is_mariadb, self.of_mariadb) {
            (false, true) => false,
            (true, false) if NOT_OF_MARIADB.contains(&self.version) => false,
            _ => self.version <= version,
        }
    }
}

/// The statement in each way that some server may read it; None if that can't be told.
pub(super) fn readings(sql: &str, dialect: Dialect) -> Option<Vec<Cow<'_, str>>> {
    if dialect != Dialect::Mysql {
        return Some(vec![sql.into()]);
    }
    let comments: Vec<Executable> = lexemes(sql, dialect)
        .filter(|lexeme| {
            lexeme.kind == LexemeKind::Symbol && (lexeme.text.starts_with("/*!") || lexeme.text.starts_with("/*M!"))
        })
        .map(|lexeme| Executable::of(lexeme.text, lexeme.start))
        .collect::<Option<_>>()?;
    if comments.is_empty() {
        return Some(vec![sql.into()]);
    }
    let mut versions: BTreeSet<u32> = comments.iter().map(|comment| comment.version.max(OLDEST_SERVER)).collect();
    versions.insert(OLDEST_SERVER);
    if versions.len() > MOST_VERSIONS {
        return None;
    }
    let servers = versions.iter().flat_map(|&version| [(false, version), (true, version)]);
    let mut readings: Vec<Cow<'_, str>> = Vec::new();
    for (is_mariadb, version) in servers {
        let reading = read(sql, &comments, is_mariadb, version);
        if !readings.iter().any(|known| *known == reading) {
            readings.push(reading.into());
        }
    }
    Some(readings)
}

fn read(sql: &str, comments: &[Executable], is_mariadb: bool, version: u32) -> String {
    let mut reading = String::with_capacity(sql.len());
    let mut at = 0;
    for comment in comments {
        reading.push_str(sql.get(at..comment.start).unwrap_or_default());
        // Words on either side stay apart.
        reading.push(' ');
        if comment.is_run(is_mariadb, version) {
            reading.push_str(sql.get(comment.start + comment.opening..comment.end - 2).unwrap_or_default());
            reading.push(' ');
        }
        at = comment.end;
    }
    reading.push_str(sql.get(at..).unwrap_or_default());
    reading
}
