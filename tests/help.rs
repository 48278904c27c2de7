//! `--help`, wrong command lines and completions.

use crate::harness::Project;
use crate::snapshot;

fn visit(command: &clap::Command, path: &mut Vec<String>, check: &mut impl FnMut(&[String])) {
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        path.push(child.get_name().to_owned());
        check(path);
        visit(child, path, check);
        path.pop();
    }
}

#[test]
fn every_command_has_an_example() {
    let project = Project::empty();
    let mut count = 0;
    visit(&runner::command_line(), &mut Vec::new(), &mut |path| {
        count += 1;
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let run = project.run(&arguments).exits(0);
        let example = format!("\nExamples:\n  runner {}", path.join(" "));
        assert!(run.stdout.contains(&example), "{path:?}: {run}");
        assert_eq!(run.stderr, "");
    });
    assert!(count >= 15, "only {count} commands");
    assert!(project.run(&["--help"]).exits(0).stdout.contains("Examples:\n"));
}

#[test]
fn the_version() {
    snapshot!(Project::empty().run(&["--version"]), @"
    exit: 0
    --- stdout
    runner [VERSION]
    --- stderr
    ");
}

#[test]
fn wrong_command_lines() {
    let project = Project::empty();
    snapshot!(project.run(&["upgade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unrecognized subcommand 'upgade'

      tip: some similar subcommands exist: 'downgrade', 'upgrade'

    Usage: runner [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    for command in [&["upgrade", "--dryrun"][..], &["downgrade", "-1", "--dryrun"], &["plan", "r0001", "--jsn"]] {
        let run = project.run(command).exits(2);
        assert!(run.stderr.contains("unexpected argument '--"), "{command:?}: {run}");
        assert!(run.stderr.contains("a similar argument exists"), "{command:?}: {run}");
    }
    let json = project.run(&["upgrade", "--dryrun", "--json"]).exits(2).json();
    assert_eq!(json["error"]["kind"], "usage");
    snapshot!(project.run(&["upgrade", "-q", "-v"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the argument '--quiet' cannot be used with '--verbose...'

    Usage: runner upgrade --quiet [REVISION]...

    For more information, try '--help'.
    ");
    assert_eq!(project.run(&[]).code, 2);
}

#[test]
fn completions_of_every_shell() {
    let project = Project::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = project.run(&["completions", shell]).exits(0);
        assert!(run.stdout.contains("upgrade") && run.stdout.contains("lock-wait"), "{shell}");
        assert_eq!(run.stderr, "");
    }
    let document = project.run(&["completions", "bash", "--json"]).exits(0).json();
    assert_eq!(document["shell"], "bash");
    assert!(document["script"].as_str().unwrap().contains("upgrade"));
    snapshot!(project.run(&["completions", "cmd"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'cmd' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

    For more information, try '--help'.
    ");
}
