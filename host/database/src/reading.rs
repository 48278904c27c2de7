//! Reading the runner's tables: what is the same for every dialect.

use crate::error::Error;
use crate::ledger::ChainCheck;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::state::joined;

/// Rows per query while the whole ledger is checked, to bound memory.
pub(crate) const CHECK_BATCH: i64 = 500;

/// A failed reading: the driver's error, rows that make no sense, or what is an error of the crate already.
#[derive(Debug)]
pub(crate) enum ReadError {
    Driver(sqlx::Error),
    Damaged { id: i64, reason: String },
    Known(Error),
}

pub(crate) type Result<T> = std::result::Result<T, ReadError>;

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<joined::Nonsense> for ReadError {
    fn from(row: joined::Nonsense) -> Self {
        Self::Damaged { id: row.id, reason: row.reason }
    }
}

impl ReadError {
    /// As the crate's error; `translate` handles the driver's.
    pub(crate) fn into_error(self, translate: impl FnOnce(sqlx::Error) -> Error) -> Error {
        match self {
            Self::Driver(error) => translate(error),
            Self::Damaged { id, reason } => Error::LedgerDamaged { id, reason },
            Self::Known(error) => error,
        }
    }
}

/// Ids below 1 are never assigned, and would hide from a check that begins at 1.
pub(crate) fn stray(id: i64) -> LedgerCheck {
    LedgerCheck::Damaged { id, reason: "ids begin at 1".to_owned() }
}

/// Accepts a batch of rows; the damage, if there is any. Rows that make no sense are damage too.
pub(crate) fn accept_all(
    check: &mut ChainCheck,
    rows: impl Iterator<Item = Result<LedgerRow>>,
) -> Result<Option<LedgerCheck>> {
    for row in rows {
        let row = match row {
            Err(ReadError::Damaged { id, reason }) => return Ok(Some(LedgerCheck::Damaged { id, reason })),
            row => row?,
        };
        if let Err((id, reason)) = check.accept(&row) {
            return Ok(Some(LedgerCheck::Damaged { id, reason }));
        }
    }
    Ok(None)
}
