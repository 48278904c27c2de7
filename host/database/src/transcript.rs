//! A backend that runs nothing: what a run tells it, it writes down as a script for the database's own client.
//!
//! A script is made by the same code that runs revisions, so it does the same in the same order. What can only be known when
//! it is run (times, and the end of the ledger's chain) is left to SQL.

mod nesting;

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use runner_chain::Dialect;

use crate::backend::Backend;
use crate::backend::LockAttempt;
use crate::backend::Placement;
use crate::backend::Server;
use crate::backend::Tables;
use crate::contents::Placing;
use crate::contents::RowSink;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableName;
use crate::error::Error;
use crate::error::Result;
use crate::facts::Facts;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::ledger::LedgerStatus;
use crate::lock::Holder;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::Written;
use crate::preflight::PreflightProblem;
use crate::run::RunInfo;
use crate::schema::Schema;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::state::LedgerTail;
use crate::state::State;

use self::nesting::Nesting;

/// The state that a script begins with.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// The version rows and, if it was read, what the ledger says.
    pub state: State,
    /// Whether the state was read from the target. Then the script works in exactly this state of the ledger, else
    /// wherever the version rows are these.
    pub is_read: bool,
    /// Revisions whose down section the script runs. Where the state was not read, it must not be that their up section was
    /// skipped: then there is nothing to undo.
    pub reverts: Vec<String>,
}

/// What people read in a script.
#[derive(Debug, Clone, Default)]
pub struct Headings {
    /// Lines at the top, without comment signs.
    pub script: Vec<String>,
    /// For each step that is run, in order.
    pub steps: Vec<StepHeading>,
}

/// What people read in one step of a script.
#[derive(Debug, Clone, Default)]
pub struct StepHeading {
    /// The lines above it, without comment signs.
    pub lines: Vec<String>,
    /// Statements that have comments above them, in order, with the lines of those.
    pub comments: Vec<(String, Vec<String>)>,
}

/// How a dialect writes what a run does.
pub(crate) trait Pen: Send {
    fn dialect(&self) -> Dialect;
    fn server(&self) -> &Server;
    fn transactional_ddl(&self) -> bool;

    /// The command that runs a script from its standard input, as an example.
    fn command(&self) -> &'static str;
    /// Everything before the first step: the client's settings, the session's, the lock, the tables, what the rows below
    /// rest on, and the refusal to begin anywhere but at the beginning.
    fn opening(&self, info: &RunInfo, beginning: &Beginning) -> Result<String>;
    /// Remembers when a step begins.
    fn clock(&self) -> &'static str;
    fn begin(&self) -> &'static str;
    /// A statement with whatever ends it for the client.
    fn statement(&self, sql: &str) -> String;
    /// What follows a statement that takes away what the script itself rests on; mostly nothing.
    fn after(&self, _sql: &str, _info: &RunInfo) -> Result<String> {
        Ok(String::new())
    }
    /// The version rows and the ledger rows of a step; `as_login`: a script's `SET ROLE` is taken back for them.
    fn record(&self, change: &VersionChange, rows: &[LedgerRow], as_login: bool) -> Result<String>;
    /// Makes the session that of a fresh one, after these statements of a step.
    fn reset(&self, info: &RunInfo, statements: &[String]) -> Result<String>;
    /// Whether that can be part of a transaction.
    fn resets_inside_transactions(&self) -> bool {
        false
    }
    /// What follows the last step.
    fn closing(&self) -> String;

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem>;
    fn placement(&self, statement: &str) -> Placement;
    fn is_session_statement(&self, statement: &str) -> bool;
    fn changes_session(&self, statement: &str) -> bool {
        self.is_session_statement(statement)
    }
}

/// The script that is being written.
pub(crate) struct Transcript {
    pen: Box<dyn Pen>,
    target: String,
    beginning: Beginning,
    info: Option<RunInfo>,
    steps: VecDeque<StepHeading>,
    /// Of the current step, as far as their statements are still to come.
    comments: VecDeque<(String, Vec<String>)>,
    text: String,
    nesting: Nesting,
    /// Statements of the current step that have changed the session.
    changes: Vec<String>,
}

impl Transcript {
    pub(crate) fn new(pen: Box<dyn Pen>, target: String, beginning: Beginning) -> Self {
        Self {
            pen,
            target,
            beginning,
            info: None,
            steps: VecDeque::new(),
            comments: VecDeque::new(),
            text: String::new(),
            nesting: Nesting::default(),
            changes: Vec::new(),
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn comment(&mut self, lines: &[String]) {
        // A line break in a title would end the comment.
        for line in lines.iter().flat_map(|line| line.split(['\n', '\r'])).filter(|line| !line.contains('\0')) {
            self.line(format!("-- {line}").trim_end());
        }
    }

    fn write_books(&mut self, change: &VersionChange, rows: &[LedgerRow], commit: bool) -> Result<()> {
        // As online: between the statements of a script's own transaction its role stays as it is.
        let is_progress = rows.last().and_then(LedgerRow::known_status) == Some(LedgerStatus::Progress);
        let as_login = !self.changes.is_empty() && (commit || !is_progress);
        let books = self.pen.record(change, rows, as_login)?;
        self.line(&books);
        Ok(())
    }

    fn no_database(&self) -> Error {
        Error::Unreadable {
            target: self.target.clone(),
            message: "a script with a range is written without looking at it".to_owned(),
            hint: "leave out the start of the range, and the script begins where the database is".to_owned(),
        }
    }
}

#[async_trait]
impl Backend for Transcript {
    fn dialect(&self) -> Dialect {
        self.pen.dialect()
    }

    fn server(&self) -> &Server {
        self.pen.server()
    }

    fn transactional_ddl(&self) -> bool {
        self.pen.transactional_ddl()
    }

    async fn state(&mut self) -> Result<State> {
        Ok(self.beginning.state.clone())
    }

    async fn tables_and_tail(&mut self) -> Result<(Tables, LedgerTail)> {
        // The opening makes sure of the tables, and rows are numbered when they are written.
        Ok((Tables { version: true, ledger: true }, LedgerTail::empty()))
    }

    async fn ledger(&mut self, _limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        Err(self.no_database())
    }

    async fn verify_ledger(&mut self) -> Result<LedgerCheck> {
        Err(self.no_database())
    }

    async fn facts(&mut self, _limit: Duration) -> Result<Facts> {
        Err(self.no_database())
    }

    async fn schema(&mut self) -> Result<Schema> {
        Err(self.no_database())
    }

    async fn begin_reading(&mut self) -> Result<()> {
        Err(self.no_database())
    }

    async fn tables(&mut self) -> Result<Vec<Table>> {
        Err(self.no_database())
    }

    async fn read_rows(&mut self, _rows: Rows<'_>, _sink: &mut dyn RowSink) -> Result<u64> {
        Err(self.no_database())
    }

    async fn ask(&mut self, _sql: String) -> Result<Vec<Texts>> {
        Err(self.no_database())
    }

    async fn ask_within(&mut self, _sql: String, _limit: Duration) -> Result<Option<Vec<Texts>>> {
        Err(self.no_database())
    }

    async fn begin_loading(&mut self, _tables: &[&Table]) -> Result<()> {
        Err(self.no_database())
    }

    async fn empty_table(&mut self, _table: &Table) -> Result<()> {
        Err(self.no_database())
    }

    async fn load_rows(&mut self, _rows: Rows<'_>, _placing: Placing<'_>, _from: &mut dyn RowSource) -> Result<u64> {
        Err(self.no_database())
    }

    async fn end_loading(&mut self, _keep: Option<(&VersionChange, &[LedgerRow])>) -> Result<()> {
        Err(self.no_database())
    }

    fn own_tables(&self) -> [TableName; 3] {
        ["version", "ledger", "outbox"].map(|name| TableName { schema: None, name: name.to_owned() })
    }

    async fn objects(&mut self) -> Result<Vec<String>> {
        Err(self.no_database())
    }

    fn foreign_tables(&self, _message: &str) -> Error {
        self.no_database()
    }

    fn holder(&self) -> Option<Holder> {
        None
    }

    async fn try_lock(&mut self, _me: &Holder) -> Result<LockAttempt> {
        // The script takes it when it is run.
        Ok(LockAttempt::Acquired)
    }

    async fn unlock(&mut self) -> Result<()> {
        Ok(())
    }

    fn start_script(&mut self, info: &RunInfo, headings: Headings) -> Result<()> {
        let opening = self.pen.opening(info, &self.beginning)?;
        self.comment(&headings.script);
        self.comment(&[String::new(), format!("Run it with: {}", self.pen.command())]);
        self.line("\n");
        self.line(&opening);
        self.steps = headings.steps.into();
        self.info = Some(info.clone());
        Ok(())
    }

    fn take_script(&mut self) -> Option<String> {
        let closing = self.pen.closing();
        self.line(&closing);
        self.line("\n-- End of the script.");
        Some(std::mem::take(&mut self.text))
    }

    fn announce(&mut self) {
        self.line("\n");
        let heading = self.steps.pop_front().unwrap_or_default();
        self.comment(&heading.lines);
        self.comments = heading.comments.into();
        self.line(self.pen.clock());
    }

    async fn begin(&mut self) -> Result<()> {
        self.line(self.pen.begin());
        self.nesting.begin();
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        self.line("COMMIT;");
        self.nesting.end();
        Ok(())
    }

    async fn rollback(&mut self) -> Result<()> {
        // Only an error asks for it, and then there is no script.
        self.nesting.end();
        Ok(())
    }

    async fn in_transaction(&mut self) -> Result<bool> {
        Ok(self.nesting.is_open())
    }

    async fn execute(&mut self, sql: &str) -> Result<()> {
        if let Some(at) = self.comments.iter().position(|(statement, _)| statement == sql) {
            let comment = self.comments.drain(..=at).next_back();
            self.comment(&comment.map_or_else(Vec::new, |(_, lines)| lines));
        }
        let statement = self.pen.statement(sql);
        self.line(&statement);
        self.nesting.hear(sql, self.pen.dialect(), self.pen.placement(sql));
        if self.pen.changes_session(sql) {
            self.changes.push(sql.to_owned());
        }
        if let Some(info) = &self.info {
            let after = self.pen.after(sql, info)?;
            self.line(&after);
        }
        Ok(())
    }

    async fn ensure_tables(&mut self, _have: Tables) -> Result<()> {
        Ok(())
    }

    async fn record(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        self.write_books(change, rows, false)
    }

    async fn record_and_commit(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        self.write_books(change, rows, true)?;
        self.commit().await
    }

    fn outbox(&self) -> Result<Speech> {
        Err(Error::ReadOnly)
    }

    async fn write_outbox(&mut self, _sql: String) -> Result<Written> {
        Err(Error::ReadOnly)
    }

    async fn read_outbox(&mut self, _sql: String) -> Result<Option<Vec<Texts>>> {
        Err(Error::ReadOnly)
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        self.pen.preflight(script)
    }

    fn placement(&self, statement: &str) -> Placement {
        self.pen.placement(statement)
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        self.pen.is_session_statement(statement)
    }

    fn changes_session(&self, statement: &str) -> bool {
        self.pen.changes_session(statement)
    }

    fn resets_inside_transactions(&self) -> bool {
        self.pen.resets_inside_transactions()
    }

    async fn reset_session(&mut self) -> Result<()> {
        let Some(info) = &self.info else { return Ok(()) };
        // Nothing follows the last step.
        if !self.steps.is_empty() {
            let reset = self.pen.reset(info, &self.changes)?;
            self.line("\n-- What the step above set in the session is taken back.");
            self.line(&reset);
        }
        self.changes.clear();
        Ok(())
    }

    fn interrupt(&mut self) {}

    fn abandon(&mut self) {}

    async fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A condition that is true where the version rows, and the end of the ledger if it was read, are those of the beginning.
/// The names are SQL text, and `literal` makes SQL text of a value.
pub(crate) fn stands_at(
    beginning: &Beginning,
    version: &str,
    ledger: &str,
    literal: impl Fn(&str) -> Result<String>,
) -> Result<String> {
    let rows = &beginning.state.versions;
    let mut conditions = vec![format!("(SELECT count(*) FROM {version}) = {}", rows.len())];
    if !rows.is_empty() {
        let list: Vec<String> = rows.iter().map(|row| literal(row)).collect::<Result<_>>()?;
        conditions.push(format!(
            "(SELECT count(*) FROM {version} WHERE version_num IN ({})) = {}",
            list.join(", "),
            rows.len()
        ));
    }
    if !beginning.is_read {
        // A half-way revision goes on at the statement that the ledger names, which this script does not know.
        conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM {ledger} AS begun WHERE \
             (begun.status IN ('started', 'progress') OR (begun.status = 'failed' AND begun.statements_done > 0)) \
             AND NOT EXISTS (SELECT 1 FROM {ledger} AS settled WHERE settled.revision = begun.revision AND settled.id > begun.id \
             AND (settled.status IN ('applied', 'skipped', 'stamped', 'reverted', 'unstamped') \
             OR (settled.status = 'failed' AND settled.statements_done = 0))))"
        ));
        if !beginning.reverts.is_empty() {
            let list: Vec<String> =
                beginning.reverts.iter().map(|revision| literal(revision)).collect::<Result<_>>()?;
            conditions.push(format!(
                "NOT EXISTS (SELECT 1 FROM {ledger} AS passed WHERE passed.revision IN ({}) AND passed.status = 'skipped' \
                 AND NOT EXISTS (SELECT 1 FROM {ledger} AS later WHERE later.revision = passed.revision AND later.id > passed.id \
                 AND later.status IN ('applied', 'stamped', 'reverted', 'unstamped')))",
                list.join(", ")
            ));
        }
    } else {
        conditions.push(match &beginning.state.tail {
            None => format!("(SELECT count(*) FROM {ledger}) = 0"),
            Some(tail) => format!(
                "(SELECT count(*) FROM {ledger} WHERE id >= {id}) = 1 AND \
                 (SELECT count(*) FROM {ledger} WHERE id = {id} AND hash = {}) = 1",
                literal(&tail.hash)?,
                id = tail.id
            ),
        });
    }
    Ok(conditions.join("\n  AND "))
}

/// What a script says where somebody else has written the ledger since it began.
pub(crate) const OVERTAKEN: &str = "another runner has begun since this script did";
/// What a script says where it refuses to begin.
pub(crate) const ELSEWHERE: &str = "the database is not where this script begins";
/// What a script says where the version rows are not those that a step starts from.
pub(crate) const UNEXPECTED_ROWS: &str = "the version rows are not those that this step starts from";

/// A statement with what ends it, which must not end up in a comment at the end of the statement.
pub(crate) fn ended(sql: &str, end: &str) -> String {
    let last = sql.trim_end().rsplit('\n').next().unwrap_or_default();
    let separator = if last.contains("--") || last.contains('#') { "\n" } else { "" };
    format!("{}{separator}{end}", sql.trim_end())
}
