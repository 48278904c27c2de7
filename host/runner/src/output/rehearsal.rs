//! What `runner test` says: a line a revision as soon as it is done, what is wrong with it below, and the summary.

use runner_chain::Chain;
use runner_database::Difference;
use runner_policy::printable;

use super::Printer;
use super::Style;
use super::xml::escaped;
use crate::rehearsal::BaseAndBack;
use crate::rehearsal::Outcome;
use crate::rehearsal::Rehearsed;
use crate::rehearsal::Tested;
use crate::rehearsal::Trouble;

/// Prints as the rehearsal goes.
pub(crate) struct View<'a> {
    printer: &'a Printer,
    id_width: usize,
}

impl<'a> View<'a> {
    pub(crate) fn new(printer: &'a Printer, chain: &Chain) -> Self {
        let id_width = chain.revisions().iter().map(|revision| revision.id.as_str().len()).max().unwrap_or(0);
        View { printer, id_width }
    }

    pub(crate) fn tested(&mut self, tested: &Tested) {
        let note = match tested.outcome {
            Outcome::Passed | Outcome::Failed => format!("{:.0} ms", tested.duration_ms),
            Outcome::Irreversible => "it has no `-- migrate:down` section for this database".to_owned(),
            Outcome::NotRun => String::new(),
        };
        let note = if note.is_empty() { note } else { format!("  {}", Style::Faint.paint(note)) };
        let (word, id, width) = (word(tested.outcome), &tested.revision, self.id_width);
        let line = format!("{word}  {id:width$}  {}{note}", tested.message);
        self.line(tested.outcome, &line);
        self.troubles(&tested.problems);
    }

    pub(crate) fn finished(&self, rehearsed: &Rehearsed) {
        if let Some(base) = &rehearsed.base_and_back {
            let reason = base.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.line(base.outcome, &format!("{}  down to the beginning and back{reason}", word(base.outcome)));
            self.troubles(&base.problems);
        }
        let counts = [
            (Outcome::Passed, "passed"),
            (Outcome::Failed, "failed"),
            (Outcome::Irreversible, "without a way down"),
            (Outcome::NotRun, "not run"),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .map(|(outcome, word)| (rehearsed.count(outcome), word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let summary = if parts.is_empty() { "nothing to test".to_owned() } else { parts.join(", ") };
        self.printer.say(Style::Strong.paint(format_args!("On {}: {summary}", rehearsed.dialect)));
    }

    /// A line that whoever wants errors alone only sees if it is one.
    fn line(&self, outcome: Outcome, line: &str) {
        if outcome == Outcome::Failed { self.printer.line(line) } else { self.printer.say(line) }
    }

    fn troubles(&self, troubles: &[Trouble]) {
        for trouble in troubles {
            self.printer.line(format_args!("        {}", printable(&trouble.message)));
            for line in trouble.differences.iter().flat_map(lines) {
                let style = if line.starts_with('-') { Style::Bad } else { Style::Good };
                self.printer.line(format_args!("          {}", style.paint(line)));
            }
            if let Some(error) = &trouble.error {
                self.printer.problems(error);
                error.hints().iter().for_each(|hint| self.printer.hint(hint));
            }
        }
    }
}

fn word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => Style::Good.paint("ok    "),
        Outcome::Failed => Style::Bad.paint("failed"),
        Outcome::Irreversible => Style::Warning.paint("up    "),
        Outcome::NotRun => Style::Faint.paint("-     "),
    }
}

/// A difference as lines of a diff: `-` is how it should be, `+` how it is.
fn lines(found: &Difference) -> Vec<String> {
    let name = format!("{} {}", found.kind, found.name);
    let one = |sign: char, definition: &str| {
        let mut lines = definition.lines();
        let first = lines.next().unwrap_or_default();
        let separator = if first.is_empty() { "" } else { ": " };
        let head = printable(&format!("{sign} {name}{separator}{first}"));
        std::iter::once(head).chain(lines.map(|line| printable(&format!("{sign}   {line}")))).collect::<Vec<_>>()
    };
    match (&found.before, &found.after) {
        // Of a long definition only what differs is worth reading.
        (Some(before), Some(after)) if before.lines().count() > 1 || after.lines().count() > 1 => {
            let diff = similar::TextDiff::from_lines(before, after);
            let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
            changes
                .map(|change| printable(&format!("{} {name}: {}", change.tag(), change.value().trim_end())))
                .collect()
        }
        (before, after) => {
            let before = before.iter().flat_map(|definition| one('-', definition));
            let after = after.iter().flat_map(|definition| one('+', definition));
            before.chain(after).collect()
        }
    }
}

/// JUnit XML: a case a revision, and one for the way down and back.
pub(crate) fn junit(rehearsed: &Rehearsed) -> Vec<String> {
    let base = rehearsed.base_and_back.as_ref();
    let is_failed = |outcome: Outcome| outcome == Outcome::Failed;
    let tests = rehearsed.revisions.len() + usize::from(base.is_some());
    let failures = rehearsed.count(Outcome::Failed) + usize::from(base.is_some_and(|base| is_failed(base.outcome)));
    let skipped =
        rehearsed.count(Outcome::NotRun) + usize::from(base.is_some_and(|base| base.outcome == Outcome::NotRun));
    let seconds: f64 = rehearsed.revisions.iter().map(|tested| tested.duration_ms).sum::<f64>() / 1000.0;
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}" time="{seconds:.3}""#);
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(r#"<testsuites name="runner test" {counts}>"#),
        format!(r#"  <testsuite name="{}" {counts}>"#, escaped(&rehearsed.dialect)),
    ];
    for tested in &rehearsed.revisions {
        let open = format!(
            r#"    <testcase name="{} {}" classname="{}" time="{:.3}""#,
            escaped(&tested.revision),
            escaped(&tested.message),
            escaped(&tested.file),
            tested.duration_ms / 1000.0
        );
        let inner = match tested.outcome {
            Outcome::Passed => Vec::new(),
            Outcome::Failed => tested.problems.iter().map(failure).collect(),
            Outcome::Irreversible => vec!["      <system-out>no way down</system-out>".to_owned()],
            Outcome::NotRun => vec!["      <skipped/>".to_owned()],
        };
        lines.extend(case(&open, inner));
    }
    if let Some(BaseAndBack { outcome, reason, problems }) = base {
        let open = r#"    <testcase name="down to the beginning and back" classname="chain""#.to_owned();
        let inner = match outcome {
            Outcome::NotRun => {
                vec![format!(r#"      <skipped message="{}"/>"#, escaped(reason.as_deref().unwrap_or_default()))]
            }
            _ => problems.iter().map(failure).collect(),
        };
        lines.extend(case(&open, inner));
    }
    lines.extend(["  </testsuite>".to_owned(), "</testsuites>".to_owned()]);
    lines
}

fn case(open: &str, inner: Vec<String>) -> Vec<String> {
    if inner.is_empty() {
        return vec![format!("{open}/>")];
    }
    let mut lines = vec![format!("{open}>")];
    lines.extend(inner);
    lines.push("    </testcase>".to_owned());
    lines
}

fn failure(trouble: &Trouble) -> String {
    let places = trouble.error.iter().flat_map(crate::error::Error::problems);
    let places = places.map(|place| format!("{}:{}:{}: {}", place.file, place.line, place.column, place.message));
    let text: Vec<String> = trouble.differences.iter().flat_map(lines).chain(places).collect();
    format!(r#"      <failure message="{}">{}</failure>"#, escaped(&trouble.message), escaped(&text.join("\n")))
}
