//! Whatever happens to the process that started a server, neither server nor folder is left.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails must say where")]

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use test_servers::Kind;

/// A process that shares a server with itself, and where that server is.
struct Holder {
    child: Child,
    folder: PathBuf,
    processes: Vec<u32>,
}

impl Holder {
    fn start(kind: Kind) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_test-server"))
            .arg(match kind {
                Kind::Postgres => "postgres",
                Kind::Mysql => "mysql",
            })
            .env_remove(kind.variable())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines.take(3).map(Result::unwrap).collect();
        let (_, socket) = lines[2].split_once("?").unwrap();
        let folder = match kind {
            Kind::Postgres => Path::new(socket.strip_prefix("host=").unwrap()),
            Kind::Mysql => Path::new(socket.strip_prefix("socket=").unwrap()).parent().unwrap(),
        };
        let folder = folder.to_owned();
        let file = match kind {
            Kind::Postgres => folder.join("data/postmaster.pid"),
            Kind::Mysql => folder.join("mysql.pid"),
        };
        let main = std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap();
        assert!(runs(main));
        // Some of these come and go.
        let mut processes = in_folder(&folder);
        processes.push(main);
        Holder { child, folder, processes }
    }

    #[track_caller]
    fn leaves_nothing(mut self) {
        self.child.wait().unwrap();
        let start = Instant::now();
        while self.folder.exists() || self.processes.iter().any(|&process| runs(process)) {
            assert!(start.elapsed() < Duration::from_secs(60), "{:?} or {:?} is left", self.folder, self.processes);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// All processes that work in a folder, where the system shows that.
fn in_folder(folder: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let works_there = |entry: &std::fs::DirEntry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
    };
    entries.filter(works_there).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whether a process is there and not just waiting for somebody to note that it has ended.
fn runs(process: u32) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_killed_process_leaves_nothing() {
    for kind in Kind::ALL {
        let mut holder = Holder::start(kind);
        holder.child.kill().unwrap();
        holder.leaves_nothing();
    }
}

/// Statics are not dropped at the end of a process.
#[test]
fn a_process_that_ends_leaves_nothing() {
    for kind in Kind::ALL {
        let mut holder = Holder::start(kind);
        drop(holder.child.stdin.take());
        holder.leaves_nothing();
    }
}

/// Nobody should have to wait for a server that was killed by somebody else, or find its folder.
#[test]
fn a_server_killed_from_outside_leaves_nothing_either() {
    for kind in Kind::ALL {
        let mut holder = Holder::start(kind);
        let main = holder.processes.last().unwrap().to_string();
        assert!(Command::new("kill").args(["-KILL", &main]).status().unwrap().success());
        holder.child.kill().unwrap();
        holder.leaves_nothing();
    }
}
