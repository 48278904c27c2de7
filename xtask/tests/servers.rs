//! The servers of a run: started, made known to all tests, and gone afterwards.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::process::Output;

/// Stands in for cargo: shows what it is told, and fails as a test may.
const CARGO: &str = "\
#!/bin/sh
echo \"arguments $*\"
echo \"postgres $RUNNER_TEST_POSTGRES_URL\"
echo \"mysql $RUNNER_TEST_MYSQL_URL\"
exit 1
";

fn xtask(variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    std::fs::write(&cargo, CARGO).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["test", "--only-tests", "some_test"]).env("CARGO", cargo);
    command.env_remove("RUNNER_TEST_POSTGRES_URL").env_remove("RUNNER_TEST_MYSQL_URL");
    command.envs(variables.iter().copied()).output().unwrap()
}

/// The value behind a word at the beginning of a line.
fn said<'output>(output: &'output Output, word: &str) -> &'output str {
    let text = str::from_utf8(&output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("no `{word}` in {output:?}")).trim()
}

fn address(url: &str) -> &str {
    url.split_once('@').unwrap().1.split_once('/').unwrap().0
}

#[test]
fn tests_are_told_of_servers_that_end_with_them() {
    let output = xtask(&[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(said(&output, "arguments"), "test --workspace --locked some_test");
    let (postgres, mysql) = (said(&output, "postgres"), said(&output, "mysql"));
    assert!(postgres.starts_with("postgres://") && mysql.starts_with("mysql://"), "{output:?}");
    let talk = str::from_utf8(&output.stderr).unwrap();
    for (server, url) in [("PostgreSQL ", postgres), ("M", mysql)] {
        let line = format!(" at {}", address(url));
        assert!(talk.lines().any(|said| said.starts_with(server) && said.ends_with(&line)), "{talk}");
        assert!(TcpStream::connect(address(url)).is_err(), "{url} still answers");
    }
}

#[test]
fn servers_that_run_already_are_used_and_left_alone() {
    let (postgres, mysql) = (test_servers::postgres(), test_servers::mysql());
    let variables = [("RUNNER_TEST_POSTGRES_URL", postgres.admin_url()), ("RUNNER_TEST_MYSQL_URL", mysql.admin_url())];
    let output = xtask(&variables);
    assert_eq!((said(&output, "postgres"), said(&output, "mysql")), (postgres.admin_url(), mysql.admin_url()));
    for server in [postgres, mysql] {
        assert_eq!(server.database().query("SELECT 1"), ["1"]);
    }
}

#[test]
fn a_server_that_cannot_be_used_is_named_without_its_password() {
    let output = xtask(&[("RUNNER_TEST_POSTGRES_URL", "postgres://me:secret@127.0.0.1:1/postgres")]);
    let talk = str::from_utf8(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(talk.contains("the server that `RUNNER_TEST_POSTGRES_URL` names can't be used: "), "{talk}");
    assert!(!talk.contains("secret"), "{talk}");
    assert_eq!(output.stdout, b"", "no test runs");
}
