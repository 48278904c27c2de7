//! The validation report of a rollback, as lines.

use super::Printer;
use super::Style;
use super::Table;
use crate::dependents::Fate;
use crate::pipeline::ValidationReport;
use crate::pipeline::WayDown;

/// Further lines of one kind are counted, not listed.
const LISTED: usize = 8;

/// A line, and how it is painted.
type Line = ([String; 3], Style);

/// Prints the report.
pub(crate) fn print_validation(printer: &Printer, validation: &ValidationReport) {
    let versions = |ids: &[String]| if ids.is_empty() { "base".to_owned() } else { ids.join(", ") };
    let target = &validation.target;
    printer.say(format_args!("  goes back  from {} to {}", versions(&target.from), versions(&target.to)));
    let steps = validation.steps.iter().map(|step| {
        let style = match step.down {
            WayDown::Missing | WayDown::MissingForDialect => Style::Bad,
            _ if step.is_fine() => Style::Faint,
            _ => Style::Warning,
        };
        (["  rehearsal".to_owned(), step.revision.clone(), step.message.clone()], style)
    });
    let dependents = validation.dependents.iter().map(|dependent| {
        let style = match dependent.fate {
            Fate::Refuses => Style::Bad,
            Fate::MayRefuse | Fate::Breaks | Fate::Cascade => Style::Warning,
            _ => Style::Faint,
        };
        let place = format!("{} statement {}", dependent.revision, dependent.statement);
        (["  dependent".to_owned(), place, dependent.message.clone()], style)
    });
    let unknown =
        validation.unknown.iter().map(|line| (["  unknown".to_owned(), String::new(), line.clone()], Style::Warning));
    for lines in [steps.collect::<Vec<Line>>(), dependents.collect(), unknown.collect()] {
        print(printer, &lines);
    }
    if validation.dependents.is_empty() && validation.unknown.is_empty() {
        printer.say("  nothing else depends on what is dropped");
    }
}

fn print(printer: &Printer, lines: &[Line]) {
    let shown = if printer.is_verbose() { lines.len() } else { LISTED };
    let is_bad = |line: &&Line| matches!(line.1, Style::Bad);
    // What stands in the way is never among those that are only counted.
    let bad = lines.iter().skip(shown).filter(is_bad);
    let mut table = Table::new();
    let chosen: Vec<&Line> = lines.iter().take(shown).chain(bad).collect();
    for (cells, _) in &chosen {
        table.row(cells.clone());
    }
    for (line, (_, style)) in table.lines().into_iter().zip(&chosen) {
        printer.say(style.paint(line));
    }
    if chosen.len() < lines.len() {
        printer.say(format_args!("  and {} more (`-v` lists all)", lines.len() - chosen.len()));
    }
}
