//! The ledger's step rows as one text. However many rows there are, few cross the driver's channel: the database joins the
//! columns that matter, and the rows, with control characters that none of them ever holds.

use crate::ledger::LedgerStatus;
use crate::script::StepDirection;

use super::StepRow;

/// Between columns: the character with this code.
pub(crate) const BETWEEN_COLUMNS: u8 = 0x1f;
/// After each row: the character with this code.
pub(crate) const AFTER_ROW: u8 = 0x1e;

/// The columns of [`StepRow`] in its order.
pub(crate) const STEP_COLUMNS: [&str; 10] = [
    "id",
    "revision",
    "direction",
    "status",
    "checksum",
    "sql_checksum",
    "statements_done",
    "statements_total",
    "started_at",
    "finished_at",
];

/// A row that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nonsense {
    pub(crate) id: i64,
    pub(crate) reason: String,
}

/// Texts of which each ends as rows do.
pub(crate) fn texts(joined: &str) -> impl Iterator<Item = &str> {
    joined.split_terminator(char::from(AFTER_ROW))
}

/// An id and a text joined as columns.
pub(crate) fn id_and_text(joined: &str) -> (i64, &str) {
    let (id, text) = joined.split_once(char::from(BETWEEN_COLUMNS)).unwrap_or((joined, ""));
    (id.parse().unwrap_or_default(), text)
}

/// The rows of a joined text, oldest first.
pub(crate) fn step_rows(joined: &str) -> Result<Vec<StepRow<'_>>, Nonsense> {
    let read = |row| {
        step_row(row)
            .ok_or_else(|| Nonsense { id: id_and_text(row).0, reason: "its direction or status is unknown".to_owned() })
    };
    let mut rows = texts(joined).map(read).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

fn step_row(text: &str) -> Option<StepRow<'_>> {
    let mut columns = text.split(char::from(BETWEEN_COLUMNS));
    let mut next = || columns.next();
    let count = |text: &str| text.parse().unwrap_or_default();
    Some(StepRow {
        id: next()?.parse().ok()?,
        revision: next()?,
        direction: StepDirection::parse(next()?)?,
        status: LedgerStatus::parse(next()?)?,
        checksum: next()?,
        sql_checksum: next()?,
        statements_done: count(next()?),
        statements_total: count(next()?),
        started_at: next()?,
        finished_at: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: [&str; 10]) -> String {
        columns.join("\u{1f}")
    }

    #[test]
    fn rows_are_ordered_by_number_and_empty_columns_are_none() {
        let later = row(["10", "b", "down", "reverted", "c", "s", "", "", "t0", ""]);
        let first = row(["9", "a", "up", "applied", "c", "s", "2", "3", "t0", "t1"]);
        let joined = format!("{later}\u{1e}{first}\u{1e}");
        let rows = step_rows(&joined).unwrap();
        assert_eq!((rows[0].id, rows[0].revision, rows[0].statements_total), (9, "a", 3));
        assert_eq!((rows[1].id, rows[1].direction, rows[1].statements_done), (10, StepDirection::Down, 0));
        assert_eq!(step_rows(""), Ok(Vec::new()));
        assert_eq!(texts("\u{1e}a\u{1e}").collect::<Vec<_>>(), ["", "a"]);
    }

    #[test]
    fn a_row_that_is_cut_off_or_of_an_unknown_status_is_named() {
        for text in ["7\u{1f}a\u{1f}up".to_owned(), row(["7", "a", "up", "done", "c", "s", "", "", "", ""])] {
            assert_eq!(step_rows(&text).unwrap_err().id, 7);
        }
    }
}
