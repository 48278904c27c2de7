//! The locks that a plan will take, step by step.

use runner_policy::data::Blocked;

use super::Printer;
use super::Style;
use super::Table;
use crate::pipeline::LockReport;
use crate::pipeline::Report;

/// What is locked, how strongly, and what has to wait for it.
pub(crate) fn print_locks(printer: &Printer, report: &Report) {
    if report.locks.is_empty() {
        return;
    }
    printer.line(Style::Strong.paint("Locks"));
    let mut table = Table::new();
    for lock in &report.locks {
        let place = match (lock.line, lock.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", lock.revision),
            _ => lock.revision.clone(),
        };
        table.row([format!("  {place}"), lock.object.clone(), lock.level.clone(), consequences(lock)]);
    }
    for line in table.lines() {
        printer.line(line);
    }
}

pub(super) fn consequences(lock: &LockReport) -> String {
    let blocked = match lock.blocks {
        Blocked::Nothing => "blocks no reading and no writing",
        Blocked::SchemaChanges => "blocks other changes of the schema",
        Blocked::Writes => "blocks writing",
        Blocked::ReadsAndWrites => "blocks reading and writing",
    };
    let work = match (lock.rewrites, lock.scans) {
        (true, _) => Some("writes the whole table anew"),
        (false, true) => Some("reads the whole table"),
        (false, false) => None,
    };
    let parts = [Some(blocked), work, lock.remark.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
