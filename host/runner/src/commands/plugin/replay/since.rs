//! From which run on.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use runner_database::LedgerRow;
use runner_database::LedgerStatus;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline::replay::runs;

/// Fewer characters name no revision.
const SHORTEST: usize = 4;

/// The runs since a date or time, a run, or the run that last applied a revision; oldest first.
pub(super) fn runs_since<'a>(ledger: &'a [LedgerRow], since: &str) -> Result<Vec<&'a LedgerRow>> {
    let runs = runs(ledger);
    if let Some(time) = time(since) {
        let is_later = |run: &&LedgerRow| run.started_at.parse::<Timestamp>().is_ok_and(|began| began >= time);
        return Ok(runs.into_iter().filter(is_later).collect());
    }
    let first = match run_named(&runs, since)? {
        Some(run) => run.id,
        None => run_of_revision(ledger, &runs, since)?,
    };
    Ok(runs.into_iter().filter(|run| run.id >= first).collect())
}

fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let date: Date = text.parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The run of this name, or whose name alone begins so.
fn run_named<'a>(runs: &[&'a LedgerRow], name: &str) -> Result<Option<&'a LedgerRow>> {
    if let Some(run) = runs.iter().find(|run| run.run_id == name) {
        return Ok(Some(run));
    }
    // Names of runs begin with their time, as in `20261121T`.
    let looks_like_a_run = name.len() > "20261121".len() && name.contains('T');
    let found: Vec<&&LedgerRow> = runs.iter().filter(|run| looks_like_a_run && run.run_id.starts_with(name)).collect();
    match found.as_slice() {
        [] => Ok(None),
        [run] => Ok(Some(run)),
        several => Err(Error::new(ErrorKind::Selector, format!("`{name}` is the beginning of {} runs", several.len()))
            .help("give more of the run's name; `runner log` shows them")),
    }
}

/// The run that last applied a revision, given by its id or the beginning of it.
fn run_of_revision(ledger: &[LedgerRow], runs: &[&LedgerRow], name: &str) -> Result<i64> {
    let has_it = |row: &&LedgerRow| {
        let is_up = row.direction.as_deref() == Some("up");
        let is_settled =
            matches!(row.known_status(), Some(LedgerStatus::Applied | LedgerStatus::Skipped | LedgerStatus::Stamped));
        let id = row.revision.as_deref().unwrap_or_default();
        is_up && is_settled && (id == name || name.len() >= SHORTEST && id.starts_with(name))
    };
    let rows: Vec<&LedgerRow> = ledger.iter().filter(has_it).collect();
    let mut ids: Vec<&str> = rows.iter().filter_map(|row| row.revision.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    // The whole id wins over longer ones that begin with it.
    let id = match ids.as_slice() {
        [] => None,
        [id] => Some(*id),
        several if several.contains(&name) => Some(name),
        several => {
            let mut error = Error::new(ErrorKind::Selector, format!("`{name}` is the beginning of several revisions"));
            for id in several {
                error = error.help(format!("`{id}`"));
            }
            return Err(error);
        }
    };
    let row = rows.iter().filter(|row| row.revision.as_deref() == id).max_by_key(|row| row.id);
    let run = row.and_then(|row| runs.iter().find(|run| run.run_id == row.run_id));
    run.map(|run| run.id).ok_or_else(|| {
        Error::new(ErrorKind::Selector, format!("`{name}` is neither a date nor a run or revision of the ledger"))
            .help("give a date as in `2026-01-31`, a time as in `2026-01-31T08:00:00Z`, or what `runner log` shows")
    })
}
