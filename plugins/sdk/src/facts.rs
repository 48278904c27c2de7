//! What the target holds: tables, columns, indexes, what statistics say of them, and the latest steps. Needs the grant `facts`;
//! a policy that uses this module asks for it in [`Policy::describe`](crate::Policy::describe).
//!
//! Only functions that are used become imports of the component. In a unit test, [`with`] takes the place of the host:
//!
//! ```
//! use runner_policy_sdk::facts;
//! use runner_policy_sdk::facts::{Facts, Relation};
//!
//! fn large() -> Vec<String> {
//!     let relations = facts::relations().unwrap_or_default();
//!     relations.into_iter().filter(|table| table.rows.is_none_or(|rows| rows > 1000)).map(|table| table.name).collect()
//! }
//!
//! let facts = Facts { relations: vec![Relation::table("patient").rows(5000)], ..Facts::default() };
//! assert_eq!(facts::with(facts, large), ["patient"]);
//! ```

pub use crate::bindings::facts::runner::policy::facts::Column;
pub use crate::bindings::facts::runner::policy::facts::ForeignKey;
pub use crate::bindings::facts::runner::policy::facts::Index;
pub use crate::bindings::facts::runner::policy::facts::LedgerEntry;
pub use crate::bindings::facts::runner::policy::facts::Outcome;
pub use crate::bindings::facts::runner::policy::facts::Relation;
pub use crate::bindings::facts::runner::policy::facts::RelationKind;
pub use crate::bindings::facts::runner::policy::facts::Trigger;

use crate::Failure;

/// All tables and views of the session's schema, ordered by name.
///
/// # Errors
/// The host could not collect them. Return it: a policy that can't see must not allow.
pub fn relations() -> Result<Vec<Relation>, Failure> {
    host::relations()
}

/// The latest steps, newest first; at most `limit`, and never more than 1000.
///
/// # Errors
/// As [`relations`].
pub fn recent(limit: u32) -> Result<Vec<LedgerEntry>, Failure> {
    host::recent(limit)
}

#[cfg(target_family = "wasm")]
use crate::bindings::facts::runner::policy::facts as host;

#[cfg(not(target_family = "wasm"))]
pub use host::Facts;
#[cfg(not(target_family = "wasm"))]
pub use host::with;

/// Natively there is no host, so a test gives the facts.
#[cfg(not(target_family = "wasm"))]
mod host {
    use std::cell::RefCell;

    use super::LedgerEntry;
    use super::Relation;
    use crate::Failure;

    /// What a test says that the target holds.
    #[derive(Clone, Debug, Default)]
    pub struct Facts {
        /// What [`relations`](super::relations) gives.
        pub relations: Vec<Relation>,
        /// What [`recent`](super::recent) gives, newest first.
        pub ledger: Vec<LedgerEntry>,
        /// What both give instead: the host can't collect facts.
        pub failure: Option<Failure>,
    }

    thread_local! {
        static GIVEN: RefCell<Option<Facts>> = const { RefCell::new(None) };
    }

    /// Takes the facts back, also when the test panics.
    struct Before(Option<Facts>);

    impl Drop for Before {
        fn drop(&mut self) {
            GIVEN.set(self.0.take());
        }
    }

    /// Runs a part of a test in which the target holds this. Only on this thread, and only natively.
    pub fn with<T>(facts: Facts, test: impl FnOnce() -> T) -> T {
        let _before = Before(GIVEN.replace(Some(facts)));
        test()
    }

    fn given<T>(part: impl FnOnce(&Facts) -> T) -> Result<T, Failure> {
        GIVEN.with_borrow(|given| match given {
            Some(Facts { failure: Some(failure), .. }) => Err(failure.clone()),
            Some(facts) => Ok(part(facts)),
            None => Err(Failure::new("no facts are given").help("give them with `facts::with` in a unit test")),
        })
    }

    pub(super) fn relations() -> Result<Vec<Relation>, Failure> {
        given(|facts| facts.relations.clone())
    }

    pub(super) fn recent(limit: u32) -> Result<Vec<LedgerEntry>, Failure> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(1000);
        given(|facts| facts.ledger.iter().take(limit).cloned().collect())
    }
}

impl Relation {
    /// A table without columns, of which the statistics know nothing.
    pub fn table(name: &str) -> Self {
        Relation {
            schema: None,
            name: name.to_owned(),
            kind: RelationKind::Table,
            rows: None,
            bytes: None,
            columns: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            definition: None,
        }
    }

    /// States the number of rows.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// States the size in bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// Adds an index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }
}

impl Column {
    /// A column that may be NULL.
    pub fn new(name: &str, data_type: &str) -> Self {
        Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            nullable: true,
            default: None,
            generated: false,
            primary_key: None,
            null_fraction: None,
            distinct_values: None,
        }
    }
}

impl Index {
    /// An index that may hold a value several times.
    pub fn new(name: &str, columns: &[&str]) -> Self {
        Index {
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            unique: false,
            primary: false,
            predicate: None,
            valid: true,
            bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_facts_there_is_a_failure() {
        assert!(relations().unwrap_err().help.unwrap().contains("facts::with"));
        let broken = Facts { failure: Some(Failure::new("gone")), ..Facts::default() };
        assert_eq!(with(broken, || recent(1)).unwrap_err().message, "gone");
    }

    #[test]
    fn facts_are_gone_after_the_test() {
        let one = Facts { relations: vec![Relation::table("a")], ..Facts::default() };
        let two = Facts { relations: vec![Relation::table("b")], ..Facts::default() };
        let names = || relations().unwrap().into_iter().map(|table| table.name).collect::<String>();
        assert_eq!(with(one, || names() + &with(two, names) + &names()), "aba");
        assert!(relations().is_err());
    }
}
