//! Which locks a statement takes, by what the documentation and the sources of the server say. `tests/it/locks.rs` compares it
//! with a real server.

mod alter_table;
mod maintenance;
mod queries;
mod relations;
mod retype;

use std::collections::HashSet;

use runner_policy_sdk::Failure;
use runner_policy_sdk::revision_lint::Blocked;
use runner_policy_sdk::revision_lint::Lock;
use squawk_syntax::ast;

use crate::knowledge;
use crate::names::Kind;
use crate::names::Name;
use crate::names::Object;
use crate::novelty::Newness;
use crate::review::Review;
use crate::server::Version;

pub(crate) use alter_table::is_serial;

/// Locks in an answer. What is left out is the weakest: a revision of so many statements mostly writes rows.
const MOST: usize = 5_000;

/// The levels of table locks, weakest first. A later one conflicts with all that an earlier one conflicts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::AccessShare => "ACCESS SHARE",
            Level::RowShare => "ROW SHARE",
            Level::RowExclusive => "ROW EXCLUSIVE",
            Level::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Level::Share => "SHARE",
            Level::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Level::Exclusive => "EXCLUSIVE",
            Level::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// What others wait for. That changes of the schema wait for readers and writers is not worth telling.
    fn blocked(self) -> Blocked {
        match self {
            Level::AccessShare | Level::RowShare | Level::RowExclusive => Blocked::Nothing,
            Level::ShareUpdateExclusive => Blocked::SchemaChanges,
            Level::Share | Level::ShareRowExclusive | Level::Exclusive => Blocked::Writes,
            Level::AccessExclusive => Blocked::ReadsAndWrites,
        }
    }
}

/// A lock that a statement takes.
#[derive(Debug)]
pub(crate) struct Forecast {
    /// Position of the statement.
    pub(crate) position: usize,
    pub(crate) object: Object,
    pub(crate) level: Level,
    pub(crate) rewrites: bool,
    pub(crate) scans: bool,
    /// What is to be said beside the name, if there is no name: which objects are meant.
    described: Option<String>,
    remark: Option<String>,
    /// Whether nobody else can know the object yet.
    pub(crate) is_new: bool,
}

/// The locks of one statement, each object once.
pub(crate) struct Locks<'a> {
    review: &'a Review,
    position: usize,
    found: Vec<Forecast>,
}

/// All locks of a section, in the order of its statements.
///
/// # Errors
/// Facts were needed and could not be had.
pub(crate) fn of(review: &Review) -> Result<Vec<Forecast>, Failure> {
    let mut all = Vec::new();
    for (position, statement) in review.parsed.statements.iter().enumerate().filter(|(_, statement)| statement.is_sound)
    {
        let mut locks = Locks { review, position, found: Vec::new() };
        locks.statement(&statement.node)?;
        all.append(&mut locks.found);
    }
    Ok(all)
}

/// The locks as the contract has them.
pub(crate) fn reported(review: &Review, forecast: &[Forecast]) -> Vec<Lock> {
    let is_long = forecast.len() > MOST;
    let mut told = HashSet::new();
    let mut locks = Vec::new();
    for one in forecast {
        let Some(statement) = review.parsed.statements[one.position].index else { continue };
        // In a long revision it is told once that rows of a table are read or written.
        if is_long && one.level <= Level::RowExclusive && !told.insert((&one.object, one.level)) {
            continue;
        }
        if locks.len() < MOST {
            locks.push(lock(one, statement));
        }
    }
    locks
}

fn lock(one: &Forecast, statement: u32) -> Lock {
    let remark = match (one.is_new, &one.remark) {
        (true, _) => Some("made by this plan, so nobody waits".to_owned()),
        (false, remark) => remark.clone(),
    };
    Lock {
        statement,
        object: one.described.clone().unwrap_or_else(|| one.object.name.to_string()),
        level: one.level.name().to_owned(),
        blocked: if one.is_new { Blocked::Nothing } else { one.level.blocked() },
        rewrites: one.rewrites,
        scans: one.scans,
        remark,
    }
}

impl Locks<'_> {
    fn version(&self) -> Version {
        self.review.situation.version.unwrap_or(Version::ASSUMED)
    }

    /// Takes a lock on a table, a view or a sequence.
    fn take(&mut self, name: Option<Name>, level: Level) -> Option<&mut Forecast> {
        self.take_object(Kind::Relation, name, level)
    }

    fn take_object(&mut self, kind: Kind, name: Option<Name>, level: Level) -> Option<&mut Forecast> {
        let object = Object::new(kind, name?);
        let known =
            self.found.iter().position(|found| found.object.kind == kind && found.object.name.may_be(&object.name));
        let index = known.unwrap_or_else(|| {
            let is_new = self.review.novelty.of(&object, self.position) == Newness::New;
            self.found.push(Forecast {
                position: self.position,
                object,
                level,
                rewrites: false,
                scans: false,
                described: None,
                remark: None,
                is_new,
            });
            self.found.len() - 1
        });
        let found = self.found.get_mut(index)?;
        found.level = found.level.max(level);
        Some(found)
    }

    /// Takes a lock on what has no name in the statement.
    fn take_described(&mut self, described: &str, level: Level) {
        let name = Name::bare(described);
        if let Some(found) = self.take_object(Kind::Relation, Some(name), level) {
            found.described = Some(described.to_owned());
        }
    }

    /// Takes locks on several.
    fn take_all(&mut self, names: impl IntoIterator<Item = Name>, level: Level) {
        for name in names {
            self.take(Some(name), level);
        }
    }

    /// Takes a lock on an index and on its table.
    ///
    /// # Errors
    /// Facts were needed and could not be had.
    fn take_index(&mut self, index: &Name, on_index: Level, on_table: Level) -> Result<Option<&mut Forecast>, Failure> {
        self.take_object(Kind::Index, Some(index.clone()), on_index);
        let table = match self.review.novelty.table_of(index) {
            Some(table) => Some(table.clone()),
            None => self.review.knowledge.table_of_index(index)?.map(knowledge::name),
        };
        if table.is_none() {
            self.take_described(&format!("table of the index {index}"), on_table);
            return Ok(self.found.last_mut());
        }
        Ok(self.take(table, on_table))
    }

    fn statement(&mut self, statement: &ast::Stmt) -> Result<(), Failure> {
        match statement {
            ast::Stmt::AlterTable(node) => self.alter_table(node)?,
            ast::Stmt::AlterForeignTable(node) => {
                self.take(Name::within(node.table_relation_name()), Level::AccessExclusive);
            }
            _ => {
                self.relations(statement)?;
                self.maintenance(statement)?;
                self.queries(statement);
            }
        }
        Ok(())
    }
}

/// What is to be added to a lock that is taken.
trait Told: Sized {
    /// The table is read as a whole.
    fn scanned(self) -> Self;
    /// The table is written anew as a whole.
    fn rewritten(self) -> Self;
    /// Something beside the level.
    fn remarked(self, remark: &str) -> Self;
}

impl Told for Option<&mut Forecast> {
    fn scanned(self) -> Self {
        let forecast = self?;
        forecast.scans = true;
        Some(forecast)
    }

    fn rewritten(self) -> Self {
        let forecast = self.scanned()?;
        forecast.rewrites = true;
        Some(forecast)
    }

    fn remarked(self, remark: &str) -> Self {
        let forecast = self?;
        forecast.remark = Some(remark.to_owned());
        Some(forecast)
    }
}
