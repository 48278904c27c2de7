//! Cuts the SQL of tests into statements.

use crate::Statement;

/// Cuts at each `;` outside of quotes, dollar quotes and comments. What holds nothing else is no statement.
pub(super) fn split(sql: &str, first_line: u32) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut begun: Option<(usize, usize)> = None;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let offset = sql.len() - rest.len();
        let (length, counts) = token(rest, first);
        if first == ';' {
            statements.extend(begun.take().map(|span| statement(sql, span, first_line)));
        } else if counts {
            begun = Some((begun.map_or(offset, |(start, _)| start), offset + length));
        }
        rest = &rest[length..];
    }
    statements.extend(begun.map(|span| statement(sql, span, first_line)));
    statements
}

/// Length of the token at the beginning, and whether it is more than white space and comments.
fn token(rest: &str, first: char) -> (usize, bool) {
    let until = |mark: &str, from: usize| rest[from..].find(mark).map_or(rest.len(), |at| from + at + mark.len());
    match first {
        '\'' | '"' | '`' => (until(first.encode_utf8(&mut [0; 4]), 1), true),
        '-' if rest.starts_with("--") => (until("\n", 2), false),
        '/' if rest.starts_with("/*") => (until("*/", 2), false),
        '$' => {
            let name = rest[1..].find(|character: char| !character.is_alphanumeric() && character != '_');
            match name.map(|end| end + 1) {
                Some(end) if rest[end..].starts_with('$') => (until(&rest[..=end], end + 1), true),
                _ => (1, true),
            }
        }
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

fn statement(sql: &str, (start, end): (usize, usize), first_line: u32) -> Statement {
    let whole = Statement { text: sql.to_owned(), line: first_line, column: 1 };
    let (line, column) = whole.place_at(start);
    Statement { text: sql[start..end].to_owned(), line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_quotes_and_comments_do_not_end_a_statement() {
        let sql = "-- first;\nINSERT INTO a VALUES ('x;''y', \";\") -- one;\n; /* ; */ ;\n  DO $body$ a; b $body$;é";
        let statements: Vec<(String, u32, u32)> =
            split(sql, 1).into_iter().map(|statement| (statement.text, statement.line, statement.column)).collect();
        assert_eq!(
            statements,
            [
                ("INSERT INTO a VALUES ('x;''y', \";\")".to_owned(), 2, 1),
                ("DO $body$ a; b $body$".to_owned(), 4, 3),
                ("é".to_owned(), 4, 25),
            ]
        );
    }

    #[test]
    fn what_is_never_closed_goes_to_the_end() {
        for sql in ["SELECT 'a; b", "SELECT $x$ a; b", "SELECT /* a; b", "SELECT $"] {
            assert_eq!(split(sql, 1).len(), 1, "{sql}");
        }
    }
}
