//! What a finding means here: whether what is new excuses it, how serious it is, and how much it is about.

use std::collections::HashMap;

use runner_policy_sdk::Failure;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::revision_lint::Edit;
use runner_policy_sdk::revision_lint::Finding;
use runner_policy_sdk::revision_lint::Fix;

use crate::catalogue::Concern;
use crate::forecast::Forecast;
use crate::forecast::Level;
use crate::knowledge;
use crate::names::Kind;
use crate::names::Name;
use crate::names::Object;
use crate::names::Quoted;
use crate::novelty::Newness;
use crate::raw::Raw;
use crate::raw::RawFix;
use crate::review::Review;
use crate::subject::Subject;
use crate::subject::Subjects;

/// Findings of one rule that are reported one by one. Nobody reads more, and the answer has to stay small.
const MOST: usize = 250;

/// A finding, and what is to be made of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) raw: Raw,
    pub(crate) severity: Severity,
    /// Why it is not reported.
    pub(crate) excuse: Option<Excuse>,
    /// Whether it would have been worth knowing how large something is, and nobody does.
    is_guess: bool,
}

/// Why a finding is no matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// It is about what the plan has made itself.
    New,
    /// It is about a column that the plan has added itself.
    NewColumn,
    /// It is about waiting for locks, and all that is locked is new.
    NothingToWaitFor,
}

/// Judges a finding.
///
/// # Errors
/// Facts were needed and could not be had.
pub(crate) fn judge(
    review: &Review,
    forecast: &[Forecast],
    subjects: &mut Subjects,
    mut raw: Raw,
) -> Result<Judged, Failure> {
    let situation = &review.situation;
    let entry = raw.entry;
    let severity = if situation.in_production { entry.in_production } else { entry.severity };
    let plain = |raw: Raw, severity, excuse| Judged { raw, severity, excuse, is_guess: false };
    let position = review.parsed.at(raw.range.start);
    if matches!(entry.name, "require-lock-timeout" | "require-statement-timeout") && !waits(forecast, position) {
        return Ok(plain(raw, severity, Some(Excuse::NothingToWaitFor)));
    }
    let Some(position) = position.filter(|_| entry.concern != Concern::Form) else {
        return Ok(plain(raw, severity, None));
    };
    let subject = subjects.at(&review.parsed.statements[position], raw.range.start);
    if let Some(excuse) = excuse(review, &raw, subject, position)? {
        return Ok(plain(raw, severity, Some(excuse)));
    }
    let tables = tables(review, subject, position);
    if tables.is_empty() {
        return Ok(plain(raw, severity, None));
    }
    if !review.knowledge.is_there() {
        return Ok(Judged { raw, severity, excuse: None, is_guess: true });
    }
    let mut known = Vec::new();
    for table in &tables {
        known.push(review.knowledge.relation(table)?);
    }
    let severity = match entry.concern {
        Concern::Lock if known.iter().all(|table| table.is_some_and(knowledge::is_small)) => {
            severity.min(Severity::Warning)
        }
        Concern::Lock if keeps_rows(forecast, &raw, position) => {
            raw.message.push_str(" Here the rows stay as they are.");
            severity.min(Severity::Warning)
        }
        _ => severity,
    };
    let amounts: Vec<String> = known.into_iter().flatten().filter_map(|table| amount(table, &raw, subject)).collect();
    if !amounts.is_empty() {
        let parted = if raw.message.ends_with(['.', '!']) { " " } else { "; " };
        raw.message = format!("{}{parted}{}", raw.message, amounts.join("; "));
    }
    Ok(plain(raw, severity, None))
}

/// Whether a statement from a position on takes a lock for which it may have to wait, or which others wait for.
fn waits(forecast: &[Forecast], position: Option<usize>) -> bool {
    let first = forecast.partition_point(|lock| Some(lock.position) < position);
    forecast[first..].iter().any(|lock| !lock.is_new && lock.level > Level::RowExclusive)
}

/// Whether a change of a type is known to leave the rows as they are.
fn keeps_rows(forecast: &[Forecast], raw: &Raw, position: usize) -> bool {
    let first = forecast.partition_point(|lock| lock.position < position);
    let locks = forecast[first..].iter().take_while(|lock| lock.position == position);
    raw.entry.name == "changing-column-type" && !locks.into_iter().any(|lock| lock.rewrites)
}

/// Why a finding about a subject is no matter here.
fn excuse(review: &Review, raw: &Raw, subject: &Subject, position: usize) -> Result<Option<Excuse>, Failure> {
    if subject.objects.is_empty() {
        return Ok(None);
    }
    let mut all_new = true;
    for object in &subject.objects {
        all_new &= is_new(review, object, position, raw.entry.concern)?;
    }
    if all_new {
        return Ok(Some(Excuse::New));
    }
    let is_new_column = match (&subject.objects[..], &subject.column) {
        ([table], Some(column)) => review.novelty.is_new_column(&table.name, column, position),
        _ => false,
    };
    Ok((is_new_column && raw.entry.concern == Concern::Loss).then_some(Excuse::NewColumn))
}

/// Whether an object is new for a statement.
fn is_new(review: &Review, object: &Object, position: usize, concern: Concern) -> Result<bool, Failure> {
    if object.kind == Kind::Index && concern == Concern::Loss && review.novelty.has_made_index(&object.name, position) {
        return Ok(true);
    }
    Ok(match review.novelty.of(object, position) {
        Newness::New => true,
        Newness::Old => false,
        // Facts are about the session's schema, which a name with a schema may be or not.
        Newness::Likely if object.name.schema.is_some() || !review.knowledge.is_there() => false,
        Newness::Likely => match object.kind {
            Kind::Relation => review.knowledge.relation(&object.name)?.is_none(),
            Kind::Index if review.knowledge.table_of_index(&object.name)?.is_none() => {
                match review.novelty.table_of(&object.name) {
                    Some(table) => {
                        let table = Object::new(Kind::Relation, table.clone());
                        is_new(review, &table, position, concern)?
                    }
                    None => true,
                }
            }
            // Nothing is known of others.
            _ => false,
        },
    })
}

/// The tables whose size matters, without those that are new.
fn tables(review: &Review, subject: &Subject, position: usize) -> Vec<Name> {
    let mut tables: Vec<Name> = Vec::new();
    for object in &subject.objects {
        let table = match object.kind {
            Kind::Relation if review.novelty.of(object, position) != Newness::New => Some(object.name.clone()),
            Kind::Index => table_of_index(review, &object.name),
            _ => None,
        };
        tables.extend(table.filter(|table| !tables.contains(table)));
    }
    tables
}

fn table_of_index(review: &Review, index: &Name) -> Option<Name> {
    if let Some(table) = review.novelty.table_of(index) {
        return Some(table.clone());
    }
    let relation = review.knowledge.table_of_index(index).ok().flatten()?;
    Some(Name { schema: relation.schema.clone(), name: relation.name.clone() })
}

/// How much a finding is about, as in `visit.notes: 48 213 rows, 12 % not null`.
fn amount(table: &Relation, raw: &Raw, subject: &Subject) -> Option<String> {
    if raw.entry.name == "dropping-what-is-used" {
        return None;
    }
    let name = Quoted(&table.name);
    if raw.entry.name == "ban-drop-column"
        && let Some(column) = subject.column.as_ref()
    {
        let its = table.columns.iter().find(|its| its.name == *column)?;
        let filled = knowledge::filled(table, its)?;
        return Some(format!("`{name}.{}`: {filled}", Quoted(column)));
    }
    Some(format!("`{name}`: {}", knowledge::size(table)?))
}

/// What is reported, as the contract has it.
pub(crate) fn reported(review: &Review, judged: Vec<Judged>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut is_told = false;
    for judged in judged.into_iter().filter(|judged| judged.excuse.is_none()) {
        let count = counts.entry(judged.raw.entry.name).or_default();
        *count += 1;
        if *count > MOST {
            continue;
        }
        let is_guess = judged.is_guess && !is_told;
        is_told |= is_guess;
        findings.push(finding(review, judged, is_guess));
    }
    for finding in &mut findings {
        let count = counts.get(finding.rule.as_str()).copied().unwrap_or(0);
        if count > MOST {
            finding.message = format!("{} (and at {} further places)", finding.message, count - 1);
            // Once is enough.
            counts.remove(finding.rule.as_str());
        }
    }
    findings
}

fn finding(review: &Review, judged: Judged, is_guess: bool) -> Finding {
    let Raw { entry, range, message, help, fix } = judged.raw;
    let help = match (help, is_guess) {
        (Some(help), true) => Some(format!("{} {GUESS}", stopped(help))),
        (None, true) => Some(GUESS.to_owned()),
        (help, false) => help,
    };
    Finding {
        rule: entry.name.to_owned(),
        severity: judged.severity,
        message,
        span: Some(review.script.span(&range)),
        statement: review.script.statement_at(range.start),
        help,
        fix: fix.map(|fix| placed(review, fix)),
    }
}

const GUESS: &str = "How large tables are is not known without facts about a target, so the worst is assumed.";

fn stopped(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn placed(review: &Review, fix: RawFix) -> Fix {
    let edit = |(range, text)| Edit { span: review.script.span(&range), text };
    Fix {
        summary: fix.summary,
        edits: fix.edits.into_iter().map(edit).collect(),
        transaction_off: fix.transaction_off,
        follow_up: fix.follow_up,
    }
}
