//! Checks answers against the rules that the contract states. An answer that breaks one says nothing.

use std::collections::HashSet;

use crate::Refusal;
use crate::data::AppliedRevision;
use crate::data::Description;
use crate::data::Direction;
use crate::data::Failure;
use crate::data::Finding;
use crate::data::FollowUp;
use crate::data::GateDecision;
use crate::data::Grant;
use crate::data::Judgement;
use crate::data::Level;
use crate::data::LintReport;
use crate::data::LintRule;
use crate::data::LintSource;
use crate::data::Message;
use crate::data::Plan;
use crate::data::Reason;
use crate::data::RevisionFinding;
use crate::data::RevisionRule;
use crate::data::RevisionSource;
use crate::data::Ruling;
use crate::data::SettingProblem;
use crate::data::Span;
use crate::verdict::printable;

/// Entries that one list of an answer may have. More of them nobody reads, and the ledger would have to keep them.
const MOST: usize = 10_000;
/// Bytes that one text of an answer may have.
const LONGEST: usize = 64 << 10;

/// The beginning of a name, for a message: a name that nobody knows may be as long as a text.
fn clipped(name: &str) -> String {
    const SHOWN: usize = 100;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn broken<T>(reason: &str) -> Result<T, Refusal> {
    Err(Refusal::Answer { reason: printable(reason) })
}

/// No list that floods what people and the ledger see.
fn few(what: &str, count: usize) -> Result<(), Refusal> {
    if count > MOST { broken(&format!("it gives {count} {what}, and at most {MOST} are taken")) } else { Ok(()) }
}

/// The same for what is said of one revision, which may have tens of thousands of statements.
fn few_of_revision(what: &str, count: usize) -> Result<(), Refusal> {
    const MOST: usize = 200_000;
    if count > MOST { broken(&format!("it gives {count} {what}, and at most {MOST} are taken")) } else { Ok(()) }
}

/// No text that does.
fn short<'a>(what: &str, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
    match texts.into_iter().find(|text| text.len() > LONGEST) {
        Some(text) => broken(&format!("{what} has {} bytes, and at most {LONGEST} are taken", text.len())),
        None => Ok(()),
    }
}

/// What a policy says of itself, and why it can't decide, is shown as well.
pub(crate) fn failure(failure: &Failure) -> Result<(), Refusal> {
    short("a text of it", std::iter::once(failure.message.as_str()).chain(failure.help.as_deref()))
}

/// The same for its description.
pub(crate) fn description(description: &Description) -> Result<(), Refusal> {
    let Description { name, version, summary, needs, settings_schema: _ } = description;
    few("needs", needs.len())?;
    let whys = needs.iter().map(|need| need.why.as_str());
    let grants = needs.iter().filter_map(|need| match &need.grant {
        Grant::Variable(text) | Grant::Folder(text) => Some(text.as_str()),
        Grant::Facts => None,
    });
    short("a text of its description", [name.as_str(), version, summary].into_iter().chain(whys).chain(grants))
}

/// And for what it says of its settings.
pub(crate) fn settings(problems: &[SettingProblem]) -> Result<(), Refusal> {
    few("problems of its settings", problems.len())?;
    short("a problem of its settings", problems.iter().flat_map(|problem| [problem.path.as_str(), &problem.message]))
}

/// Few messages, each of a length that can be delivered.
pub(crate) fn messages(messages: &[Message]) -> Result<(), Refusal> {
    few("messages", messages.len())?;
    let fields = messages.iter().flat_map(|message| &message.fields);
    few("fields of messages", fields.clone().count())?;
    short(
        "a text of a message",
        messages.iter().flat_map(|message| [message.channel.as_str(), &message.title, &message.text]),
    )?;
    short("a field of a message", fields.flat_map(|field| [field.name.as_str(), &field.value]))
}

/// Exactly one ruling a step, in the order of the plan, and remarks on known revisions alone.
pub(crate) fn judgement(judgement: &Judgement, plan: &Plan, applied: &[AppliedRevision]) -> Result<(), Refusal> {
    if judgement.steps.len() != plan.steps.len() {
        return broken(&format!("it rules on {} steps, the plan has {}", judgement.steps.len(), plan.steps.len()));
    }
    short("the name of a revision", judgement.steps.iter().map(|ruling| ruling.revision.as_str()))?;
    for (ruling, step) in judgement.steps.iter().zip(&plan.steps) {
        if ruling.revision != step.revision.id {
            let other = clipped(&ruling.revision);
            return broken(&format!("it rules on `{other}` where the plan has `{}`", step.revision.id));
        }
    }
    let known: HashSet<&str> = applied.iter().map(|revision| revision.id.as_str()).chain(planned(plan)).collect();
    for reason in judgement.steps.iter().filter_map(|ruling| ruling.reason.as_ref()) {
        short("a reason", texts(reason))?;
    }
    reasons(&judgement.remarks, &known)
}

/// Reasons about known revisions alone.
pub(crate) fn ruling(ruling: &Ruling, plan: &Plan) -> Result<(), Refusal> {
    few("notices", ruling.notices.len())?;
    short("a notice", ruling.notices.iter().map(String::as_str))?;
    if let GateDecision::Confirm(prompt) = &ruling.decision {
        short("a question", [prompt.as_str()])?;
    }
    reasons(&ruling.reasons, &planned(plan).collect())
}

/// Findings about known revisions alone.
pub(crate) fn findings(findings: &[Finding], sources: &[LintSource]) -> Result<(), Refusal> {
    few("findings", findings.len())?;
    short(
        "a finding",
        findings.iter().flat_map(|finding| {
            let help = finding.help.as_deref().unwrap_or("");
            [finding.message.as_str(), help, &finding.rule, &finding.revision]
        }),
    )?;
    let known: HashSet<&str> = sources.iter().map(|source| source.revision.id.as_str()).collect();
    match findings.iter().find(|finding| !known.contains(finding.revision.as_str())) {
        Some(finding) => {
            broken(&format!("it speaks of `{}`, which it was not asked about", clipped(&finding.revision)))
        }
        None => Ok(()),
    }
}

/// Few rules, each of which can be shown.
pub(crate) fn rules(rules: &[LintRule]) -> Result<(), Refusal> {
    few("rules", rules.len())?;
    short("a text of a rule", rules.iter().flat_map(|rule| [rule.name.as_str(), &rule.summary, &rule.explanation]))
}

/// The same for a policy that is asked about one revision at a time.
pub(crate) fn revision_rules(rules: &[RevisionRule]) -> Result<(), Refusal> {
    few("rules", rules.len())?;
    few("other names of rules", rules.iter().map(|rule| rule.aliases.len()).sum())?;
    let texts = |rule: &'_ RevisionRule| [rule.name.clone(), rule.summary.clone(), rule.explanation.clone()];
    for rule in rules {
        short("a text of a rule", texts(rule).iter().chain(&rule.aliases).map(String::as_str))?;
    }
    Ok(())
}

/// Findings of known rules alone.
pub(crate) fn of_known_rules<'a>(
    rules: &[RevisionRule],
    named: impl IntoIterator<Item = &'a str>,
) -> Result<(), Refusal> {
    let known: HashSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    match named.into_iter().find(|rule| !known.contains(rule)) {
        Some(rule) => broken(&format!("it reports the rule `{}`, which is none of its rules", clipped(rule))),
        None => Ok(()),
    }
}

/// A report on a revision: few and short texts, and places that are in its file.
pub(crate) fn report(report: &LintReport, source: &RevisionSource) -> Result<(), Refusal> {
    few_of_revision("findings", report.findings.len())?;
    few_of_revision("notes", report.notes.len())?;
    let notes = report.notes.iter();
    short("a note", notes.flat_map(|note| note.about.iter().chain([&note.text])).map(String::as_str))?;
    let statements = match source.planned {
        Some(Direction::Down) => source.down.as_ref(),
        Some(Direction::Up) | None => source.up.as_ref(),
    };
    let statements = statements.map_or(0, Vec::len);
    few_of_revision("locks", report.locks.len())?;
    for lock in &report.locks {
        if usize::try_from(lock.statement).map_or(true, |index| index >= statements) {
            return broken(&format!("it speaks of statement {}, and there are {statements}", lock.statement));
        }
        let texts = [Some(&lock.object), Some(&lock.level), lock.remark.as_ref()];
        short("a text of a lock", texts.into_iter().flatten().map(String::as_str))?;
    }
    let lines = source.text.lines().count().max(1);
    let (up, lines) = (source.up.as_ref().map_or(0, Vec::len), u32::try_from(lines).unwrap_or(u32::MAX));
    report.findings.iter().try_for_each(|found| finding(found, up, lines))
}

fn finding(finding: &RevisionFinding, statements: usize, lines: u32) -> Result<(), Refusal> {
    let texts = [Some(&finding.message), Some(&finding.rule), finding.help.as_ref()];
    short("a finding", texts.into_iter().flatten().map(String::as_str))?;
    if let Some(span) = &finding.span {
        place(span, lines)?;
    }
    if let Some(index) = finding.statement
        && usize::try_from(index).map_or(true, |index| index >= statements)
    {
        return broken(&format!("it speaks of statement {index}, and there are {statements}"));
    }
    let Some(fix) = &finding.fix else { return Ok(()) };
    few("edits", fix.edits.len())?;
    short(
        "the text of a fix",
        std::iter::once(&fix.summary).chain(fix.edits.iter().map(|edit| &edit.text)).map(String::as_str),
    )?;
    if let Some(follow_up) = &fix.follow_up {
        let FollowUp { title, up, down, transactional: _ } = follow_up;
        short("the text of a fix", [title.as_str(), up, down])?;
    }
    fix.edits.iter().try_for_each(|edit| place(&edit.span, lines))
}

/// A place in a file of so many lines. What follows the last character may be behind its last line.
fn place(span: &Span, lines: u32) -> Result<(), Refusal> {
    let (start, end) = ((span.line, span.column), (span.end_line, span.end_column));
    if span.line == 0 || span.column == 0 || span.end_column == 0 || end < start {
        return broken(&format!("it speaks of a place from {start:?} to {end:?}"));
    }
    if span.end_line > lines.saturating_add(1) {
        return broken(&format!("it speaks of line {}, and the file has {lines}", span.end_line));
    }
    Ok(())
}

/// A name that can be shown.
pub(crate) fn level(level: &Level) -> Result<(), Refusal> {
    few("names of an environment", level.aliases.len())?;
    short("the name of an environment", std::iter::once(&level.name).chain(&level.aliases).map(String::as_str))
}

/// At least one level, and names that are unique.
pub(crate) fn levels(levels: &[Level]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    if levels.is_empty() {
        return broken("it knows no environment");
    }
    few("environments", levels.len())?;
    let all = || levels.iter().flat_map(|level| std::iter::once(&level.name).chain(&level.aliases));
    few("names of environments", all().count())?;
    short("the name of an environment", all().map(String::as_str))?;
    for name in all() {
        if !names.insert(name) {
            return broken(&format!("it lists `{}` twice", clipped(name)));
        }
    }
    Ok(())
}

fn planned(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.steps.iter().map(|step| step.revision.id.as_str())
}

fn texts(reason: &Reason) -> impl Iterator<Item = &str> {
    let Reason { rule, revision, message, help } = reason;
    [Some(message), rule.as_ref(), revision.as_ref(), help.as_ref()].into_iter().flatten().map(String::as_str)
}

fn reasons(reasons: &[Reason], known: &HashSet<&str>) -> Result<(), Refusal> {
    few("reasons", reasons.len())?;
    short("a reason", reasons.iter().flat_map(texts))?;
    for revision in reasons.iter().filter_map(|reason| reason.revision.as_deref()) {
        if !known.contains(revision) {
            return broken(&format!("it speaks of `{}`, which it was not asked about", clipped(revision)));
        }
    }
    Ok(())
}
