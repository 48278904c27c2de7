//! Where in a statement an error lies. The driver does not pass SQLite's own answer on, so it is found by compiling
//! beginnings of the statement, which runs nothing; where that is not certain there is no answer.

use runner_chain::Dialect;
use sqlx::Executor as _;
use sqlx::SqliteConnection;

use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

use super::failures::message;

/// Compiling is quick, but a statement can mention the same word very often.
const MOST_CANDIDATES: usize = 64;

/// The place of the error in characters from the beginning of the statement.
pub(super) async fn find(connection: &mut SqliteConnection, sql: &str, error: &str) -> Option<usize> {
    let bytes = match error.strip_prefix("near \"").and_then(|rest| rest.strip_suffix("\": syntax error")) {
        Some(near) => first_refused(connection, sql, near, error).await?,
        None if error == "incomplete input" => sql.len(),
        None => only_mention(sql, error)?,
    };
    Some(sql.get(..bytes)?.chars().count())
}

/// SQLite's parser stops at the first token that cannot follow, so the shortest beginning that fails with the same message
/// ends with the culprit.
async fn first_refused(connection: &mut SqliteConnection, sql: &str, near: &str, error: &str) -> Option<usize> {
    let candidates = sql.match_indices(near).map(|(start, _)| start).take(MOST_CANDIDATES);
    for start in candidates {
        let beginning = sql.get(..start + near.len())?.to_owned();
        match (&mut *connection).prepare(sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(beginning))).await {
            Err(refused) if message(&refused) == error => return Some(start),
            _ => {}
        }
    }
    None
}

/// The place of a name that the message gives and the statement mentions exactly once.
fn only_mention(sql: &str, error: &str) -> Option<usize> {
    let name = ["no such column: ", "no such table: ", "no such function: ", "duplicate column name: "]
        .iter()
        .find_map(|prefix| error.strip_prefix(prefix))
        .or_else(|| error.strip_prefix("table ")?.strip_suffix(" already exists"))?;
    let name = name.trim_matches('"').rsplit('.').next()?;
    let mut mentions =
        tokens(sql, Dialect::Sqlite).filter(|token: &Token<'_>| token.kind == Kind::Word && token.is(name));
    let first = mentions.next()?;
    mentions.next().is_none().then_some(first.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_mention_is_certain() {
        assert_eq!(only_mention("SELECT a, b FROM t", "no such column: b"), Some(10));
        assert_eq!(only_mention("SELECT b, b FROM t", "no such column: b"), None);
        assert_eq!(only_mention("SELECT 'b', x.b FROM x", "no such column: x.b"), Some(14));
        assert_eq!(only_mention("CREATE TABLE t (a)", "table t already exists"), Some(13));
        assert_eq!(only_mention("SELECT 1", "something else"), None);
    }
}
