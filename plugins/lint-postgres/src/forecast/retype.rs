//! Changes of a column's type that leave the rows as they are.

use runner_policy_sdk::Failure;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::names::Name;
use crate::review::Review;

/// A type with its length or its precision and scale, as in `numeric(12,2)`.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    name: String,
    arguments: Vec<u32>,
}

/// Whether a column keeps its rows when it gets another type. Without facts nobody knows the old type.
///
/// # Errors
/// Facts were needed and could not be had.
pub(crate) fn keeps_rows(review: &Review, table: &Name, column: &str, change: &ast::SetType) -> Result<bool, Failure> {
    if change.using_expr().is_some() || change.collate().is_some() {
        return Ok(false);
    }
    let Some(new) = change.ty() else { return Ok(false) };
    let Some(relation) = review.knowledge.relation(table)? else { return Ok(false) };
    let old = relation.columns.iter().find(|its| its.name == column);
    Ok(old.is_some_and(|old| is_wider(&read(&old.data_type), &read(&new.syntax().to_string()))))
}

/// Whether every value of the one type is stored alike as one of the other.
fn is_wider(old: &Written, new: &Written) -> bool {
    let argument = |of: &Written, index: usize| of.arguments.get(index).copied();
    match (old.name.as_str(), new.name.as_str()) {
        ("character varying" | "text", "text") => true,
        ("text", "character varying") => new.arguments.is_empty(),
        ("character varying", "character varying") | ("bit varying", "bit varying") => {
            longer(argument(old, 0), argument(new, 0))
        }
        ("numeric", "numeric") => {
            new.arguments.is_empty()
                || !old.arguments.is_empty()
                    && longer(argument(old, 0), argument(new, 0))
                    && argument(old, 1).unwrap_or(0) == argument(new, 1).unwrap_or(0)
        }
        ("cidr", "inet") => true,
        _ => false,
    }
}

/// Whether a length is at least as long as another; `none` is unlimited.
fn longer(old: Option<u32>, new: Option<u32>) -> bool {
    new.is_none_or(|new| old.is_some_and(|old| old <= new))
}

/// Reads a type as the server or a person writes it.
fn read(text: &str) -> Written {
    let text = text.trim().to_ascii_lowercase();
    let (name, arguments) = text.split_once('(').unwrap_or((&text, ""));
    let arguments = arguments.trim_end_matches(')').split(',').filter_map(|part| part.trim().parse().ok()).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = match name.strip_prefix("pg_catalog.").unwrap_or(&name) {
        "varchar" | "char varying" => "character varying",
        "decimal" | "dec" => "numeric",
        "varbit" => "bit varying",
        other => other,
    };
    Written { name: name.to_owned(), arguments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_only_get_wider_keep_their_rows() {
        for (old, new, expected) in [
            ("character varying(80)", "varchar(120)", true),
            ("character varying(80)", "varchar(80)", true),
            ("character varying(80)", "varchar(40)", false),
            ("character varying(80)", "text", true),
            ("character varying", "varchar(40)", false),
            ("text", "varchar", true),
            ("text", "varchar(10)", false),
            ("numeric(10,2)", "numeric(12, 2)", true),
            ("numeric(10,2)", "numeric(12, 3)", false),
            ("numeric(10,2)", "decimal", true),
            ("numeric", "numeric(12,2)", false),
            ("integer", "bigint", false),
            ("cidr", "inet", true),
            ("inet", "cidr", false),
            ("bit varying(4)", "varbit(8)", true),
            ("integer", "integer", false),
        ] {
            assert_eq!(is_wider(&read(old), &read(new)), expected, "{old} to {new}");
        }
    }
}
