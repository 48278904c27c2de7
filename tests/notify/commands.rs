//! The commands of `notify`, and channels as they are configured.

use test_receivers::Answer;
use test_receivers::HttpReceiver;

use crate::harness::Project;
use crate::snapshot;

use super::SECRET;
use super::TELL_ALL;
use super::events;
use super::project;
use super::says_no_secret;
use super::upgrade;
use super::waiting;

#[test]
fn a_test_message() {
    let receiver =
        HttpReceiver::start([Answer::with_body(404, "no_service at /hooks/sEcReTpAtH"), Answer::status(200)]);
    let project = project(&receiver);
    snapshot!(project.run(&["notify", "test", "team"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the channel `team` (webhook) has not got the message: the receiver answered 404 Not Found: no_service at ***

      help: a real message would not be tried again
    ");
    let run = project.run(&["notify", "test", "team", "--json"]).exits(0);
    assert_eq!(run.json()["outcome"], "delivered");
    assert_eq!(events(&receiver), ["test", "test"]);
    snapshot!(project.run(&["notify", "test", "taem"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no channel `taem`

      help: did you mean `team`?
      help: known are `team`
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn messages_can_be_discarded() {
    let receiver = HttpReceiver::start([Answer::status(400), Answer::status(500)]);
    let project = project(&receiver);
    upgrade(&project).exits(0);
    project.table_revision(3);
    upgrade(&project).exits(0);
    project.run(&["notify", "discard", "nothing"]).exits(1);
    project.run(&["notify", "discard"]).exits(2);
    project.run(&["notify", "discard", "--dead"]).exits(0);
    let messages = waiting(&project);
    assert_eq!((messages.len(), &messages[0]["dead"]), (1, &false.into()));
    project.run(&["notify", "discard", messages[0]["key"].as_str().unwrap()]).exits(0);
    snapshot!(project.run(&["notify", "list"]), @"
    exit: 0
    --- stdout
    nothing waits to be delivered
    --- stderr
    ");
}

#[test]
fn nothing_secret_is_said_stored_or_logged() {
    let receiver = HttpReceiver::start([Answer::with_body(500, "no: /hooks/sEcReTpAtH?token=sEcReTtoken")]);
    let project = Project::linear(2);
    project.configure(&format!(
        "[notifications]\ntime = \"1s\"\n[channels.team]\nkind = \"webhook\"\nurl = \"${{HOOK}}\"\nsecret = \"${{KEY}}\"\nheaders = {{ Authorization = \"Bearer ${{TOKEN}}\" }}\n[channels.slack]\nkind = \"slack\"\nurl = \"https://sEcReT.invalid/services/sEcReT\"\n{TELL_ALL}"
    ));
    let hook = receiver.url("/hooks/sEcReTpAtH?token=sEcReTtoken");
    let variables =
        [("HOOK", hook.as_str()), ("KEY", "sEcReTsEcReTsEcReT"), ("TOKEN", "sEcReTbearer"), ("RUNNER_LOG", "trace")];
    for arguments in [
        &["upgrade", "r0001"][..],
        &["upgrade", "--json"],
        &["status"],
        &["status", "--json"],
        &["notify", "list"],
        &["notify", "list", "--json"],
        &["notify", "test", "team"],
        &["notify", "test", "slack", "--json"],
        &["notify", "flush", "--time", "500ms"],
        &["notify", "flush", "--time", "500ms", "--json"],
        &["plugin", "list"],
        &["log", "--json"],
        &["downgrade", "-1", "-vv"],
    ] {
        says_no_secret(&project.run_with(&variables, arguments));
    }
    assert_eq!(receiver.requests()[0].header("authorization"), Some("Bearer sEcReTbearer"));
    for table in ["runner_outbox", "runner_ledger"] {
        let rows = project.query(&format!("SELECT * FROM {table}")).join("\n");
        assert!(!rows.is_empty() && !rows.contains(SECRET), "{rows}");
    }
}

#[test]
fn wrong_channels_are_errors_with_key_and_place_and_without_values() {
    for (channel, words) in [
        ("url = \"https://sEcReT.example\"\n", "`channels.team` in `runner.toml`: `kind` is missing"),
        ("kind = \"slack\"\n", "`channels.team.url` in `runner.toml`: it is missing"),
        ("kind = \"slack\"\nurl = \"sEcReT\"\n", "`channels.team.url` in `runner.toml`: this is not a URL"),
        (
            "kind = \"slack\"\nurl = \"http://sEcReT.example/\"\n",
            "`channels.team.url` in `runner.toml`: `http://` sends",
        ),
        ("kind = \"slack\"\nurl = \"${SLACK_URL}\"\n", "the variable `SLACK_URL` is not set, and `channels.team.url`"),
        (
            "kind = \"slack\"\nsecret = \"sEcReT\"\n",
            "`channels.team.secret` in `runner.toml`: a channel of the kind `slack`",
        ),
        (
            "kind = \"webhook\"\nurl = \"https://h.example\"\nsecret = \"sEcReT\"\n",
            "`channels.team.secret` in `runner.toml`: it is shorter",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\ntls = \"none\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n",
            "`channels.team.tls` in `runner.toml`: `none` sends",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\nfrom = \"sEcReT\"\nto = [\"a@b.c\"]\n",
            "`channels.team.from` in `runner.toml`: this is not an address",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\nfrom = \"a@b.c\"\n",
            "`channels.team.to` in `runner.toml`: nobody is named",
        ),
        (
            "kind = \"file\"\npath = \"a\"\ntimeout = \"soon\"\n",
            "`channels.team.timeout` in `runner.toml`: `soon` is not a duration",
        ),
        ("kind = \"sEcReT/sEcReT\"\n", "runner.toml:4:8"),
        ("kind = \"slack\"\nurrl = \"sEcReT\"\n", "did you mean `url`?"),
    ] {
        let project = Project::linear(1);
        project.configure(&format!("[channels.team]\n{channel}"));
        let run = project.run(&["upgrade"]).exits(2);
        assert!(run.stderr.contains(words), "{channel}: {run}");
        says_no_secret(&run);
        assert_eq!(project.leavings(), [""; 0]);
    }
    let project = Project::linear(1);
    project.configure("[channels.\"a b\"]\nkind = \"stderr\"\n");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("the name of a channel"));
    project.configure("[notifications]\ntime = \"0s\"\n");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("`notifications.time`"));
}

#[test]
fn a_channel_without_an_address_here_is_off() {
    let project = Project::linear(1);
    project.configure(&format!("[channels.team]\nkind = \"slack\"\nurl = \"${{SLACK_URL:-}}\"\n{TELL_ALL}"));
    assert_eq!(project.run(&["upgrade"]).exits(0).stderr, "");
    let run = project.run(&["notify", "test", "team"]).exits(2);
    assert!(run.stderr.contains("is off here"), "{run}");
}
