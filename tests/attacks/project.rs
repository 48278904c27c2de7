//! A project with a database in use, a hostile plugin and a witness.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use policy_components::Component;
use policy_components::Function;
use tempfile::TempDir;

/// A process that takes longer hangs.
const HANGS: Duration = Duration::from_secs(120);

pub(crate) struct Project {
    folder: TempDir,
}

/// What a process did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) time: Duration,
}

impl Project {
    /// Two revisions, the first of them applied. The set `team` holds the default policies but those that lint (each attack has a
    /// cache of its own, and they take long to compile), `evil` with `further` keys, and a witness that traps if anything of
    /// an earlier call is left.
    pub(crate) fn new(further: &str) -> Self {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(project.path("migrations")).unwrap();
        for (id, parent) in [("r1", "base"), ("r2", "r1")] {
            let text = format!(
                "-- Revision {id}\n-- Revision ID: {id}\n-- Revises: {parent}\n\n-- migrate:up\nCREATE TABLE t_{id} (id INTEGER);\n\n-- migrate:down\nDROP TABLE t_{id};\n"
            );
            std::fs::write(project.path(&format!("migrations/{id}.sql")), text).unwrap();
        }
        let witness = Component::gate()
            .fields("(global $calls (mut i32) (i32.const 0))")
            .body(Function::Review, "(if (global.get $calls) (then unreachable)) (global.set $calls (i32.const 1))");
        std::fs::write(project.path("witness.wasm"), witness.bytes()).unwrap();
        let configuration = format!(
            "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n\
             [plugins.evil]\nsource = \"evil.wasm\"\n{further}\n\
             [plugins.witness]\nsource = \"witness.wasm\"\n\
             [plugin-sets.plain]\nplugins = [\"environment-hierarchy\", \"production-override\"]\n\
             [plugin-sets.team]\nextends = \"plain\"\nplugins = [\"evil\", \"witness\"]\n"
        );
        std::fs::write(project.path("runner.toml"), configuration).unwrap();
        let applied = project.run(&["--plugins", "plain", "upgrade", "r1"]);
        assert_eq!(applied.code, 0, "{}", applied.stderr);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where this project's native code is, if it is not shared with the others.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// The database, byte by byte.
    pub(crate) fn database(&self) -> Vec<u8> {
        std::fs::read(self.path("app.db")).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_into("", arguments)
    }

    /// The same beside others; gives the exit code.
    pub(crate) fn run_aside(&self, number: usize, arguments: &[&str]) -> i32 {
        self.run_into(&format!("-{number}"), arguments).code
    }

    /// What is said goes into files, so that a flood of it can't block the process.
    fn run_into(&self, suffix: &str, arguments: &[&str]) -> Run {
        let (out, err) = (self.path(&format!("stdout{suffix}")), self.path(&format!("stderr{suffix}")));
        let own = self.cache();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let cache = if std::fs::symlink_metadata(&own).is_ok() { own } else { shared };
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("SECRET", "hunter2")
            .env("RUNNER_CACHE_DIR", cache)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap());
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > HANGS => {
                    child.kill().unwrap();
                    panic!("it hangs");
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let time = begun.elapsed();
        // What is not UTF-8 was not written by the runner.
        let text = |path: &Path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
        Run { code: status.code().unwrap_or(-1), stdout: text(&out), stderr: text(&err), time }
    }
}
