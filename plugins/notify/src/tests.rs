//! Who hears of what, natively.

use runner_policy_sdk::Actor;
use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Environment;
use runner_policy_sdk::Notify as _;
use runner_policy_sdk::Revision;
use runner_policy_sdk::RunResult;
use runner_policy_sdk::Severity;
use runner_policy_sdk::Step;
use runner_policy_sdk::StepResult;
use runner_policy_sdk::Target;
use runner_policy_sdk::Timestamp;

use super::*;

fn context(operation: Operation, name: &str, level: Option<u32>, production: Option<bool>) -> Context {
    Context {
        operation,
        dry_run: false,
        now: Timestamp { seconds: 0, nanoseconds: 0 },
        actor: Actor { name: "ann".to_owned(), host: "build".to_owned() },
        target: Target { dialect: Dialect::Sqlite, name: "sqlite://app.db".to_owned(), server_version: String::new() },
        environment: Environment { name: name.to_owned(), level, production },
        settings: "{}".to_owned(),
        variables: Vec::new(),
    }
}

fn production() -> Context {
    context(Operation::Upgrade, "production", Some(100), Some(true))
}

fn plan(steps: usize) -> Plan {
    let step = |number: usize| Step {
        revision: Revision {
            id: format!("r{number}"),
            parents: Vec::new(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            title: format!("Title {number}"),
            description: String::new(),
            created: None,
            environments: Vec::new(),
            file: String::new(),
            transactional: true,
        },
        direction: Direction::Up,
        statements: Vec::new(),
        recorded: None,
        skipped: false,
    };
    Plan { hash: "0123456789abcdef".to_owned(), steps: (1..=steps).map(step).collect() }
}

fn finished() -> Event {
    Event::Finished(RunResult { steps: 2, skipped: 1, duration_ms: 61_500 })
}

fn failed() -> Event {
    Event::StepFailed(StepResult {
        revision: "r2".to_owned(),
        duration_ms: 1500,
        error: Some("no such table".to_owned()),
    })
}

fn rule(change: impl FnOnce(&mut Rule)) -> Settings {
    let mut rule = Rule::default();
    change(&mut rule);
    Settings { rules: vec![rule], ..Settings::default() }
}

fn titles(settings: &Settings, context: &Context, event: &Event) -> Vec<String> {
    let messages = Notify::announce(settings, context, &plan(2), event).unwrap();
    messages.into_iter().map(|message| format!("{}: {}", message.channel, message.title)).collect()
}

#[test]
fn without_settings_every_channel_hears_what_matters_in_production() {
    let settings = Settings::default();
    let heard = |event: &Event| titles(&settings, &production(), event);
    assert_eq!(heard(&finished()), ["*: Upgrade of production is done: 2 steps"]);
    assert_eq!(heard(&failed()), ["*: Upgrade of production failed at r2"]);
    assert_eq!(heard(&Event::Refused(vec!["no".to_owned()])), ["*: Upgrade of production was refused"]);
    assert_eq!(heard(&Event::Overridden("x".to_owned())), ["*: A protection of production was overridden by ann"]);
    for event in [
        Event::Planned,
        Event::Started,
        Event::StepDone(StepResult { revision: "r1".to_owned(), duration_ms: 1, error: None }),
    ] {
        assert_eq!(heard(&event), [""; 0]);
    }
    let test = context(Operation::Upgrade, "test", Some(20), Some(false));
    assert_eq!(titles(&settings, &test, &failed()), [""; 0]);
    let unknown = context(Operation::Upgrade, "mars", None, None);
    assert_eq!(titles(&settings, &unknown, &failed()).len(), 1);
}

#[test]
fn nothing_to_do_is_nothing_to_say() {
    let settings = rule(|rule| rule.events = vec![Kind::Planned, Kind::Started, Kind::Finished, Kind::Refused]);
    for event in [Event::Planned, Event::Started, finished()] {
        assert!(Notify::announce(&settings, &production(), &plan(0), &event).unwrap().is_empty());
    }
    assert_eq!(Notify::announce(&settings, &production(), &plan(0), &Event::Refused(Vec::new())).unwrap().len(), 1);
}

#[test]
fn what_is_undone_in_production_is_told_once() {
    let down = context(Operation::Downgrade, "production", Some(100), Some(true));
    let undone = Event::RolledBack(RunResult { steps: 2, skipped: 0, duration_ms: 5 });
    assert_eq!(titles(&Settings::default(), &down, &finished()), [""; 0]);
    assert_eq!(titles(&Settings::default(), &down, &undone), ["*: 2 revisions were undone in production"]);
    let settings = rule(|rule| rule.events = vec![Kind::Finished]);
    assert_eq!(titles(&settings, &down, &finished()).len(), 1);
}

#[test]
fn rules_choose_by_environment_level_and_severity() {
    let staging = context(Operation::Upgrade, "staging", Some(30), Some(false));
    let hears = |settings: &Settings, event: &Event| !titles(settings, &staging, event).is_empty();
    assert!(hears(&rule(|rule| rule.environments = Some(vec!["test".to_owned(), "staging".to_owned()])), &finished()));
    assert!(!hears(&rule(|rule| rule.environments = Some(vec!["production".to_owned()])), &finished()));
    assert!(hears(&rule(|rule| rule.minimum_level = Some(30)), &finished()));
    assert!(!hears(&rule(|rule| rule.minimum_level = Some(31)), &finished()));
    assert!(hears(&rule(|rule| rule.production = Some(false)), &finished()));
    assert!(!hears(&rule(|rule| rule.minimum_severity = Importance::Warning), &finished()));
    assert!(hears(&rule(|rule| rule.minimum_severity = Importance::Warning), &failed()));
}

#[test]
fn a_channel_hears_once_in_the_words_of_the_first_rule() {
    let channels = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let settings = Settings {
        rules: vec![
            Rule {
                channels: channels(&["ops"]),
                title: Some("{actor} broke {target}: {error}".to_owned()),
                ..Rule::default()
            },
            Rule { channels: channels(&["team", "ops"]), ..Rule::default() },
        ],
        ..Settings::default()
    };
    assert_eq!(
        titles(&settings, &production(), &failed()),
        ["ops: ann broke sqlite://app.db: no such table", "team: Upgrade of production failed at r2"]
    );
}

#[test]
fn every_placeholder_has_a_value_somewhere() {
    let everything: Vec<String> = template::NAMES.iter().map(|name| format!("{name}=[{{{name}}}]")).collect();
    let settings = rule(|rule| {
        rule.events = vec![Kind::StepFailed, Kind::Finished, Kind::Refused, Kind::Overridden];
        rule.text = Some(everything.join(" "));
    });
    let events = [failed(), finished(), Event::Refused(vec!["why".to_owned()]), Event::Overridden("how".to_owned())];
    let texts: Vec<String> = events
        .iter()
        .flat_map(|event| Notify::announce(&settings, &production(), &plan(12), event).unwrap())
        .map(|message| message.text)
        .collect();
    for name in template::NAMES {
        assert!(texts.iter().any(|text| !text.contains(&format!("{name}=[]"))), "`{{{name}}}` is always empty");
    }
    assert!(texts[1].contains("duration=[1 min 1 s]") && texts[1].contains("and 2 more"), "{}", texts[1]);
}

#[test]
fn messages_carry_severity_and_details() {
    let messages = Notify::announce(&Settings::default(), &production(), &plan(2), &failed()).unwrap();
    assert!(matches!(messages[0].severity, Severity::Error));
    assert_eq!(messages[0].text, "no such table");
    let fields: Vec<String> =
        messages[0].fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
    assert_eq!(
        fields,
        [
            "Environment=production",
            "Database=sqlite://app.db",
            "By=ann",
            "On=build",
            "Revision=r2",
            "Steps=2",
            "Took=1.5 s",
            "Plan=0123456789ab"
        ]
    );
}

#[test]
fn wrong_settings_are_named_with_their_path() {
    let mut settings = rule(|rule| {
        rule.title = Some("{who}".to_owned());
        rule.events = Vec::new();
    });
    settings.words.insert(Kind::Finished, Words { title: None, text: Some("{".to_owned()) });
    let paths: Vec<String> = Notify::check(&settings).into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["rules[0].title", "words.finished.text", "rules[0].events"]);
    assert!(Notify::check(&Settings::default()).is_empty());
}
