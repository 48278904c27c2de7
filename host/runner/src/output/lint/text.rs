//! Findings for people, as rustc shows them: message, place, the line itself, and what to do.

use std::collections::HashMap;

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Origin;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use runner_policy::Decision;
use runner_policy::Severity;
use runner_policy::Verdict;

use super::Report;
use super::rule;
use super::severity;
use crate::lint::Finding;
use crate::lint::Suppressed;
use crate::lint::places::Places;
use crate::output::Printer;
use crate::output::Style;
use crate::output::problem;

/// With fewer findings, another thread takes longer to begin than it helps.
const WORTH_A_THREAD: usize = 200;
/// Longer pieces are shown by their first line.
const MOST_LINES: usize = 6;
/// Longer lines are shown in part.
const WIDEST: usize = 300;
/// Characters before the place in a line that is shown in part.
const BEFORE: usize = 40;

pub(super) fn print(report: &Report<'_>, printer: &Printer) {
    let color = printer.colors_stdout();
    let mut lines = Vec::new();
    for problem in report.problems {
        lines.push(problem::render_as(problem, Some(problem.fault.name()), color));
    }
    let is_shown = |finding: &&Finding| {
        let verdict = &finding.found.verdict;
        // Remarks are for whoever asks for them, unless they refuse.
        severity(verdict) > Severity::Info || verdict.decision == Decision::Deny || printer.is_verbose()
    };
    let is_problem = |finding: &&Finding| report.problems.iter().any(|problem| is_of(problem, finding));
    let shown: Vec<Shown<'_>> = report
        .assessed
        .findings
        .iter()
        .filter(is_shown)
        .filter(|finding| !is_problem(finding))
        .map(|finding| (finding, report.source(finding)))
        .collect();
    lines.extend(rendered(&shown, printer.is_verbose(), color));
    if printer.is_verbose() {
        for suppressed in &report.assessed.suppressed {
            lines.push(Style::Faint.paint(suppression(suppressed)));
        }
        if !report.assessed.suppressed.is_empty() {
            lines.push(String::new());
        }
    }
    if !lines.is_empty() {
        printer.line(lines.join("\n"));
    }
    for refused in report.refusals {
        printer.talk(refusal(refused));
    }
    printer.say(summary(report, printer.is_verbose()));
}

/// A finding, and the text of its file.
type Shown<'a> = (&'a Finding, Option<&'a str>);

/// Findings in their order, by as many threads as there are processors if they are many.
fn rendered(findings: &[Shown<'_>], is_verbose: bool, color: bool) -> Vec<String> {
    let render_all = |findings: &[Shown<'_>]| -> Vec<String> {
        // Where lines begin is looked for once a file.
        let mut sources: HashMap<&str, Places<'_>> = HashMap::new();
        let mut lines = Vec::with_capacity(findings.len());
        for (finding, source) in findings {
            let revision = finding.found.verdict.revision.as_deref().unwrap_or_default();
            let places = source.map(|source| &*sources.entry(revision).or_insert_with(|| Places::new(source)));
            lines.push(render(places, finding, is_verbose, color));
        }
        lines
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let share = findings.len().div_ceil(processors).max(WORTH_A_THREAD);
    let Some((own, others)) = findings.split_at_checked(share) else { return render_all(findings) };
    std::thread::scope(|scope| {
        let others: Vec<_> = others.chunks(share).map(|share| scope.spawn(move || render_all(share))).collect();
        let mut lines = render_all(own);
        for other in others {
            lines.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        lines
    })
}

fn is_of(problem: &runner_chain::Problem, finding: &Finding) -> bool {
    let verdict = &finding.found.verdict;
    verdict.revision.is_none()
        && verdict.rule.as_deref() == Some(problem.fault.name())
        && verdict.file.as_deref() == Some(problem.file.as_str())
        && verdict.line == u32::try_from(problem.line).ok()
}

/// A plugin that could not be asked.
pub(super) fn refusal(verdict: &Verdict) -> String {
    let about = verdict.revision.as_ref().map(|revision| format!(" about `{revision}`")).unwrap_or_default();
    let help =
        verdict.help.as_ref().map(|help| format!("\n  {}: {help}", Style::Good.paint("help"))).unwrap_or_default();
    let word = Style::Bad.paint("error");
    format!("{word}: the policy `{}` could not be asked{about}: {}{help}", verdict.plugin, verdict.message)
}

fn suppression(suppressed: &Suppressed) -> String {
    let verdict = &suppressed.finding.found.verdict;
    let reason = suppressed.by.reason();
    let reason = if reason.is_empty() { String::new() } else { format!(" ({})", runner_policy::printable(&reason)) };
    format!("suppressed[{}]: {} at {}{reason}", rule(verdict), verdict.message, place(verdict))
}

fn place(verdict: &Verdict) -> String {
    let file = verdict.file.as_deref().unwrap_or("?");
    match (verdict.line, verdict.column) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(line), None) => format!("{file}:{line}"),
        (None, _) => file.to_owned(),
    }
}

/// One finding, with a newline at the end.
fn render(source: Option<&Places<'_>>, finding: &Finding, is_verbose: bool, color: bool) -> String {
    let verdict = &finding.found.verdict;
    let level = match severity(verdict) {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group: Group<'_> = Group::with_title(level.primary_title(verdict.message.as_str()).id(rule(verdict)));
    let piece = source.and_then(|source| Piece::of(source, finding));
    let is_whole = piece.as_ref().is_some_and(|piece| piece.is_whole);
    if let Some(file) = verdict.file.as_deref().filter(|_| !is_whole) {
        let mut origin = Origin::path(file);
        if let Some(line) = verdict.line {
            origin = origin.line(size(line));
            if let Some(column) = verdict.column {
                origin = origin.char_column(size(column));
            }
        }
        group = group.element(origin);
    }
    if let Some(piece) = &piece {
        let annotation = AnnotationKind::Primary.span(piece.from..piece.to);
        let snippet = Snippet::source(piece.text.as_str()).line_start(piece.line).fold(false);
        let snippet = snippet.path(verdict.file.as_deref().filter(|_| is_whole));
        group = group.element(snippet.annotation(annotation));
    }
    if let Some(help) = &verdict.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    if let Some(fix) = &finding.found.fix {
        group = group.element(Level::HELP.message(format!("`--fix`: {}", runner_policy::printable(&fix.summary))));
    }
    if verdict.decision == Decision::Deny && severity(verdict) < Severity::Error {
        group = group.element(Level::NOTE.message("it refuses here, by `fail-on`, `--deny` or `--staged`"));
    }
    if is_verbose {
        let version = verdict.version.as_deref().unwrap_or("?");
        group = group.element(Level::NOTE.message(format!("reported by `{}` {version}", verdict.plugin)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The lines that are shown, and what is underlined in them, in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    line: usize,
    from: usize,
    to: usize,
    /// Whether the lines are shown from their beginning, so that columns can be counted in them.
    is_whole: bool,
}

impl Piece {
    fn of(source: &Places<'_>, finding: &Finding) -> Option<Self> {
        let verdict = &finding.found.verdict;
        let number = verdict.line?;
        let line = size(number);
        let first = size(verdict.column.unwrap_or(1)).saturating_sub(1);
        let end = finding.found.end.map(|(_, column)| size(column).saturating_sub(1));
        let head = source.line(number)?;
        let is_short = |text: &str| text.len() <= WIDEST;
        let count = finding.found.end.map_or(0, |(end_line, _)| size(end_line.saturating_sub(number)));
        let tail: Vec<&str> =
            (1..=count).take(MOST_LINES).map_while(|more| source.line(number + small(more))).collect();
        // A place at the beginning of a line means the end of the one before.
        let is_piece = count > 0 && count < MOST_LINES && tail.len() == count;
        if !is_piece || !is_short(head) || !tail.iter().all(|text| is_short(text)) {
            let last = if count == 0 { end } else { None };
            return Some(Self::in_line(head, line, first, last));
        }
        let last = tail.last().copied().unwrap_or_default();
        let mut text = head.to_owned();
        for more in &tail {
            text.push('\n');
            text.push_str(more);
        }
        let behind = byte_of(last, end.unwrap_or(0));
        let to = text.len() - last.len() + behind;
        let from = byte_of(head, first);
        Some(Piece { text, line, from, to: to.max(from), is_whole: true })
    }

    /// A piece of one line. `last`: the character behind it; `None`: the line's end.
    fn in_line(text: &str, line: usize, first: usize, last: Option<usize>) -> Self {
        let is_long = text.len() > WIDEST;
        let skipped = if is_long { first.saturating_sub(BEFORE) } else { 0 };
        let start = byte_of(text, skipped);
        let shown: String = text[start..].chars().take(if is_long { WIDEST } else { usize::MAX }).collect();
        let end = text.trim_end().chars().count();
        let last = last.unwrap_or(end).max(first + 1);
        let from = byte_of(&shown, first - skipped);
        let to = byte_of(&shown, last.saturating_sub(skipped)).max(from);
        Piece { text: shown, line, from, to, is_whole: skipped == 0 }
    }
}

fn byte_of(line: &str, character: usize) -> usize {
    line.char_indices().nth(character).map_or(line.len(), |(byte, _)| byte)
}

/// What was found, in a sentence.
fn summary(report: &Report<'_>, is_verbose: bool) -> String {
    let assessed = report.assessed;
    let count = |severity, noun: &str| match assessed.count(severity) {
        0 => None,
        1 => Some(format!("1 {noun}")),
        count => Some(format!("{count} {noun}s")),
    };
    let remarks = count(Severity::Info, "remark");
    let hidden = if is_verbose { "" } else { " (`-v` shows them)" };
    let found = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        remarks.map(|remarks| format!("{remarks}{hidden}")),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    let suppressed = match assessed.suppressed.len() {
        0 => String::new(),
        count => format!("; {count} suppressed"),
    };
    if report.chain.is_none() {
        let text = format!("{}: the chain can't be read, so no policy was asked", found.join(", "));
        return Style::Bad.paint(text);
    }
    let looked_at = match report.looked_at.len() {
        0 if found.is_empty() && report.refusals.is_empty() => return "Nothing to look at".to_owned(),
        1 => "1 revision".to_owned(),
        count => format!("{count} revisions"),
    };
    let (style, text) = match (found.is_empty(), report.refuses()) {
        (true, false) => (Style::Good, format!("Nothing found in {looked_at}")),
        (true, true) => (Style::Bad, format!("Not every policy could be asked about {looked_at}")),
        (false, true) => (Style::Bad, format!("{} in {looked_at}", found.join(", "))),
        (false, false) => (Style::Strong, format!("{} in {looked_at}", found.join(", "))),
    };
    style.paint(format_args!("{text}, for {}{suppressed}", report.environment))
}

#[cfg(test)]
mod tests {
    use runner_policy::LintFinding;

    use super::*;
    use crate::lint::finding_of_runner;

    fn piece(source: &str, at: (u32, Option<u32>), end: Option<(u32, u32)>) -> Option<Piece> {
        let mut found: LintFinding = finding_of_runner("r", Severity::Error, "m");
        (found.verdict.line, found.verdict.column, found.end) = (Some(at.0), at.1, end);
        Piece::of(&Places::new(source), &Finding { found, fingerprint: String::new() })
    }

    fn underlined(source: &str, at: (u32, Option<u32>), end: Option<(u32, u32)>) -> Option<String> {
        piece(source, at, end).map(|piece| piece.text[piece.from..piece.to].to_owned())
    }

    #[test]
    fn the_place_is_underlined() {
        let source = "ä bc\nd\n\nlast";
        assert_eq!(underlined(source, (1, Some(3)), Some((1, 5))).as_deref(), Some("bc"));
        assert_eq!(underlined(source, (1, Some(3)), None).as_deref(), Some("bc"));
        assert_eq!(underlined(source, (1, None), Some((2, 2))).as_deref(), Some("ä bc\nd"));
        assert_eq!(underlined(source, (3, Some(1)), None).as_deref(), Some(""));
        assert_eq!(underlined(source, (4, Some(1)), Some((4, 99))).as_deref(), Some("last"));
        assert_eq!(underlined(source, (9, Some(1)), None), None);
        assert_eq!(underlined(source, (1, Some(99)), Some((1, 3))).as_deref(), Some(""));
        assert_eq!(underlined(source, (4, Some(3)), Some((1, 1))).as_deref(), Some("s"));
    }

    #[test]
    fn much_is_shown_in_part() {
        let long = format!("{}X{}", "é".repeat(5_000), "b".repeat(5_000));
        let found = piece(&long, (1, Some(5_001)), Some((1, 5_002))).unwrap();
        assert_eq!((&found.text[found.from..found.to], found.text.chars().count()), ("X", WIDEST));
        let many = "a\n".repeat(50);
        assert_eq!(underlined(&many, (1, Some(1)), Some((40, 1))).as_deref(), Some("a"));
    }
}
