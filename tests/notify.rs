//! Notifications: events, channels, the outbox and delivery, with receivers that answer well, badly, slowly or not at all.

mod commands;
mod mail;
mod news;
mod outbox;
mod webhooks;

use std::time::Duration;

use test_receivers::HttpReceiver;

use crate::harness::Project;
use crate::harness::Run;

const APPROVED: (&str, &str) = ("ALLOW_PRODUCTION_MIGRATE", "true");
/// Part of every address and every secret in these tests.
const SECRET: &str = "sEcReT";
/// Delivery after a run is limited to 5 s; a command with a dead channel must end long before a person would give up.
const BOUND: Duration = Duration::from_secs(60);

/// A webhook, and a policy that tells everything about every environment.
fn project(receiver: &HttpReceiver) -> Project {
    let project = Project::linear(2);
    project.configure(&format!(
        "[notifications]\ntime = \"2s\"\n[channels.team]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}-of-the-webhook\"\n{TELL_ALL}",
        receiver.url("/hooks/sEcReTpAtH")
    ));
    project
}

const TELL_ALL: &str = "[plugins.notify.settings]\nrules = [{}]\n";

fn upgrade(project: &Project) -> Run {
    project.run(&["upgrade"])
}

fn events(receiver: &HttpReceiver) -> Vec<String> {
    receiver.requests().iter().map(|request| request.header("x-runner-event").unwrap().to_owned()).collect()
}

fn waiting(project: &Project) -> Vec<serde_json::Value> {
    let list = project.run(&["notify", "list", "--json"]).exits(0).json();
    list["messages"].as_array().unwrap().clone()
}

/// What waits for a database that can't be reached.
fn waiting_at(project: &Project, url: &[&str; 2]) -> Vec<serde_json::Value> {
    let list = project.run(&["notify", "list", "--json", url[0], url[1]]).json();
    list["messages"].as_array().unwrap().clone()
}

#[track_caller]
fn says_no_secret(run: &Run) {
    let text = run.to_string();
    assert!(!text.contains(SECRET), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// What is told of a command, oldest first, as a file channel has it.
fn told(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("news.jsonl")).unwrap_or_default();
    let line = |line: &str| {
        let notice: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = notice["occasion"]["event"].as_str().unwrap();
        let title = notice["message"]["title"].as_str().unwrap();
        let text = notice["message"]["text"].as_str().unwrap().lines().next().unwrap_or_default();
        format!("{event}: {title}: {text}")
    };
    text.lines().map(line).collect()
}

fn with_file(project: &Project, settings: &str) {
    project.configure(&format!("[channels.news]\nkind = \"file\"\npath = \"news.jsonl\"\n{settings}"));
}
