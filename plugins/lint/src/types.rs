//! What it costs MySQL and MariaDB to change one type of a column into another.

use runner_policy_sdk::Dialect;

use crate::cursor::Cursor;
use crate::deed::DataType;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::Lexemes;
use crate::reading::Grammar;

/// What a change of the type does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is the same type.
    None,
    /// Only the definition changes.
    Instant,
    /// The table is written anew, and all values fit.
    Rewrites,
    /// The same, and values may not fit.
    Narrows,
}

/// The types of whole numbers with their sizes in bytes.
const INTEGERS: [(&str, u32); 7] =
    [("TINYINT", 1), ("SMALLINT", 2), ("MEDIUMINT", 3), ("INT", 4), ("INTEGER", 4), ("BIGINT", 8), ("BOOL", 1)];
/// Texts and blobs without a length that counts, by their capacity.
const LONG: [(&str, u32); 8] = [
    ("TINYTEXT", 1),
    ("TEXT", 2),
    ("MEDIUMTEXT", 3),
    ("LONGTEXT", 4),
    ("TINYBLOB", 1),
    ("BLOB", 2),
    ("MEDIUMBLOB", 3),
    ("LONGBLOB", 4),
];

/// Reads a type as the server writes it, as in `varchar(80)` or `enum('a','b')`.
pub(crate) fn read(text: &str) -> DataType {
    let lexemes: Vec<Lexeme> =
        Lexemes::new(text, Dialect::Mysql).filter(|lexeme| lexeme.kind != Kind::Comment).collect();
    let grammar = Grammar { dialect: Dialect::Mysql };
    grammar.data_type(&mut Cursor::new(text, &lexemes)).unwrap_or_default()
}

/// Compares a type that the server has with one that is written. Doubt counts as narrowing.
pub(crate) fn compare(known: &str, new: &DataType) -> Change {
    let old = read(known);
    let canonical = |data_type: &DataType| match data_type.name.as_str() {
        "INTEGER" | "INT4" => "INT".to_owned(),
        "BOOL" | "BOOLEAN" => "TINYINT".to_owned(),
        "NUMERIC" | "DEC" | "FIXED" => "DECIMAL".to_owned(),
        "CHARACTER VARYING" | "CHAR VARYING" => "VARCHAR".to_owned(),
        "CHARACTER" => "CHAR".to_owned(),
        "DOUBLE PRECISION" | "REAL" => "DOUBLE".to_owned(),
        name => name.to_owned(),
    };
    let (from, to) = (canonical(&old), canonical(new));
    let number =
        |list: &[(&str, u32)], name: &str| list.iter().find(|(known, _)| *known == name).map(|(_, size)| *size);
    if let (Some(before), Some(after)) = (number(&INTEGERS, &from), number(&INTEGERS, &to)) {
        return match () {
            // The width in parentheses is for display alone.
            () if before == after && old.unsigned == new.unsigned => Change::None,
            () if old.unsigned == new.unsigned && after > before => Change::Rewrites,
            () if old.unsigned && after > before => Change::Rewrites,
            () => Change::Narrows,
        };
    }
    if let (Some(before), Some(after)) = (number(&LONG, &from), number(&LONG, &to)) {
        let same_kind = from.ends_with("TEXT") == to.ends_with("TEXT");
        return match before.cmp(&after) {
            std::cmp::Ordering::Equal if same_kind => Change::None,
            std::cmp::Ordering::Less if same_kind => Change::Rewrites,
            _ => Change::Narrows,
        };
    }
    let length =
        |data_type: &DataType, at: usize| data_type.arguments.get(at).and_then(|length| length.parse::<u32>().ok());
    match (from.as_str(), to.as_str()) {
        ("VARCHAR", "VARCHAR") | ("VARBINARY", "VARBINARY") => {
            let (Some(before), Some(after)) = (length(&old, 0), length(new, 0)) else { return Change::Narrows };
            // Characters of four bytes; the length itself is kept in one byte up to 255.
            let unit = if from == "VARCHAR" { 4 } else { 1 };
            let in_one_byte = |characters: u32| characters.saturating_mul(unit) <= 255;
            match () {
                () if before == after => Change::None,
                () if after < before => Change::Narrows,
                () if in_one_byte(before) == in_one_byte(after) => Change::Instant,
                () => Change::Rewrites,
            }
        }
        ("CHAR", "CHAR" | "VARCHAR") | ("BINARY", "BINARY" | "VARBINARY") => {
            match (length(&old, 0).unwrap_or(1), length(new, 0).unwrap_or(1)) {
                (before, after) if before == after && from == to => Change::None,
                (before, after) if after >= before => Change::Rewrites,
                _ => Change::Narrows,
            }
        }
        ("DECIMAL", "DECIMAL") => {
            let digits = |data_type: &DataType| (length(data_type, 0).unwrap_or(10), length(data_type, 1).unwrap_or(0));
            let ((precision, scale), (wide, fine)) = (digits(&old), digits(new));
            match () {
                () if (precision, scale) == (wide, fine) && old.unsigned == new.unsigned => Change::None,
                () if fine >= scale
                    && wide.saturating_sub(fine) >= precision.saturating_sub(scale)
                    && !new.unsigned =>
                {
                    Change::Rewrites
                }
                () => Change::Narrows,
            }
        }
        ("VARCHAR" | "CHAR", "TEXT" | "MEDIUMTEXT" | "LONGTEXT") | ("FLOAT", "DOUBLE") | ("DATE", "DATETIME") => {
            Change::Rewrites
        }
        (before, after) if before == after && old.arguments == new.arguments && old.unsigned == new.unsigned => {
            Change::None
        }
        _ => Change::Narrows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_as_the_server_does() {
        use Change::*;
        for (old, new, expected) in [
            ("int(11)", "INT", None),
            ("int", "INTEGER", None),
            ("int", "BIGINT", Rewrites),
            ("int unsigned", "BIGINT", Rewrites),
            ("int", "INT UNSIGNED", Narrows),
            ("int unsigned", "INT", Narrows),
            ("bigint", "INT", Narrows),
            ("tinyint(1)", "BOOLEAN", None),
            ("varchar(40)", "VARCHAR(60)", Instant),
            ("varchar(40)", "varchar(40)", None),
            ("varchar(40)", "VARCHAR(80)", Rewrites),
            ("varchar(100)", "VARCHAR(500)", Instant),
            ("varchar(100)", "VARCHAR(50)", Narrows),
            ("varbinary(16)", "VARBINARY(255)", Instant),
            ("varchar(100)", "TEXT", Rewrites),
            ("text", "VARCHAR(100)", Narrows),
            ("text", "LONGTEXT", Rewrites),
            ("longtext", "TEXT", Narrows),
            ("text", "LONGBLOB", Narrows),
            ("char(2)", "CHAR(3)", Rewrites),
            ("decimal(10,2)", "DECIMAL(12,2)", Rewrites),
            ("decimal(10,2)", "DECIMAL(12,4)", Rewrites),
            ("decimal(10,2)", "DECIMAL(10,4)", Narrows),
            ("decimal(10,2)", "NUMERIC(10,2)", None),
            ("datetime", "DATETIME", None),
            ("datetime", "DATE", Narrows),
            ("datetime(3)", "DATETIME(6)", Narrows),
            ("json", "JSON", None),
            ("", "INT", Narrows),
        ] {
            assert_eq!(compare(old, &read(new)), expected, "{old} → {new}");
        }
    }
}
