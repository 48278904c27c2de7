//! A plan as one document that can be reviewed: as Markdown for a pull request, or as a page.

use std::fmt::Write as _;

use runner_policy::Decision;

use super::locks::consequences;
use super::xml::escaped;
use crate::pipeline::PlanFile;
use crate::pipeline::Report;
use crate::pipeline::ValidationReport;

/// Sections of the document, in either form.
struct Document<'a> {
    report: &'a Report,
    plan: &'a PlanFile,
}

/// The document as Markdown.
pub(crate) fn markdown(report: &Report, plan: &PlanFile) -> String {
    let document = Document { report, plan };
    let mut text = format!("# {}\n\n", document.title());
    for (name, value) in document.about() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "- **{name}**: {}", in_markdown(&value));
    }
    for (heading, header, rows) in document.tables() {
        let _ = write!(text, "\n## {heading}\n\n");
        if rows.is_empty() {
            text.push_str("None.\n");
            continue;
        }
        let _ = writeln!(text, "| {} |\n|{}", header.join(" | "), " --- |".repeat(header.len()));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| in_markdown(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text.push_str("\n## Statements\n");
    for step in &plan.steps {
        let _ = write!(text, "\n### {} {}: {}\n\n", step.direction, step.revision, in_markdown(&step.message));
        match &step.skipped {
            Some(reason) => drop(writeln!(text, "Skipped: {}", in_markdown(reason))),
            None => {
                let sql = step.statements.iter().map(|statement| format!("{statement};\n")).collect::<String>();
                // A fence that the statements do not hold.
                let mut fence = "```".to_owned();
                while sql.contains(&fence) {
                    fence.push('`');
                }
                let _ = writeln!(text, "{fence}sql\n{sql}{fence}");
            }
        }
    }
    text
}

/// The document as a page without anything from elsewhere.
pub(crate) fn html(report: &Report, plan: &PlanFile) -> String {
    let document = Document { report, plan };
    let title = escaped(&document.title());
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<dl>\n"
    );
    for (name, value) in document.about() {
        let _ = writeln!(text, "<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&value));
    }
    text.push_str("</dl>\n");
    for (heading, header, rows) in document.tables() {
        let _ = writeln!(text, "<h2>{}</h2>", escaped(heading));
        if rows.is_empty() {
            text.push_str("<p>None.</p>\n");
            continue;
        }
        let cells = |tag: &str, row: &[String]| {
            row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<String>()
        };
        let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
        let _ = writeln!(text, "<table>\n<tr>{}</tr>", cells("th", &header));
        for row in rows {
            let _ = writeln!(text, "<tr>{}</tr>", cells("td", &row));
        }
        text.push_str("</table>\n");
    }
    text.push_str("<h2>Statements</h2>\n");
    for step in &plan.steps {
        let heading = format!("{} {}: {}", step.direction, step.revision, step.message);
        let _ = writeln!(text, "<h3>{}</h3>", escaped(&heading));
        match &step.skipped {
            Some(reason) => drop(writeln!(text, "<p>Skipped: {}</p>", escaped(reason))),
            None => {
                let sql = step.statements.iter().map(|statement| format!("{statement};\n")).collect::<String>();
                let _ = writeln!(text, "<pre>{}</pre>", escaped(&sql));
            }
        }
    }
    text.push_str("</body>\n</html>\n");
    text
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;background:#fff}\
     dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}\
     table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dce2;vertical-align:top}\
     pre{background:#f5f6f8;padding:.8rem;overflow-x:auto;border-radius:4px}\
     @media(prefers-color-scheme:dark){body{color:#e4e6ea;background:#16181c}th,td{border-color:#3a3f47}pre{background:#22262c}}";

/// A heading, the names of its columns, and its rows.
type Section = (&'static str, Vec<&'static str>, Vec<Vec<String>>);

impl Document<'_> {
    fn title(&self) -> String {
        let operation = &self.plan.operation;
        let mut title = operation.clone();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{title} of {} to {}", self.report.target.name, self.plan.targets.join(", "))
    }

    fn about(&self) -> Vec<(String, String)> {
        let Document { report, plan } = self;
        let rows = |ids: &[String]| if ids.is_empty() { "base".to_owned() } else { ids.join(", ") };
        let level = report.environment.level.map_or_else(String::new, |level| format!(" (level {level})"));
        let outcome = serde_json::to_value(report.outcome).ok();
        let outcome = outcome.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        // That is no saying of theirs.
        let outcome = match &report.validation {
            Some(validation) if !validation.ok && report.error.is_some() => {
                "allowed, but the database would refuse it".to_owned()
            }
            _ => outcome,
        };
        [
            ("Target", format!("{} ({})", report.target.name, report.target.server)),
            ("Environment", format!("{}{level}", report.environment.name)),
            ("From", rows(&plan.versions_before)),
            ("To", rows(&plan.versions_after)),
            ("Plan hash", plan.plan_hash.clone()),
            ("Policies", format!("{}: {outcome}", plan.plugin_set)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn tables(&self) -> Vec<Section> {
        let Document { report, plan } = self;
        let steps = plan.steps.iter().map(|step| {
            let transaction = if step.transactional { "" } else { "without a transaction" };
            let remark = step.skipped.as_ref().map_or_else(|| transaction.to_owned(), |why| format!("skipped: {why}"));
            vec![step.direction.clone(), step.revision.clone(), step.message.clone(), step.file.clone(), remark]
        });
        let losses = report
            .data_loss
            .iter()
            .map(|loss| vec![loss.revision.clone(), loss.statement.to_string(), loss.message.clone()]);
        let verdicts = report.verdicts.iter().filter(|verdict| verdict.decision != Decision::Allow).map(|verdict| {
            let place = match (&verdict.file, verdict.line) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                _ => verdict.revision.clone().unwrap_or_default(),
            };
            let rule = verdict.rule.clone().unwrap_or_default();
            vec![verdict.decision.name().to_owned(), verdict.plugin.clone(), rule, place, verdict.message.clone()]
        });
        let locks = report.locks.iter().map(|lock| {
            vec![
                format!("{}:{}", lock.revision, lock.line.map_or_else(String::new, |line| line.to_string())),
                lock.object.clone(),
                lock.level.clone(),
                consequences(lock),
            ]
        });
        let mut sections = vec![
            ("Steps", vec!["direction", "revision", "title", "file", "remark"], steps.collect()),
            ("Data loss", vec!["revision", "statement", "what is lost"], losses.collect()),
        ];
        if let Some(validation) = &report.validation {
            sections.extend(validated(validation));
        }
        sections.extend([
            ("Verdicts", vec!["decision", "plugin", "rule", "place", "message"], verdicts.collect()),
            ("Locks", vec!["place", "object", "level", "meanwhile"], locks.collect()),
        ]);
        sections
    }
}

/// A word of the JSON form.
fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
}

/// The sections of a validation.
fn validated(validation: &ValidationReport) -> Vec<Section> {
    let steps =
        validation.steps.iter().map(|step| vec![step.revision.clone(), word(step.tested), step.message.clone()]);
    let dependents = validation.dependents.iter().map(|dependent| {
        let place = format!("{}:{}", dependent.revision, dependent.statement);
        vec![place, dependent.object.clone(), word(dependent.fate), dependent.message.clone()]
    });
    let unknown =
        validation.unknown.iter().map(|line| vec![String::new(), String::new(), "unknown".to_owned(), line.clone()]);
    vec![
        ("Rehearsals", vec!["revision", "rehearsed", "remark"], steps.collect()),
        (
            "What depends on it",
            vec!["statement", "object", "fate", "what becomes of it"],
            dependents.chain(unknown).collect(),
        ),
    ]
}

/// A text within a line of Markdown, where nothing of it means anything.
fn in_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' => escaped.extend(['\\', letter]),
            '\n' | '\r' => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_title_is_markup() {
        assert_eq!(in_markdown("a|b\n<c> `d` *e*"), "a\\|b \\<c\\> \\`d\\` \\*e\\*");
    }
}
