//! `runner plugin inspect`

use std::path::Path;

use runner_policy::ImportKind;
use runner_policy::Inspection;
use runner_policy::PluginDefinition;
use serde_json::Value;

use super::subject::find_trusted;
use crate::args::Global;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;
use crate::pipeline::policy_host;

/// Components larger than this take seconds to compile.
pub(super) const SLOW_TO_COMPILE: usize = 4 << 20;

/// Show what a component is: roles, imports and grants, settings, limits
///
/// Exits with 3 if it can't be used, and says why and what could be found out all the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin inspect policies/acme_lint.wasm
  runner plugin inspect builtin:environment-hierarchy
  runner plugin inspect acme-lint --json        as runner.toml configures it")]
pub(crate) struct Args {
    /// A path, `builtin:NAME`, or the name of a plugin in `runner.toml`
    #[arg(value_name = "FILE")]
    file: String,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let definition = find_trusted(&self.file, global)?;
        // A name is looked up in `runner.toml`; everything else is taken as it comes.
        let configured = !self.file.starts_with("builtin:") && !Path::new(&self.file).is_file();
        let inspection = runner_policy::inspect(&policy_host(), &definition, configured).await;
        print(printer, &inspection, &definition, configured);
        printer.document(&inspection);
        Ok(match &inspection.error {
            None => exit::DONE,
            Some(error) => {
                printer.talk(format_args!("{}: it {}", Style::Bad.paint("can't be used"), error.message));
                if let Some(help) = &error.help {
                    printer.talk("");
                    printer.hint(help);
                }
                exit::REFUSED
            }
        })
    }
}

fn print(printer: &Printer, found: &Inspection, definition: &PluginDefinition, configured: bool) {
    let name = found.name.as_deref().unwrap_or(&definition.name);
    match &found.version {
        Some(version) => printer.line(format_args!("{} {version}", Style::Strong.paint(name))),
        None => printer.line(Style::Strong.paint(name)),
    }
    if let Some(summary) = &found.summary {
        printer.line(summary);
    }
    printer.line("");
    let field = |name: &str, value: &str| {
        if !value.is_empty() {
            printer.line(format_args!("{name:<9} {value}"));
        }
    };
    let roles: Vec<&str> = found.roles.iter().map(|role| role.name()).collect();
    field("source", &found.source);
    field("size", &size(found.size));
    field("digest", found.digest.as_deref().unwrap_or(""));
    if let Some(contract) = &found.contract {
        field("contract", &format!("runner:policy@{contract}"));
    }
    field("roles", &roles.join(", "));
    field("exports", &found.other_exports.join(", "));
    if configured {
        field("mode", &definition.mode.to_string());
    }
    field("limits", &found.limits.to_string());
    match found.cached {
        Some(true) => field("cached", "yes"),
        Some(false) => field("cached", "no, its native code was compiled just now"),
        None => {}
    }
    field("needs", found.wants.as_deref().unwrap_or(""));
    section(
        printer,
        "Imports",
        found.imports.iter().map(|import| {
            let what = match (import.kind, import.grant) {
                (ImportKind::Contract, _) => "given to every policy".to_owned(),
                (ImportKind::Granted, Some(grant)) => format!("needs the grant `{grant}`"),
                (ImportKind::Granted, None) => "needs a grant".to_owned(),
                (ImportKind::Ambient, _) => "ambient: there, but empty; nothing is given by it".to_owned(),
                (ImportKind::Refused, _) => "refused: no policy is given this".to_owned(),
            };
            vec![import.name.clone(), what]
        }),
    );
    section(
        printer,
        "Grants that it asks for",
        found.needs.iter().map(|need| {
            vec![need.grant.clone(), if need.required { "required" } else { "optional" }.to_owned(), need.why.clone()]
        }),
    );
    section(
        printer,
        "Rules",
        found.rules.iter().map(|rule| vec![rule.name.clone(), rule.severity.name().to_owned(), rule.summary.clone()]),
    );
    section(printer, "Settings", settings(found.settings_schema.as_ref()).into_iter());
}

fn section(printer: &Printer, title: &str, rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    let mut is_empty = true;
    for row in rows {
        is_empty = false;
        table.row(row);
    }
    if !is_empty {
        printer.line(format_args!("\n{}", Style::Strong.paint(title)));
        for line in table.lines() {
            printer.line(format_args!("  {line}"));
        }
    }
}

/// Properties of a JSON Schema as name, kind, default and description. The schema is foreign text.
fn settings(schema: Option<&Value>) -> Vec<Vec<String>> {
    let shown = |value: &Value| match value {
        Value::String(text) => runner_policy::printable(text),
        other => runner_policy::printable(&other.to_string()),
    };
    match schema {
        None => Vec::new(),
        Some(Value::String(text)) => {
            vec![vec![text.clone(), "this is not JSON, and is to be a JSON Schema".to_owned()]]
        }
        Some(schema) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let row = |(name, property): (&String, &Value)| {
                let default = property.get("default").filter(|default| !default.is_null());
                vec![
                    runner_policy::printable(name),
                    kind(property),
                    default.map_or_else(String::new, |default| {
                        format!("default {}", runner_policy::printable(&default.to_string()))
                    }),
                    property.get("description").map_or_else(String::new, shown),
                ]
            };
            properties.into_iter().flatten().map(row).collect()
        }
    }
}

/// What values a property may have, in a word or two.
fn kind(property: &Value) -> String {
    let words = |values: &Vec<Value>| values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let constants = |values: &Vec<Value>| {
        values.iter().filter_map(|value| value.get("const")).map(ToString::to_string).collect::<Vec<_>>()
    };
    let any = ["oneOf", "anyOf"].iter().find_map(|key| property.get(key)?.as_array());
    let found = match (property.get("enum").and_then(Value::as_array), any, property.get("type")) {
        (Some(values), ..) => values.iter().map(ToString::to_string).collect(),
        (None, Some(values), _) if !constants(values).is_empty() => constants(values),
        (_, _, Some(Value::String(kind))) => vec![kind.clone()],
        (_, _, Some(Value::Array(kinds))) => words(kinds).into_iter().filter(|kind| kind != "null").collect(),
        _ => vec!["any".to_owned()],
    };
    runner_policy::printable(&found.join(" | "))
}

/// A size as people read it.
pub(super) fn size(bytes: Option<u64>) -> String {
    match bytes {
        None => String::new(),
        Some(bytes) if bytes < 1 << 20 => format!("{:.1} KiB", fraction(bytes, 10)),
        Some(bytes) => format!("{:.1} MiB", fraction(bytes, 20)),
    }
}

/// `bytes` by a power of two. Sizes are far below where this would lose anything that is shown.
fn fraction(bytes: u64, power: u32) -> f64 {
    f64::from(u32::try_from(bytes >> (power - 10)).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_shown_as_the_schema_has_them() {
        let schema = json!({ "properties": {
            "mode": { "oneOf": [{ "const": "warn" }, { "const": "off" }], "default": "warn", "description": "What to do." },
            "names": { "type": ["array", "null"], "default": null },
            "evil": { "enum": ["\u{1b}[31m"] },
            "odd": true,
        }});
        let rows: Vec<String> = settings(Some(&schema)).iter().map(|row| row.join("; ")).collect();
        assert_eq!(rows[1], "mode; \"warn\" | \"off\"; default \"warn\"; What to do.");
        assert_eq!(rows[2], "names; array; ; ");
        assert!(!rows[0].contains('\u{1b}'), "{}", rows[0]);
        assert_eq!(rows[3], "odd; any; ; ");
        assert_eq!(settings(Some(&json!([1]))), Vec::<Vec<String>>::new());
        assert_eq!(settings(None), Vec::<Vec<String>>::new());
    }

    #[test]
    fn sizes() {
        assert_eq!(size(Some(0)), "0.0 KiB");
        assert_eq!(size(Some(125_442)), "122.5 KiB");
        assert_eq!(size(Some(18_393_437)), "17.5 MiB");
    }
}
