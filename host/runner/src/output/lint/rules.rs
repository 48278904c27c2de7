//! The rules, for people and scripts: a table of all, or one with its explanation.

use runner_policy::data;
use runner_policy::data::RevisionRule;
use runner_policy::printable;
use serde_json::Value;
use serde_json::json;

use crate::lint::Catalogue;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;

/// All rules, one a line.
pub(crate) fn list(catalogue: &Catalogue, printer: &Printer) {
    let mut table = Table::new();
    table.row(["RULE", "SEVERITY", "PRODUCTION", "DATABASES", "POLICY", "SUMMARY"]);
    let all = catalogue.all();
    for (plugin, rule) in &all {
        table.row([
            printable(&rule.name),
            name(rule.severity).to_owned(),
            name(rule.severity_in_production).to_owned(),
            dialects(rule).join(", "),
            (*plugin).to_owned(),
            printable(&rule.summary),
        ]);
    }
    for line in table.lines() {
        printer.line(line);
    }
    printer.document(&json!({ "rules": all.iter().map(|(plugin, rule)| document(plugin, rule)).collect::<Vec<_>>() }));
}

/// One rule: why, an example, the safe way. Several policies may have rules of the same name.
pub(crate) fn explain(rules: &[(&str, &RevisionRule)], printer: &Printer) {
    for (index, (plugin, rule)) in rules.iter().enumerate() {
        if index > 0 {
            printer.line("");
        }
        printer.line(Style::Strong.paint(printable(&rule.name)));
        printer.line(printable(&rule.summary));
        printer.line("");
        let mut table = Table::new();
        let (below, above) = (name(rule.severity), name(rule.severity_in_production));
        let severity = if below == above { below.to_owned() } else { format!("{below}, in production {above}") };
        table.row(["severity", severity.as_str()]);
        let dialects = dialects(rule);
        table.row(["databases", &if dialects.is_empty() { "all".to_owned() } else { dialects.join(", ") }]);
        table.row(["policy", plugin]);
        if !rule.aliases.is_empty() {
            table.row(["also called", &printable(&rule.aliases.join(", "))]);
        }
        for line in table.lines() {
            printer.line(line);
        }
        printer.line("");
        for line in rule.explanation.trim().lines() {
            printer.line(printable(line));
        }
    }
    let documents: Vec<Value> = rules.iter().map(|(plugin, rule)| document(plugin, rule)).collect();
    printer.document(&json!({ "rules": documents }));
}

fn document(plugin: &str, rule: &RevisionRule) -> Value {
    json!({
        "name": rule.name,
        "plugin": plugin,
        "severity": name(rule.severity),
        "severity_in_production": name(rule.severity_in_production),
        "dialects": dialects(rule),
        "aliases": rule.aliases,
        "summary": rule.summary,
        "explanation": rule.explanation,
    })
}

fn dialects(rule: &RevisionRule) -> Vec<&'static str> {
    let name = |dialect: &data::Dialect| match dialect {
        data::Dialect::Sqlite => "sqlite",
        data::Dialect::Postgres => "postgres",
        data::Dialect::Mysql => "mysql",
    };
    rule.dialects.iter().map(name).collect()
}

fn name(severity: data::Severity) -> &'static str {
    match severity {
        data::Severity::Info => "info",
        data::Severity::Warning => "warning",
        data::Severity::Error => "error",
    }
}
