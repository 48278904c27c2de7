//! What the catalogs show of a statement of which nobody knows whether it ran.

use crate::backend::Evidence;
use crate::error::Error;
use crate::error::StatementError;
use crate::words::Token;

use super::failures;
use super::link::Link;
use super::link::required;
use super::literal::identifier;
use super::literal::literal;
use super::statements::Start;

/// What a statement makes or takes away that leaves traces.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    /// An index by name, with its table as SQL text.
    NewIndex {
        name: String,
        table: String,
    },
    /// An index without a name of its own.
    NamelessIndex {
        table: String,
    },
    /// An index, as SQL text.
    OldIndex(String),
    /// A row of a catalog: the catalog, its column of names, and the name.
    New(&'static str, &'static str, String),
    Old(&'static str, &'static str, String),
}

/// What the catalogs say of an index.
struct Index {
    schema: String,
    is_valid: bool,
}

/// A name as PostgreSQL reads it: in lower case unless it is quoted.
fn name_of(sql: &str, token: &Token<'_>) -> String {
    if sql.get(token.start..token.end).is_some_and(|raw| raw.starts_with('"')) {
        token.text.replace("\"\"", "\"")
    } else {
        token.text.to_lowercase()
    }
}

/// A name with or without a schema at the beginning of the tokens, as SQL text.
fn qualified(sql: &str, tokens: &[Token<'_>]) -> Option<String> {
    let first = tokens.first()?;
    let last = match tokens.get(1..3) {
        Some([dot, second]) if dot.is_symbol(".") => second,
        _ => first,
    };
    let names = if last == first { vec![first] } else { vec![first, last] };
    Some(names.iter().map(|token| identifier(&name_of(sql, token))).collect::<Vec<_>>().join("."))
}

fn subject(sql: &str) -> Option<Subject> {
    let start = Start::of(sql);
    let tokens = start.tokens();
    let after = |words: &[&str], from: usize| {
        let found = tokens.get(from..from + words.len())?;
        found.iter().zip(words).all(|(token, word)| token.is(word)).then_some(from + words.len())
    };
    if start.creates_index_concurrently() {
        let at = tokens.iter().position(|token| token.is("CONCURRENTLY"))? + 1;
        let at = after(&["IF", "NOT", "EXISTS"], at).unwrap_or(at);
        let name = tokens.get(at).filter(|token| !token.is("ON"));
        let on = if name.is_some() { at + 1 } else { at };
        let at = after(&["ON", "ONLY"], on).or_else(|| after(&["ON"], on))?;
        let table = qualified(sql, tokens.get(at..)?)?;
        return Some(match name {
            Some(name) => Subject::NewIndex { name: name_of(sql, name), table },
            None => Subject::NamelessIndex { table },
        });
    }
    if start.begins(&["DROP", "INDEX", "CONCURRENTLY"]) {
        let at = after(&["IF", "EXISTS"], 3).unwrap_or(3);
        return Some(Subject::OldIndex(qualified(sql, tokens.get(at..)?)?));
    }
    for (kind, catalog, column) in [
        ("DATABASE", "pg_database", "datname"),
        ("TABLESPACE", "pg_tablespace", "spcname"),
        ("SUBSCRIPTION", "pg_subscription", "subname"),
    ] {
        if start.begins(&["CREATE", kind]) {
            return Some(Subject::New(catalog, column, name_of(sql, tokens.get(2)?)));
        }
        if start.begins(&["DROP", kind]) {
            let at = after(&["IF", "EXISTS"], 2).unwrap_or(2);
            return Some(Subject::Old(catalog, column, name_of(sql, tokens.get(at)?)));
        }
    }
    None
}

async fn index_named(link: &mut Link, name: &str, table: &str) -> Result<Option<Index>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, i.indisvalid::text FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname = {} AND c.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class \
         WHERE oid = pg_catalog.to_regclass({}))",
        literal(name)?,
        literal(table)?
    );
    let translate = |error: sqlx::Error| failures::translate(&error, 0).while_doing("looking for the index");
    let sets = link.rows(sql).await.map_err(translate)?;
    let Some(row) = sets.first().and_then(|rows| rows.first()) else { return Ok(None) };
    let schema = required(row, 0).map_err(translate)?.to_owned();
    Ok(Some(Index { schema, is_valid: required(row, 1).map_err(translate)? == "true" }))
}

fn drop_invalid(schema: &str, name: &str) -> String {
    let (schema, name) = (plain(schema), plain(name));
    format!("the index is there, but invalid: run `DROP INDEX CONCURRENTLY {schema}.{name};` before you go on")
}

/// A name as a person writes it, quoted only if it must be.
fn plain(name: &str) -> String {
    let is_simple = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.bytes().next().is_none_or(|first| first.is_ascii_digit());
    if is_simple { name.to_owned() } else { identifier(name) }
}

async fn is_there(link: &mut Link, condition: String) -> Result<bool, Error> {
    let translate =
        |error: sqlx::Error| failures::translate(&error, 0).while_doing("looking for traces of a statement");
    let row = link.row(format!("SELECT ({condition})::text")).await.map_err(translate)?;
    Ok(required(&row, 0).map_err(translate)? == "true")
}

/// Looks for traces of a statement.
pub(super) async fn find(link: &mut Link, sql: &str) -> Result<Evidence, Error> {
    let in_catalog = |catalog: &str, column: &str, name: &str| {
        Ok::<_, Error>(format!("EXISTS (SELECT 1 FROM pg_catalog.{catalog} WHERE {column} = {})", literal(name)?))
    };
    let gone = |name: &str| Evidence::Unknown(format!("`{name}` is there no more, so it has probably run"));
    Ok(match subject(sql) {
        Some(Subject::NewIndex { name, table }) => match index_named(link, &name, &table).await? {
            None => Evidence::NotRun,
            Some(Index { schema, is_valid: false }) => Evidence::Unknown(drop_invalid(&schema, &name)),
            Some(Index { schema, .. }) => Evidence::Unknown(format!(
                "the index `{schema}.{name}` is there and valid, so it has probably run: `runner repair` can say so"
            )),
        },
        Some(Subject::NamelessIndex { table }) => Evidence::Unknown(format!(
            "the index has no name by which it could be found: look at the indexes of {table}"
        )),
        Some(Subject::OldIndex(name)) => {
            let there = format!("pg_catalog.to_regclass({}) IS NOT NULL", literal(&name)?);
            if is_there(link, there).await? { Evidence::NotRun } else { gone(&name) }
        }
        Some(Subject::New(catalog, column, name)) => {
            if is_there(link, in_catalog(catalog, column, &name)?).await? {
                Evidence::Unknown(format!("`{name}` is there, so it has probably run"))
            } else {
                Evidence::NotRun
            }
        }
        Some(Subject::Old(catalog, column, name)) => {
            if is_there(link, in_catalog(catalog, column, &name)?).await? {
                Evidence::NotRun
            } else {
                gone(&name)
            }
        }
        None => Evidence::Unknown("look at what it should have done".to_owned()),
    })
}

/// Refuses `CREATE INDEX CONCURRENTLY IF NOT EXISTS` where a failed attempt has left an invalid index: the server would take
/// it for the index that is wanted.
pub(super) async fn refuse_invalid_index(link: &mut Link, sql: &str) -> Result<(), Error> {
    let start = Start::of(sql);
    let is_conditional =
        start.creates_index_concurrently() && start.tokens().iter().take(7).any(|token| token.is("EXISTS"));
    if is_conditional
        && let Some(Subject::NewIndex { name, table }) = subject(sql)
        && let Some(Index { schema, is_valid: false }) = index_named(link, &name, &table).await?
    {
        return Err(Error::Statement(Box::new(StatementError {
            index: 0,
            message: format!("an earlier attempt left the index `{schema}.{name}` invalid"),
            code: None,
            detail: Some("`IF NOT EXISTS` would take it for the index that is wanted".to_owned()),
            hint: None,
            offset: None,
            is_retryable: false,
        })));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_found_in_the_text() {
        let index =
            |name: &str, table: &str| Some(Subject::NewIndex { name: name.to_owned(), table: table.to_owned() });
        assert_eq!(subject("CREATE INDEX CONCURRENTLY I ON T (a)"), index("i", "\"t\""));
        assert_eq!(
            subject("create unique index concurrently if not exists \"I\" on only \"S\".t (a)"),
            index("I", "\"S\".\"t\"")
        );
        assert_eq!(
            subject("CREATE INDEX CONCURRENTLY ON a.t (a)"),
            Some(Subject::NamelessIndex { table: "\"a\".\"t\"".to_owned() })
        );
        assert_eq!(subject("DROP INDEX CONCURRENTLY IF EXISTS a.i"), Some(Subject::OldIndex("\"a\".\"i\"".to_owned())));
        assert_eq!(subject("CREATE DATABASE D"), Some(Subject::New("pg_database", "datname", "d".to_owned())));
        assert_eq!(
            subject("DROP TABLESPACE IF EXISTS x"),
            Some(Subject::Old("pg_tablespace", "spcname", "x".to_owned()))
        );
        assert_eq!(subject("CREATE INDEX i ON t (a)"), None);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(
            drop_invalid("app", "My index"),
            "the index is there, but invalid: run `DROP INDEX CONCURRENTLY app.\"My index\";` before you go on"
        );
    }
}
