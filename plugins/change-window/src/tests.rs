use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use runner_policy_sdk::Actor;
use runner_policy_sdk::Decision;
use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Environment;
use runner_policy_sdk::Revision;
use runner_policy_sdk::Step;
use runner_policy_sdk::Target;

use super::*;

const HASH: &str = "0f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a6978";

fn settings(toml: &str) -> Settings {
    serde_json::from_str(toml).unwrap_or_else(|error| panic!("{error}"))
}

/// In production, by Ada, at a time of Berlin.
fn context(local: &str) -> Context {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let now = local.parse::<DateTime>().unwrap().to_zoned(berlin).unwrap().timestamp();
    Context {
        operation: Operation::Upgrade,
        dry_run: false,
        now: runner_policy_sdk::Timestamp { seconds: now.as_second(), nanoseconds: 0 },
        actor: Actor { name: "ada".to_owned(), host: String::new() },
        target: Target { dialect: Dialect::Sqlite, name: String::new(), server_version: String::new() },
        environment: Environment { name: "production".to_owned(), level: Some(100), production: Some(true) },
        settings: "{}".to_owned(),
        variables: Vec::new(),
    }
}

fn plan(steps: usize) -> Plan {
    let step = Step {
        revision: Revision {
            id: "r1".to_owned(),
            parents: Vec::new(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            title: String::new(),
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
    Plan { hash: HASH.to_owned(), steps: vec![step; steps] }
}

fn review(settings: &Settings, local: &str) -> Ruling {
    ChangeWindow::review(settings, &context(local), &plan(1)).unwrap()
}

/// What is said, after `allow` or `deny`, with the help after a semicolon.
fn said(settings: &Settings, local: &str) -> String {
    let ruling = review(settings, local);
    let mut said = match ruling.decision {
        Decision::Allow => "allow".to_owned(),
        Decision::Deny => "deny".to_owned(),
        Decision::Confirm(prompt) => prompt,
    };
    for reason in ruling.reasons {
        said.push_str(&format!(" {}: {}", reason.rule.unwrap_or_default(), reason.message));
        said.extend(reason.help.map(|help| format!("; {help}")));
    }
    said
}

fn office_hours() -> Settings {
    settings(
        r#"{ "time-zone": "Europe/Berlin", "windows": [{ "days": ["mon-thu"], "from": "09:00", "to": "16:00" }] }"#,
    )
}

#[test]
fn without_settings_changes_may_happen_at_all_times() {
    assert_eq!(said(&settings("{}"), "2026-11-21T03:00"), "allow");
}

#[test]
fn a_window_opens_and_closes_to_the_minute() {
    let hours = office_hours();
    // 2026-11-23 is a Monday.
    assert!(said(&hours, "2026-11-23T08:59:59").starts_with("deny change-window: it is Mon 2026-11-23 08:59"));
    assert_eq!(
        said(&hours, "2026-11-23T09:00"),
        "allow change-window: the change window is open until Mon 2026-11-23 16:00 Europe/Berlin"
    );
    assert_eq!(
        said(&hours, "2026-11-23T15:48"),
        "allow change-window: the change window closes in 12 min, at Mon 2026-11-23 16:00 Europe/Berlin"
    );
    assert!(said(&hours, "2026-11-23T15:59:59").starts_with("allow"));
    assert_eq!(
        said(&hours, "2026-11-26T16:00"),
        "deny change-window: it is Thu 2026-11-26 16:00 Europe/Berlin, outside of the change windows; the next window opens \
         Mon 2026-11-30 09:00 Europe/Berlin; an exception can be agreed on in the settings"
    );
}

#[test]
fn a_window_may_go_over_midnight_and_over_sunday() {
    let nights = settings(
        r#"{ "time-zone": "Europe/Berlin", "windows": [{ "days": ["sat-mon"], "from": "22:00", "to": "04:00" }] }"#,
    );
    assert!(said(&nights, "2026-11-21T22:00").starts_with("allow"), "Saturday");
    assert!(said(&nights, "2026-11-24T03:59").starts_with("allow"), "the night after Monday");
    assert!(said(&nights, "2026-11-24T22:00").starts_with("deny"), "Tuesday");
    assert!(said(&nights, "2026-11-21T03:00").starts_with("deny"), "the night after Friday");
    let always = settings(r#"{ "windows": [{ "from": "00:00", "to": "24:00" }] }"#);
    assert!(said(&always, "2026-11-24T00:00").starts_with("allow"));
}

#[test]
fn windows_follow_the_clocks_of_the_time_zone() {
    let mornings = settings(r#"{ "time-zone": "Europe/Berlin", "windows": [{ "from": "02:00", "to": "03:00" }] }"#);
    // The hour from 2 to 3 does not exist on this day, so no window opens.
    assert!(said(&mornings, "2026-03-29T03:30").starts_with("deny"));
    // It exists twice on this one.
    assert!(said(&mornings, "2026-10-25T02:30").starts_with("allow"));
    let utc = settings(r#"{ "windows": [{ "from": "08:00", "to": "09:00" }] }"#);
    assert!(said(&utc, "2026-11-23T09:30").starts_with("allow"), "9:30 in Berlin is 8:30 UTC in winter");
    assert!(said(&utc, "2026-07-20T09:30").starts_with("deny"), "and 7:30 UTC in summer");
}

#[test]
fn a_freeze_wins_over_a_window_and_says_when_it_ends() {
    let mut hours = office_hours();
    hours.freezes =
        settings(r#"{ "freezes": [{ "from": "2026-12-21", "to": "2027-01-06", "reason": "end of the year" }] }"#)
            .freezes;
    assert_eq!(
        said(&hours, "2026-12-22T10:00"),
        "deny change-freeze: changes are frozen until Thu 2027-01-07 00:00 Europe/Berlin: end of the year; the next window \
         opens Thu 2027-01-07 09:00 Europe/Berlin; an exception can be agreed on in the settings"
    );
    assert!(said(&hours, "2027-01-07T09:00").starts_with("allow"));
    let frozen = settings(r#"{ "freezes": [{ "from": "2026-12-24T12:00:00Z", "to": "2030-01-01" }] }"#);
    assert_eq!(said(&frozen, "2026-12-24T12:59"), "allow");
    assert!(
        said(&frozen, "2026-12-24T13:00")
            .ends_with("no window opens within a year; an exception can be agreed on in the settings")
    );
}

#[test]
fn an_open_window_ends_with_the_next_freeze() {
    let mut hours = office_hours();
    hours.freezes = settings(r#"{ "freezes": [{ "from": "2026-11-23T12:00", "to": "2026-11-23T13:00" }] }"#).freezes;
    assert_eq!(
        said(&hours, "2026-11-23T11:30"),
        "allow change-window: the change window closes in 30 min, at Mon 2026-11-23 12:00 Europe/Berlin"
    );
    assert!(said(&hours, "2026-11-23T12:30").contains("the next window opens Mon 2026-11-23 13:00"));
}

#[test]
fn an_exception_holds_for_its_time_people_and_plan() {
    let mut hours = office_hours();
    let with = |more: &str| {
        settings(&format!(
            r#"{{ "exceptions": [{{ "from": "2026-11-21T10:00", "to": "2026-11-21T12:00", "reason": "CHG-7"{more} }}] }}"#
        ))
        .exceptions
    };
    hours.exceptions = with("");
    assert_eq!(
        said(&hours, "2026-11-21T10:00"),
        "allow change-exception: an exception holds until Sat 2026-11-21 12:00 Europe/Berlin: CHG-7"
    );
    assert!(said(&hours, "2026-11-21T12:00").starts_with("deny"));
    for (more, allowed) in [
        (r#", "actors": ["ada", "bob"]"#.to_owned(), true),
        (r#", "actors": ["bob"]"#.to_owned(), false),
        (format!(r#", "plan": "{}""#, HASH.to_uppercase()), true),
        (format!(r#", "plan": "{}""#, HASH.replace('0', "1")), false),
    ] {
        hours.exceptions = with(&more);
        assert_eq!(said(&hours, "2026-11-21T11:00").starts_with("allow"), allowed, "{more}");
    }
}

#[test]
fn other_environments_pass_and_unknown_ones_do_not() {
    let hours = office_hours();
    let mut saturday = context("2026-11-21T11:00");
    for (production, allowed) in [(Some(false), true), (None, false), (Some(true), false)] {
        saturday.environment.production = production;
        let ruling = ChangeWindow::review(&hours, &saturday, &plan(1)).unwrap();
        assert_eq!(matches!(ruling.decision, Decision::Allow), allowed, "{production:?}");
    }
    let staging = Settings { environments: vec!["Staging".to_owned()], ..office_hours() };
    assert_eq!(said(&staging, "2026-11-21T11:00"), "allow", "production is not listed");
    saturday.environment.name = "staging".to_owned();
    let ruling = ChangeWindow::review(&staging, &saturday, &plan(1)).unwrap();
    assert!(matches!(ruling.decision, Decision::Deny));
}

#[test]
fn nothing_to_do_is_told_and_not_refused() {
    let ruling = ChangeWindow::review(&office_hours(), &context("2026-11-21T11:00"), &plan(0)).unwrap();
    assert!(matches!(ruling.decision, Decision::Allow));
    assert_eq!(ruling.notices, ["it is Sat 2026-11-21 11:00 Europe/Berlin, outside of the change windows"]);
    let mut restore = context("2026-11-21T11:00");
    restore.operation = Operation::Restore;
    let ruling = ChangeWindow::review(&office_hours(), &restore, &plan(0)).unwrap();
    assert!(matches!(ruling.decision, Decision::Deny), "a restore has no steps and changes everything");
}

#[test]
fn wrong_settings_are_told_with_their_path() {
    let wrong = settings(
        r#"{ "windows": [{ "from": "09:00", "to": "09:00" }],
             "freezes": [{ "from": "2026-12-24", "to": "2026-12-23" }, { "from": "2026-12-24", "to": "2026-12-24" }],
             "exceptions": [{ "from": "2026-12-24", "to": "2026-12-23", "reason": " ", "plan": "x" }] }"#,
    );
    let paths: Vec<String> = wrong.problems().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["windows[0]", "freezes[0]", "exceptions[0]", "exceptions[0].reason", "exceptions[0].plan"]);
    let problems = Settings { time_zone: "Europe/Berlib".to_owned(), ..Settings::default() }.problems();
    assert_eq!(problems[0].message, "`Europe/Berlib` is no time zone such as `Europe/Berlin`");
    for (text, words) in [
        (r#"{ "windows": [{ "from": "9:00", "to": "10:00" }] }"#, "`9:00` is no time of day such as `09:00`"),
        (r#"{ "windows": [{ "from": "24:01", "to": "10:00" }] }"#, "`24:01` is no time of day"),
        (r#"{ "windows": [{ "days": ["mo"], "from": "09:00", "to": "10:00" }] }"#, "`mo` is no day such as `mon`"),
        (r#"{ "freezes": [{ "from": "24.12.2026", "to": "2026-12-26" }] }"#, "`24.12.2026` is no moment such as"),
        (r#"{ "freeze": [] }"#, "unknown field `freeze`"),
    ] {
        let error = serde_json::from_str::<Settings>(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
