//! What a statement does, as far as rules look at it. Places are bytes of the statement's text.

use std::ops::Range;

/// A name as it is written, without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

impl Name {
    /// A name without a schema that is written nowhere.
    pub(crate) fn bare(name: &str) -> Self {
        Name { schema: None, name: name.to_owned(), span: 0..0 }
    }

    /// Whether two names mean the same thing; case does not matter.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.name.eq_ignore_ascii_case(other)
    }
}

/// The type of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataType {
    /// Its words in capitals, without `UNSIGNED`, `SIGNED` and `ZEROFILL`; empty: none is written.
    pub(crate) name: String,
    /// What is in its parentheses: numbers, or strings without their quotes.
    pub(crate) arguments: Vec<String>,
    pub(crate) unsigned: bool,
    pub(crate) zerofill: bool,
    /// As written.
    pub(crate) charset: Option<String>,
    pub(crate) span: Range<usize>,
}

/// How a generated column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    Stored,
    Virtual,
}

/// The value of a column that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    Null,
    /// A literal.
    Constant(String),
    /// `CURRENT_TIMESTAMP` and the like, which is one value for all rows.
    Now,
    /// An expression in parentheses, or a call.
    Expression,
}

/// A column, as `CREATE TABLE` or `ALTER TABLE` defines it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Of its name.
    pub(crate) span: Range<usize>,
    pub(crate) data_type: DataType,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Default>,
    pub(crate) default_span: Range<usize>,
    pub(crate) primary_key: bool,
    pub(crate) unique: bool,
    pub(crate) check: bool,
    pub(crate) auto_increment: bool,
    /// Where `REFERENCES` is written, and what it refers to.
    pub(crate) references: Option<Reference>,
    pub(crate) generated: Option<Generated>,
    /// `FIRST` or `AFTER`.
    pub(crate) placed: bool,
}

/// What a foreign key refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) table: Name,
    pub(crate) columns: Vec<String>,
    /// Of `ON DELETE CASCADE`.
    pub(crate) delete_cascades: Option<Range<usize>>,
    pub(crate) span: Range<usize>,
}

/// Kinds of indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    Plain,
    Unique,
    Fulltext,
    Spatial,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: Option<Name>,
    pub(crate) kind: IndexKind,
    /// Names of columns, or expressions as they are written.
    pub(crate) columns: Vec<String>,
    pub(crate) partial: bool,
    pub(crate) span: Range<usize>,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) name: Option<Name>,
    pub(crate) what: ConstraintKind,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    PrimaryKey(Vec<String>),
    Unique(Vec<String>),
    ForeignKey {
        columns: Vec<String>,
        reference: Reference,
    },
    Check {
        enforced: bool,
    },
    /// What only PostgreSQL or MariaDB has.
    Other,
}

/// A new table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) indexes: Vec<Index>,
    /// Options such as `ENGINE`, in capitals, with what they are set to.
    pub(crate) options: Vec<TableOption>,
    pub(crate) temporary: bool,
    pub(crate) if_not_exists: bool,
    /// Of `REPLACE`: what was there before is dropped.
    pub(crate) replaces: Option<Range<usize>>,
    /// Its columns come from another table or a query.
    pub(crate) derived: bool,
    /// Of what goes between `TABLE` and the name, where `IF NOT EXISTS` belongs.
    pub(crate) name_start: usize,
}

/// `ENGINE = InnoDB` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableOption {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) span: Range<usize>,
}

/// One change of `ALTER TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) what: ChangeKind,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    AddColumn {
        column: Column,
        if_not_exists: bool,
    },
    DropColumn {
        column: Name,
        if_exists: bool,
    },
    /// `MODIFY`, or `CHANGE` with another name.
    Redefine {
        old: Name,
        column: Column,
        if_exists: bool,
    },
    RenameColumn {
        old: Name,
        new: Name,
    },
    RenameTable(Name),
    /// `ALTER COLUMN … TYPE`.
    ChangeType {
        column: Name,
        data_type: DataType,
    },
    SetNotNull(Name),
    DropNotNull(Name),
    /// Default, comment, visibility: what changes nothing that is stored.
    Metadata,
    AddIndex(Index),
    DropIndex(Name),
    RenameIndex,
    AddConstraint(Constraint),
    DropPrimaryKey,
    DropForeignKey(Name),
    /// A constraint of which the name does not tell the kind.
    DropConstraint(Name),
    DropPartition(String),
    TruncatePartition(String),
    /// Other work on partitions.
    Partition,
    Engine(String),
    /// `CONVERT TO CHARACTER SET`
    Convert(String),
    /// `FORCE`, `ORDER BY`, `ROW_FORMAT` and the like.
    Rebuild(String),
    Algorithm(String),
    Lock(String),
    /// Not understood.
    Unknown(String),
}

/// How rows come into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Values,
    Query,
}

/// What a query that fills a table takes from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Names of columns, `*` for all of them, and nothing for an expression.
    pub(crate) items: Vec<String>,
    /// The table from which the rows come; `None`: it is more than one, or a query.
    pub(crate) from: Option<String>,
    /// Where it leaves rows out, or may do so.
    pub(crate) leaves_out: Option<Range<usize>>,
}

/// What is dropped by a statement of its own, without much that depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    View,
    Trigger,
    /// Procedures, functions, events, sequences, types and whatever else there is.
    Other,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    CreateTable {
        name: Name,
        table: Table,
    },
    AlterTable {
        table: Name,
        changes: Vec<Change>,
        if_exists: bool,
    },
    DropTable {
        names: Vec<Name>,
        if_exists: bool,
        temporary: bool,
        cascade: Option<Range<usize>>,
        name_start: usize,
    },
    RenameTables(Vec<(Name, Name)>),
    CreateIndex {
        table: Name,
        index: Index,
        if_not_exists: bool,
        concurrently: bool,
        options: Vec<Change>,
        name_start: usize,
    },
    DropIndex {
        names: Vec<Name>,
        table: Option<Name>,
        if_exists: bool,
        options: Vec<Change>,
        name_start: usize,
    },
    CreateDatabase(Option<Name>),
    AlterDatabase,
    DropDatabase(Name),
    CreateView {
        name: Name,
        query: Range<usize>,
        definer: Option<Range<usize>>,
    },
    CreateTrigger {
        name: Name,
        table: Option<Name>,
        definer: Option<Range<usize>>,
    },
    /// A procedure, function or event; its body is not looked into.
    CreateRoutine {
        definer: Option<Range<usize>>,
    },
    CreateOther,
    Drop {
        object: Object,
        names: Vec<Name>,
        if_exists: bool,
        name_start: usize,
    },
    Alter,
    Truncate {
        tables: Vec<Name>,
        cascade: Option<Range<usize>>,
    },
    /// `condition`: what follows `WHERE`.
    Update {
        table: Option<Name>,
        columns: Vec<String>,
        condition: Option<Range<usize>>,
        limited: bool,
    },
    Delete {
        table: Option<Name>,
        condition: Option<Range<usize>>,
        limited: bool,
    },
    Insert {
        table: Name,
        rows: Rows,
        has_columns: bool,
        columns: Vec<String>,
        source: Vec<String>,
        /// Of `Rows::Query`.
        selection: Option<Selection>,
    },
    Select,
    Grant {
        all: Option<Range<usize>>,
        public: Option<Range<usize>>,
        option: Option<Range<usize>>,
    },
    Revoke,
    /// `CREATE USER`, `ALTER ROLE`, `SET PASSWORD` and the like, in the words that are written.
    Account(String),
    Pragma {
        name: String,
        value: Option<String>,
    },
    /// `SET`: variables in lower case with their values.
    Set(Vec<Setting>),
    Begin,
    Commit,
    Rollback,
    Savepoint,
    LockTables,
    Maintain(String),
    /// It runs statements of its own, or from a string, that nobody has read.
    RunsOthers,
    /// Anything else that is known and of which no rule wants to know more.
    Other,
}

/// A variable that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) global: bool,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) span: Range<usize>,
}

impl Deed {
    /// Whether it changes rows.
    pub(crate) fn changes_data(&self) -> bool {
        matches!(self, Deed::Update { .. } | Deed::Delete { .. } | Deed::Insert { .. } | Deed::Truncate { .. })
    }

    /// Whether it changes the schema of data that stays: temporary tables do not count.
    pub(crate) fn changes_schema(&self) -> bool {
        match self {
            Deed::CreateTable { table, .. } => !table.temporary,
            Deed::DropTable { temporary, .. } => !temporary,
            Deed::AlterTable { .. }
            | Deed::RenameTables(_)
            | Deed::CreateIndex { .. }
            | Deed::DropIndex { .. }
            | Deed::CreateDatabase(_)
            | Deed::AlterDatabase
            | Deed::DropDatabase(_)
            | Deed::CreateView { .. }
            | Deed::CreateTrigger { .. }
            | Deed::CreateRoutine { .. }
            | Deed::CreateOther
            | Deed::Drop { .. }
            | Deed::Alter => true,
            _ => false,
        }
    }
}
