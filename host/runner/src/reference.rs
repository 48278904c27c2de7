//! The command reference `docs/cli.md` is written from the definition of the command line; this test checks that it still is.
//! `UPDATE_DOCS=1 cargo test -p runner reference` writes it anew.

use std::fmt::Write as _;

use crate::command_line;

/// Every command's long help, in the order of the command line.
fn reference() -> String {
    let mut text = String::from(
        "# Commands\n\nWritten from the definition of the command line; do not edit.\n\n\
         Every command takes the global options, which are listed once here.\n",
    );
    let mut root = command_line();
    root.build();
    write_command(&mut text, &root, "runner", true);
    text
}

fn write_command(text: &mut String, command: &clap::Command, path: &str, is_root: bool) {
    let level = if is_root { "##" } else { "###" };
    let mut shown = command.clone().bin_name(path);
    if !is_root {
        // What every command takes is listed once.
        let global: Vec<String> = shown
            .get_arguments()
            .filter(|argument| argument.get_help_heading() == Some("Global options"))
            .map(|argument| argument.get_id().to_string())
            .collect();
        for id in global {
            shown = shown.mut_arg(id, |argument| argument.hide(true));
        }
    }
    let help = shown.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n{level} `{path}`\n\n```text\n{}\n```\n", help.join("\n").trim());
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        write_command(text, sub, &format!("{path} {}", sub.get_name()), false);
    }
}

#[test]
fn the_command_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let current = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == current, "docs/cli.md is out of date; run `UPDATE_DOCS=1 cargo test -p runner --lib reference`");
}

#[test]
fn every_command_has_an_example() {
    fn check(command: &clap::Command) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("Examples:"), "`{}` has no example", command.get_name());
        command.get_subcommands().for_each(check);
    }
    check(&command_line());
}
