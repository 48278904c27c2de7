//! Installs what is missing, where that can be done without asking.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::kind::Kind;
use crate::programs::Places;
use crate::programs::Programs;
use crate::registry;

/// Packages ask this program before they start a service. Exit code 101 means that they must not.
const GUARD: &str = "/usr/sbin/policy-rc.d";
const GUARD_SCRIPT: &str =
    "#!/bin/sh\n# Written by runner's tests while they install servers, which are not to run as services.\nexit 101\n";

/// Installs the servers that the tests need and that are neither installed nor named by a variable. It says so on stderr.
///
/// That is done for root on Debian and its relatives, as in a container or on a build machine. The services of the
/// packages are not started.
///
/// # Errors
///
/// If something is missing and this is another system or another user, or if the package manager fails.
pub fn install_missing() -> Result<(), Error> {
    let missing = |kind: &Kind| kind.existing().is_none() && Programs::find(*kind, &Places::here()).is_none();
    let mut missing: Vec<Needed> = Kind::ALL.into_iter().filter(missing).map(Needed::Server).collect();
    let programs = PROGRAMS.map(|(program, package)| Needed::Program { program, package });
    missing.extend(programs.into_iter().filter(|needed| !needed.is_installed()));
    let Some(&first) = missing.first() else { return Ok(()) };
    if !can_install() {
        return Err(first.missing());
    }
    let _guard = Guard::set(Path::new(GUARD)).map_err(|error| Error::Install {
        missing: Box::new(first.missing()),
        command: format!("writing {GUARD}"),
        reason: error.to_string(),
    })?;
    apt_get(first, &["update"])?;
    for needed in missing {
        apt_get(needed, &["install", "-y", "--no-install-recommends", needed.package()])?;
        if !needed.is_installed() {
            return Err(needed.missing());
        }
    }
    Ok(())
}

/// Something that the tests need.
#[derive(Clone, Copy)]
enum Needed {
    Server(Kind),
    Program { program: &'static str, package: &'static str },
}

/// Programs that tests run, and their packages.
const PROGRAMS: [(&str, &str); 5] = [
    (registry::PROGRAM, registry::PROGRAM),
    ("openssl", "openssl"),
    ("sqlite3", "sqlite3"),
    ("psql", "postgresql-client"),
    ("mariadb", "mariadb-client"),
];

impl Needed {
    fn package(self) -> &'static str {
        match self {
            Needed::Server(kind) => kind.package(),
            Needed::Program { package, .. } => package,
        }
    }

    fn is_installed(self) -> bool {
        match self {
            Needed::Server(kind) => Programs::find(kind, &Places::here()).is_some(),
            Needed::Program { program, .. } => Places::here().file(program).is_some(),
        }
    }

    fn missing(self) -> Error {
        match self {
            Needed::Server(kind) => Error::Missing { kind },
            Needed::Program { program, package } => Error::MissingProgram { program, package },
        }
    }
}

fn can_install() -> bool {
    rustix::process::geteuid().is_root() && Path::new("/etc/debian_version").exists() && found("apt-get")
}

fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must know that something is installed")]
fn apt_get(needed: Needed, arguments: &[&str]) -> Result<(), Error> {
    let shown = format!("apt-get {}", arguments.join(" "));
    eprintln!("$ {shown}    # {} is needed by the tests and not installed", needed.package());
    let failed = |reason| Error::Install { missing: Box::new(needed.missing()), command: shown.clone(), reason };
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", OsStr::new("noninteractive"));
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("{}\n{}", output.status, said.trim_end())))
}

/// Forbids services to be started for as long as it lives. One that is there already is left alone.
#[derive(Debug)]
struct Guard {
    file: Option<PathBuf>,
}

impl Guard {
    fn set(file: &Path) -> std::io::Result<Self> {
        // Our own may be left from a run that was killed.
        if std::fs::read(file).is_ok_and(|content| content != GUARD_SCRIPT.as_bytes()) {
            return Ok(Guard { file: None });
        }
        std::fs::write(file, GUARD_SCRIPT)?;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?;
        Ok(Guard { file: Some(file.to_owned()) })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            drop(std::fs::remove_file(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_forbidden_only_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy-rc.d");
        let guard = Guard::set(&file).unwrap();
        assert_eq!(Command::new("sh").arg(&file).status().unwrap().code(), Some(101));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o111, 0o111);
        drop(guard);
        assert!(!file.exists());
    }

    #[test]
    fn a_policy_of_the_machine_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy-rc.d");
        std::fs::write(&file, "#!/bin/sh\nexit 0\n").unwrap();
        drop(Guard::set(&file).unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "#!/bin/sh\nexit 0\n");
    }

    #[test]
    fn a_policy_left_by_a_run_that_was_killed_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy-rc.d");
        std::fs::write(&file, GUARD_SCRIPT).unwrap();
        drop(Guard::set(&file).unwrap());
        assert!(!file.exists());
    }

    #[test]
    fn what_is_missing_is_said_with_the_ways_out() {
        let text = Error::Missing { kind: Kind::Mysql }.to_string();
        for part in ["MariaDB", "`mariadb-server`", "`RUNNER_TEST_POSTGRES_URL`", "`RUNNER_TEST_MYSQL_URL`"] {
            assert!(text.contains(part), "`{text}` lacks {part}");
        }
    }
}
