//! The page of all lint rules, `docs/lint-rules.md`, is written from the built-in policies; this test checks that it still is.
//! `UPDATE_DOCS=1 cargo test --workspace --lib lint_reference` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use runner_policy::Cache;
use runner_policy::Host;
use runner_policy::PluginRules;
use runner_policy::PluginSet;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use runner_policy::data;

const INTRODUCTION: &str = "\
# Lint rules

Written from the built-in policies; do not edit. `runner lint --explain RULE` prints the same about one rule, also about those of
your own policies. [Lint](lint.md) tells how severities are changed, and how findings are suppressed.

The severity below production comes first, then that in production. Where nobody knows whether it is production, it is.
";

fn name(severity: data::Severity) -> &'static str {
    match severity {
        data::Severity::Info => "info",
        data::Severity::Warning => "warning",
        data::Severity::Error => "error",
    }
}

fn severities(rule: &data::RevisionRule) -> String {
    match (name(rule.severity), name(rule.severity_in_production)) {
        (below, there) if below == there => below.to_owned(),
        (below, there) => format!("{below}, {there}"),
    }
}

fn dialects(rule: &data::RevisionRule) -> String {
    let name = |dialect: &data::Dialect| match dialect {
        data::Dialect::Sqlite => "SQLite",
        data::Dialect::Postgres => "PostgreSQL",
        data::Dialect::Mysql => "MySQL and MariaDB",
    };
    match rule.dialects.as_slice() {
        [] => "all databases".to_owned(),
        some => some.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

fn page(all: &[PluginRules]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for PluginRules { plugin, rules } in all {
        write!(text, "\n## {}\n\n| rule | severity | what it finds |\n| --- | --- | --- |\n", plugin.name).unwrap();
        for rule in rules {
            let severities = severities(rule);
            let anchor = format!("{}-{}", plugin.name, rule.name);
            writeln!(text, "| [`{}`](#{anchor}) | {severities} | {} |", rule.name, rule.summary.replace('|', "\\|"))
                .unwrap();
        }
        for rule in rules {
            write!(text, "\n<a id=\"{}-{}\"></a>\n\n### {}\n\n", plugin.name, rule.name, rule.name).unwrap();
            writeln!(text, "{}\n", rule.summary).unwrap();
            write!(text, "Severity: {}. For {}.", severities(rule), dialects(rule)).unwrap();
            if !rule.aliases.is_empty() {
                let aliases: Vec<String> = rule.aliases.iter().map(|alias| format!("`{alias}`")).collect();
                write!(text, " Also known as {}.", aliases.join(", ")).unwrap();
            }
            writeln!(text, "\n\n{}", rule.explanation.trim()).unwrap();
        }
    }
    text
}

async fn rules() -> Vec<PluginRules> {
    let names = builtin_names().filter(|name| name.starts_with("lint"));
    let set = PluginSet { name: "lint".to_owned(), plugins: names.filter_map(builtin_definition).collect() };
    let policies = Policies::load(&Host::new(Cache::None), &set, &[Role::Lint]).await;
    let context = data::Context {
        operation: data::Operation::Upgrade,
        dry_run: true,
        now: data::Timestamp { seconds: 0, nanoseconds: 0 },
        actor: data::Actor { name: String::new(), host: String::new() },
        target: data::Target { dialect: data::Dialect::Postgres, name: String::new(), server_version: String::new() },
        environment: data::Environment { name: String::new(), level: None, production: None },
        settings: String::new(),
        variables: Vec::new(),
    };
    let (rules, refusals) = policies.lint_rules(&context).await;
    assert_eq!(refusals, []);
    rules
}

#[test]
fn the_page_of_rules_is_current() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = page(&runtime.block_on(rules()));
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lint-rules.md"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/lint-rules.md is out of date; write it anew with: UPDATE_DOCS=1 cargo test --workspace --lib lint_reference"
    );
}
