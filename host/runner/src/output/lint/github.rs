//! Workflow commands of GitHub Actions, one a line; they become annotations beside the changed lines.

use runner_policy::Severity;

use super::Report;
use super::rule;
use super::severity;

pub(super) fn lines(report: &Report<'_>) -> Vec<String> {
    let findings = report.assessed.findings.iter().map(|finding| {
        let verdict = &finding.found.verdict;
        let command = match severity(verdict) {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let (end_line, end_column) = finding.found.end.unzip();
        // It takes columns only within one line.
        let is_one_line = end_line.is_none() || end_line == verdict.line;
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let properties: Vec<String> = [
            ("file", verdict.file.as_deref().map(|file| report.places.path(file))),
            ("line", number(verdict.line)),
            ("endLine", number(end_line.filter(|_| verdict.line.is_some()))),
            ("col", number(verdict.column.filter(|_| is_one_line))),
            ("endColumn", number(end_column.filter(|_| is_one_line && verdict.column.is_some()))),
            ("title", Some(rule(verdict).to_owned())),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", property(&value?))))
        .collect();
        let help = verdict.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        format!("::{command} {}::{}", properties.join(","), data(&format!("{}{help}", verdict.message)))
    });
    let refusals = report.refusals.iter().map(|verdict| {
        let text = format!("the policy `{}` could not be asked: {}", verdict.plugin, verdict.message);
        format!("::error title={}::{}", property(rule(verdict)), data(&text))
    });
    findings.chain(refusals).collect()
}

/// Text behind the command. An unescaped line end would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_command() {
        assert_eq!(data("50 %\r\n::error::x"), "50 %25%0D%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
