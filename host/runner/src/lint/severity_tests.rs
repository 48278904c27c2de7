use super::super::catalogue::tests::catalogue;
use super::*;

fn layer(text: &str, only_stricter: bool) -> LintLayer {
    let written: toml::Table = toml::from_str(text).unwrap();
    let rules = written.get("rules").cloned().unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    LintLayer {
        file: "runner.toml".to_owned(),
        only_stricter,
        fail_on: written.get("fail-on").map(|fail_on| fail_on.clone().try_into().unwrap()),
        rules: rules.try_into().unwrap(),
    }
}

fn here(environment: &str, production: Option<bool>) -> Here {
    let aliases = if environment == "production" { vec!["prod".to_owned()] } else { Vec::new() };
    Here { dialect: Dialect::Sqlite, environment: environment.to_owned(), aliases, production }
}

fn finding(plugin: &str, rule: &str, severity: Severity) -> LintFinding {
    let mut finding = own_rules::finding(rule, severity, "m");
    finding.verdict.plugin = plugin.to_owned();
    finding
}

fn weigh(severities: &Severities, plugin: &str, rule: &str) -> (Weight, Vec<String>) {
    let mut ignored = BTreeSet::new();
    let weight = severities.weigh(&finding(plugin, rule, Severity::Warning), &catalogue(), &mut ignored);
    (weight, ignored.into_iter().collect())
}

fn of(text: &str, here: Here) -> Severities {
    Severities::new(vec![layer(text, false)], here, BTreeSet::new())
}

const WARNING: Weight = Weight::Counts(Severity::Warning, Decision::Warn);
const ERROR: Weight = Weight::Counts(Severity::Error, Decision::Deny);
const INFO: Weight = Weight::Counts(Severity::Info, Decision::Allow);

#[test]
fn without_configuration_the_policy_decides() {
    let severities = of("", here("development", Some(false)));
    assert_eq!(weigh(&severities, "lint", "ban-drop-table"), (WARNING, vec![]));
    assert!(!severities.names_rules());
}

#[test]
fn the_most_specific_key_counts() {
    let text = "rules.ban-drop-table = { default = \"off\", sqlite = \"info\", production = \"error\", staging = \"warning\" }";
    for (environment, production, expected) in [
        ("development", Some(false), INFO),
        ("staging", Some(false), WARNING),
        ("production", Some(true), ERROR),
        ("live", Some(true), ERROR),
        // Nobody knows what it is.
        ("elsewhere", None, ERROR),
    ] {
        assert_eq!(
            weigh(&of(text, here(environment, production)), "lint", "ban-drop-table").0,
            expected,
            "{environment}"
        );
    }
    let mysql = Here { dialect: Dialect::Mysql, ..here("development", Some(false)) };
    assert_eq!(weigh(&of(text, mysql), "lint", "ban-drop-table").0, Weight::Off);
    let only_mysql = of("rules.ban-drop-table = { mariadb = \"off\" }", here("development", Some(false)));
    assert_eq!(weigh(&only_mysql, "lint", "ban-drop-table").0, WARNING);
    let alias = of("rules.ban-drop-table = { prod = \"off\" }", here("production", Some(true)));
    assert_eq!(weigh(&alias, "lint", "ban-drop-table").0, Weight::Off);
}

#[test]
fn a_name_of_another_tool_counts_after_the_own_one() {
    let text = "[rules]\nDS102 = \"error\"\ndestructive = \"info\"\n";
    let severities = of(text, here("development", Some(false)));
    assert_eq!(weigh(&severities, "lint", "ban-drop-table").0, ERROR);
    assert_eq!(weigh(&severities, "lint", "ban-drop-column").0, INFO);
    assert_eq!(weigh(&severities, "acme", "ban-drop-table").0, WARNING);
    let both = of("[rules]\nDS102 = \"error\"\nban-drop-table = \"off\"\n", here("development", Some(false)));
    assert_eq!(weigh(&both, "lint", "ban-drop-table").0, Weight::Off);
}

#[test]
fn a_strict_set_is_never_made_looser() {
    let text = "fail-on = \"never\"\n[rules]\nban-drop-table = \"off\"\nban-drop-column = \"error\"\n";
    let strict = BTreeSet::from(["lint".to_owned()]);
    let severities = Severities::new(vec![layer(text, false)], here("production", Some(true)), strict);
    let (weight, ignored) = weigh(&severities, "lint", "ban-drop-table");
    assert_eq!(weight, WARNING);
    assert_eq!(
        ignored,
        [
            "`lint.fail-on` in `runner.toml` is not obeyed: `never` is looser, and the plugin belongs to a strict set",
            "`lint.rules.ban-drop-table` in `runner.toml` is not obeyed: `off` is looser, and the plugin belongs to a strict set",
        ]
    );
    assert_eq!(weigh(&severities, "lint", "ban-drop-column").0, ERROR);
    // A plugin that the strict set does not hold is its owner's business.
    assert_eq!(weigh(&severities, "acme", "ban-drop-table").0, Weight::Off);
    assert_eq!((severities.fail_on("lint"), severities.fail_on("acme")), (FailOn::Error, FailOn::Never));
}

#[test]
fn what_a_set_file_says_is_not_loosened_by_the_project() {
    let set = layer("fail-on = \"warning\"\nrules.ban-drop-table = \"error\"\n", false);
    let project = layer("fail-on = \"never\"\n[rules]\nban-drop-table = \"info\"\ntodo-fixme = \"error\"\n", true);
    let severities = Severities::new(vec![set, project], here("test", Some(false)), BTreeSet::new());
    let (weight, ignored) = weigh(&severities, "lint", "ban-drop-table");
    assert_eq!((weight, ignored.len()), (ERROR, 2));
    assert_eq!(weigh(&severities, "lint", "todo-fixme").0, ERROR);
    assert_eq!(severities.fail_on("lint"), FailOn::Warning);
}

#[test]
fn the_command_line_makes_things_stricter_alone() {
    let base = || of("fail-on = \"warning\"", here("test", Some(false)));
    assert_eq!(base().deny(Some(FailOn::Info), vec![]).fail_on("lint"), FailOn::Info);
    assert_eq!(base().deny(Some(FailOn::Error), vec![]).fail_on("lint"), FailOn::Warning);
    let severities = of("", here("test", Some(false))).deny(None, vec!["DS102".to_owned()]);
    assert_eq!(weigh(&severities, "lint", "ban-drop-table").0, Weight::Counts(Severity::Warning, Decision::Deny));
    assert_eq!(weigh(&severities, "lint", "ban-drop-column").0, WARNING);
}

#[test]
fn problems_of_the_chain_stay_errors() {
    let severities = of("rules.duplicate-id = \"off\"", here("test", Some(false)));
    let mut ignored = BTreeSet::new();
    let fault = finding("runner", "duplicate-id", Severity::Error);
    assert_eq!(severities.weigh(&fault, &catalogue(), &mut ignored), ERROR);
    assert_eq!(ignored.len(), 1);
}

#[test]
fn names_that_do_not_exist_are_told() {
    let text =
        "[rules]\nban-drop-tabel = \"off\"\ntodo-fixme = { stagin = \"off\", mysql = \"off\" }\nDS102 = \"off\"\n";
    let severities = of(text, here("test", Some(false)));
    let known = ["test".to_owned(), "staging".to_owned()];
    let told = |complaints: Vec<LintFinding>| -> Vec<String> {
        complaints
            .into_iter()
            .map(|found| format!("{} ({})", found.verdict.message, found.verdict.help.unwrap()))
            .collect()
    };
    assert_eq!(
        told(severities.complaints(&catalogue(), &known)),
        [
            "`lint.rules.ban-drop-tabel`: no lint policy in force has such a rule (did you mean `ban-drop-table`?)",
            "`lint.rules.todo-fixme.stagin`: there is no such environment or dialect (did you mean `staging`?)",
        ]
    );
    assert_eq!(severities.complaints(&catalogue(), &[]).len(), 1);
}
