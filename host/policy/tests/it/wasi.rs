//! A policy whose language brings WASI along sees an empty world: granted variables and folders, a clock that stands still,
//! and the same randomness every time.

use std::time::Duration;

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use runner_policy::Grants;
use runner_policy::Limits;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::ReadGrant;
use runner_policy::Request;

use crate::support::Folder;
use crate::support::Log;
use crate::support::consult;
use crate::support::host;
use crate::support::patient;
use crate::support::refusal;
use crate::support::request;
use crate::support::review;
use crate::support::rule;
use crate::support::set;

/// Notices of a component, with these grants, about this request.
async fn notices(component: &Component, grants: Grants, request: Request) -> Vec<String> {
    let folder = Folder::new();
    let plugin = PluginDefinition { grants, ..folder.plugin("guest", component.bytes()) };
    let host = host().with_variables(|name| match name {
        "TEAM" => Some("dental".to_owned()),
        "SECRET" => Some("hunter2".to_owned()),
        _ => None,
    });
    let (_, review) = consult(&host, &set([plugin]), request).await;
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
    review.notices.into_iter().map(|notice| notice.text).collect()
}

/// Shows a number that a function gives, as 16 hexadecimal digits.
fn showing(interface: &str, definition: &str, call: &str) -> Component {
    Component::gate().import(interface, definition, "(result i64)").body(
        Function::Review,
        &format!(
            "(local.set $at (call $allocate (i32.const 16)))
            (call $hex (local.get $at) (call ${call}))
            (call $hex (i32.add (local.get $at) (i32.const 8)) (call ${call}))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.const 2))"
        ),
    )
}

#[tokio::test]
async fn the_environment_holds_granted_variables_alone() {
    // A list of pairs of texts is a list of twice as many texts.
    let component = Component::gate()
        .import("wasi:cli/environment@0.2.0", "get-environment: func() -> list<tuple<string, string>>;", "(param i32)")
        .body(
            Function::Review,
            "(local.set $at (call $allocate (i32.const 8)))
            (call $get-environment (local.get $at))
            (call $put (i32.add (local.get $answer) (i32.const 24))
                (i32.load (local.get $at)) (i32.mul (i32.const 2) (i32.load offset=4 (local.get $at))))",
        );
    assert_eq!(notices(&component, Grants::default(), request()).await, Vec::<String>::new());
    let grants = Grants { env: vec!["TEAM".to_owned(), "UNSET".to_owned()], ..Grants::default() };
    assert_eq!(notices(&component, grants, request()).await, ["TEAM", "dental"]);
}

#[tokio::test]
async fn there_are_no_arguments() {
    let component = Component::gate()
        .import("wasi:cli/environment@0.2.0", "get-arguments: func() -> list<string>;", "(param i32)")
        .body(
            Function::Review,
            "(local.set $at (call $allocate (i32.const 8)))
            (call $get-arguments (local.get $at))
            (i64.store (i32.add (local.get $answer) (i32.const 24)) (i64.load (local.get $at)))",
        );
    assert_eq!(notices(&component, Grants::default(), request()).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_clock_stands_still_at_the_time_of_the_request() {
    let component = Component::gate()
        .import(
            "wasi:clocks/wall-clock@0.2.0",
            "now: func() -> datetime; record datetime { seconds: u64, nanoseconds: u32 }",
            "(param i32)",
        )
        .body(
            Function::Review,
            "(local.set $from (call $allocate (i32.const 16)))
            (local.set $at (call $allocate (i32.const 16)))
            (call $now (local.get $from))
            (call $hex (local.get $at) (i64.load (local.get $from)))
            (call $hex (i32.add (local.get $at) (i32.const 8)) (i64.load32_u offset=8 (local.get $from)))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.const 2))",
        );
    let seen = notices(&component, Grants::default(), request()).await;
    assert_eq!(seen, [format!("{:016x}", 1_800_000_000), format!("{:016x}", 5)]);

    let monotonic = showing("wasi:clocks/monotonic-clock@0.2.0", "now: func() -> u64;", "now");
    let seen = notices(&monotonic, Grants::default(), request()).await;
    assert_eq!(seen[0], seen[1]);
    assert_eq!(notices(&monotonic, Grants::default(), request()).await, seen);
}

#[tokio::test]
async fn a_time_before_1970_is_no_reason_to_fail() {
    let component = showing("wasi:clocks/monotonic-clock@0.2.0", "now: func() -> u64;", "now");
    let mut request = request();
    request.context.now.seconds = -5;
    notices(&component, Grants::default(), request).await;
}

#[tokio::test]
async fn randomness_follows_from_the_plan() {
    for (interface, definition, call) in [
        ("wasi:random/random@0.2.0", "get-random-u64: func() -> u64;", "get-random-u64"),
        ("wasi:random/insecure@0.2.0", "get-insecure-random-u64: func() -> u64;", "get-insecure-random-u64"),
    ] {
        let component = showing(interface, definition, call);
        let first = notices(&component, Grants::default(), request()).await;
        assert_eq!(notices(&component, Grants::default(), request()).await, first, "the same plan");
        assert_ne!(first[0], first[1], "within a call it goes on");
        let mut other = request();
        other.plan.hash = other.plan.hash.replace('0', "7");
        assert_ne!(notices(&component, Grants::default(), other).await, first, "another plan");
    }
}

#[tokio::test]
async fn an_endless_amount_of_randomness_is_refused() {
    let component = Component::gate()
        .import("wasi:random/random@0.2.0", "get-random-bytes: func(len: u64) -> list<u8>;", "(param i64 i32)")
        .body(Function::Review, "(call $get-random-bytes (i64.const 1000000000000) (local.get $answer))");
    let verdict = refusal(Role::Gate, &component, patient()).await;
    assert!(["plugin-trap", "limit-memory"].contains(&rule(&verdict)), "{verdict:#?}");
}

/// To leave with success is not to allow.
#[tokio::test]
async fn to_exit_is_not_to_answer() {
    for status in [0, 1] {
        let component = Component::gate()
            .import("wasi:cli/exit@0.2.0", "exit: func(status: result);", "(param i32)")
            .body(Function::Review, &format!("(call $exit (i32.const {status}))"));
        let verdict = refusal(Role::Gate, &component, patient()).await;
        assert_eq!(rule(&verdict), "plugin-trap");
    }
}

#[tokio::test]
async fn a_guest_that_sleeps_runs_out_of_time() {
    let component = Component::gate()
        .import_as(
            "wasi:io/poll@0.2.0",
            "resource pollable { block: func(); }",
            "[method]pollable.block",
            "(param i32)",
        )
        .import(
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-duration: func(when: u64) -> pollable; use wasi:io/poll@0.2.0.{pollable};",
            "(param i64) (result i32)",
        )
        .body(Function::Review, "(call $block (call $subscribe-duration (i64.const 3600000000000)))");
    let limits = Limits { time: Duration::from_millis(100), ..patient() };
    let verdict = refusal(Role::Gate, &component, limits).await;
    assert_eq!(rule(&verdict), "limit-time");
}

/// The cases in the order of `wasi:filesystem/types@0.2.0`.
const ERROR_CODES: &str = "enum error-code { access, would-block, already, bad-descriptor, busy, deadlock, quota, exist,
    file-too-large, illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop, too-many-links,
    message-size, name-too-long, no-device, no-entry, no-lock, insufficient-memory, insufficient-space, not-directory,
    not-empty, not-recoverable, unsupported, no-tty, no-such-device, overflow, not-permitted, pipe, read-only, invalid-seek,
    text-file-busy, cross-device }";

/// Shows the names of the folders it is given, and tries to make a folder in the first.
fn exploring() -> Component {
    Component::gate()
        .import_as(
            "wasi:filesystem/types@0.2.0",
            &format!("resource descriptor {{ create-directory-at: func(path: string) -> result<_, error-code>; }} {ERROR_CODES}"),
            "[method]descriptor.create-directory-at",
            "(param i32 i32 i32 i32)",
        )
        .import(
            "wasi:filesystem/preopens@0.2.0",
            "get-directories: func() -> list<tuple<descriptor, string>>; use types.{descriptor};",
            "(param i32)",
        )
        .body(
            Function::Review,
            "(local.set $from (call $allocate (i32.const 8)))
            (call $get-directories (local.get $from))
            (local.set $count (i32.load offset=4 (local.get $from)))
            (local.set $from (i32.load (local.get $from)))
            (local.set $at (call $allocate (i32.const 32)))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.mul (i32.const 2) (local.get $count)))
            (if (local.get $count)
              (then
                (i64.store (local.get $at) (i64.load offset=4 align=4 (local.get $from)))
                (local.set $to (call $allocate (i32.const 8)))
                (call $create-directory-at (i32.load (local.get $from)) (text \"made\") (local.get $to))
                (call $hex (i32.add (local.get $at) (i32.const 8)) (i64.load8_u (local.get $to)))))",
        )
}

#[tokio::test]
async fn granted_folders_can_be_read_and_nothing_else() {
    let component = exploring();
    assert_eq!(notices(&component, Grants::default(), request()).await, Vec::<String>::new());
    let folder = Folder::new();
    std::fs::create_dir(folder.path("data")).unwrap();
    let grants = Grants {
        read: vec![ReadGrant { path: folder.path("data"), name: "policies/data".to_owned() }],
        ..Grants::default()
    };
    let seen = notices(&component, grants, request()).await;
    assert_eq!(
        seen,
        ["policies/data", "0000000000000001"],
        "its own name for it, and an error instead of a new folder"
    );
    assert_eq!(std::fs::read_dir(folder.path("data")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_granted_folder_that_is_not_there_denies() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("guest", exploring().bytes());
    plugin.grants.read.push(ReadGrant { path: folder.path("nowhere"), name: "policies/data".to_owned() });
    let verdict = crate::support::denial(&review(plugin).await, "guest");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(verdict.message.contains("`policies/data`"), "{}", verdict.message);
    assert!(verdict.help.unwrap().contains("[plugins.guest]"));
}

/// Writes a text to stderr a number of times.
fn writing(text: &str, count: usize) -> Component {
    Component::gate()
        .import_as(
            "wasi:io/error@0.2.0",
            "resource error { to-debug-string: func() -> string; }",
            "[method]error.to-debug-string",
            "(param i32 i32)",
        )
        .import_as(
            "wasi:io/streams@0.2.0",
            "use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }",
            "[method]output-stream.blocking-write-and-flush",
            "(param i32 i32 i32 i32)",
        )
        .import(
            "wasi:cli/stderr@0.2.0",
            "get-stderr: func() -> output-stream; use wasi:io/streams@0.2.0.{output-stream};",
            "(result i32)",
        )
        .body(
            Function::Review,
            &format!(
                "(local.set $to (call $get-stderr))
                (local.set $at (call $allocate (i32.const 16)))
                (loop $more
                    (call $blocking-write-and-flush (local.get $to) (text \"{text}\") (local.get $at))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $count) (i32.const {count}))))"
            ),
        )
}

#[tokio::test]
async fn stderr_goes_to_the_log_under_the_name_of_the_plugin() {
    let folder = Folder::new();
    let plugin = folder.plugin("guest", writing(r"loading \1b[2J\0arules\0a", 1).bytes());
    let (log, _guard) = Log::listen();
    assert_eq!(review(plugin).await.outcome, Outcome::Allowed);
    let lines: Vec<_> =
        log.lines().into_iter().filter(|line| line.plugin == "guest").map(|line| line.message).collect();
    assert_eq!(lines, ["loading \\u{1b}[2J", "rules"]);
}

/// Too much of it is dropped, as it is for the log.
#[tokio::test]
async fn a_flood_on_stderr_is_cut_off() {
    let folder = Folder::new();
    let plugin = folder.plugin("guest", writing(&format!("{}\\0a", "x".repeat(99)), 50).bytes());
    let limits = Limits { log: 1000, ..patient() };
    let (log, _guard) = Log::listen();
    let review = review(PluginDefinition { limits, ..plugin }).await;
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
    let bytes: usize = log
        .lines()
        .iter()
        .filter(|line| line.plugin == "guest" && line.message.starts_with('x'))
        .map(|line| line.message.len())
        .sum();
    assert!(bytes <= 1000, "{bytes} bytes");
}
