//! What the texts of the schema say and no pragma tells: the query of a view, the condition and the expressions of an index.

use runner_chain::Dialect;

use crate::words::Token;
use crate::words::tokens;

/// What follows `AS` in `CREATE VIEW`; the whole text if there is none.
pub(super) fn query_of_view(sql: &str) -> &str {
    let mut depth = 0_usize;
    for token in tokens(sql, Dialect::Sqlite) {
        step(&mut depth, &token);
        // A view may be called "as", between quotes.
        if depth == 0 && token.is("AS") && token.end - token.start == 2 {
            return sql.get(token.end..).unwrap_or_default().trim();
        }
    }
    sql
}

/// What follows `WHERE` in `CREATE INDEX`.
pub(super) fn predicate_of_index(sql: &str) -> &str {
    let mut depth = 0_usize;
    let mut past_columns = false;
    for token in tokens(sql, Dialect::Sqlite) {
        let before = depth;
        step(&mut depth, &token);
        past_columns |= before == 1 && depth == 0;
        if depth == 0 && past_columns && token.is("WHERE") {
            return sql.get(token.end..).unwrap_or_default().trim();
        }
    }
    ""
}

/// A column or expression of `CREATE INDEX`, by its place from 0, without its direction.
pub(super) fn term_of_index(sql: &str, place: usize) -> &str {
    let mut depth = 0_usize;
    let mut found = 0;
    let mut from = None;
    let mut to = 0;
    for token in tokens(sql, Dialect::Sqlite) {
        let before = depth;
        step(&mut depth, &token);
        let is_end = (before == 1 && depth == 0) || (depth == 1 && token.is_symbol(","));
        match from {
            None if before == 0 && depth == 1 && found == place => from = Some(token.end),
            None if is_end && depth == 1 => {
                found += 1;
                if found == place {
                    from = Some(token.end);
                }
            }
            Some(from) if is_end => return sql.get(from..to.max(from)).unwrap_or_default().trim(),
            // The direction is no part of the expression.
            Some(_) if depth == 1 && (token.is("ASC") || token.is("DESC")) => {}
            _ => to = token.end,
        }
    }
    ""
}

fn step(depth: &mut usize, token: &Token<'_>) {
    if token.is_symbol("(") {
        *depth += 1;
    } else if token.is_symbol(")") {
        *depth = depth.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_query() {
        assert_eq!(query_of_view("CREATE VIEW v AS SELECT 1 AS a"), "SELECT 1 AS a");
        assert_eq!(query_of_view("CREATE VIEW \"as\" (a, b) AS\n SELECT 1, 2 -- x"), "SELECT 1, 2 -- x");
        assert_eq!(query_of_view("nonsense"), "nonsense");
    }

    #[test]
    fn an_index_is_its_terms_and_its_condition() {
        let sql =
            "CREATE UNIQUE INDEX i ON \"t (\" (lower(a), b COLLATE NOCASE DESC, substr(c, 1, 2)) WHERE d > ')' AND e";
        assert_eq!(term_of_index(sql, 0), "lower(a)");
        assert_eq!(term_of_index(sql, 1), "b COLLATE NOCASE");
        assert_eq!(term_of_index(sql, 2), "substr(c, 1, 2)");
        assert_eq!(term_of_index(sql, 3), "");
        assert_eq!(predicate_of_index(sql), "d > ')' AND e");
        assert_eq!(predicate_of_index("CREATE INDEX i ON t (a)"), "");
        assert_eq!(term_of_index("", 0), "");
    }
}
