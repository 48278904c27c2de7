//! A shell that watches over a server.
//!
//! A test process may be killed at any moment, and statics are never dropped, so no code of this process can be relied
//! upon to stop a server. The shell waits at the other end of a pipe. However this process ends, the system closes the
//! pipe; then the shell kills the server and removes its folder.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::account::Account;

/// Runs on any shell that has `test -ef`: dash and bash do.
const SCRIPT: &str = include_str!("supervisor.sh");

/// Sockets have short paths: 104 bytes with the end on some systems. This leaves room for the server's folder and file.
const LONGEST_BASE: usize = 50;

/// The shell, and the folder it made.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    folder: PathBuf,
    conversation: Mutex<Option<Conversation>>,
}

#[derive(Debug)]
struct Conversation {
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Supervisor {
    /// Starts the shell, which makes a folder with an empty folder `data` in it. All that it runs, it runs as `account`.
    pub(crate) fn start(account: Option<Account>) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "supervisor"])
            .arg(base(account, std::env::temp_dir()))
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What is typed into a terminal (Ctrl+C) is meant for the tests, and must not end what clears up after them.
            .process_group(0);
        if let Some(account) = account {
            command.uid(account.user).gid(account.group);
        }
        let mut child = command.spawn()?;
        let (Some(lines), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut conversation = Conversation { lines, answers: BufReader::new(answers) };
        let folder = conversation.answer()?.into();
        Ok(Supervisor { child, folder, conversation: Mutex::new(Some(conversation)) })
    }

    /// The folder of the server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a program and waits for it. What it prints goes to the log. Gives its exit code.
    pub(crate) fn run(&self, words: &[String]) -> io::Result<i32> {
        number(&self.ask(&format!("run {}", quoted(words)))?)
    }

    /// Starts the server in the folder `data`, after killing one that still runs. Gives its process id.
    pub(crate) fn start_server(&self, words: &[String]) -> io::Result<u32> {
        number(&self.ask(&format!("start {}", quoted(words)))?)
    }

    /// Kills all processes of the server at once, and waits until they are gone.
    pub(crate) fn kill_server(&self) -> io::Result<()> {
        self.ask("kill").map(drop)
    }

    /// All processes of the server, in no order.
    pub(crate) fn process_ids(&self) -> io::Result<Vec<u32>> {
        self.ask("pids")?.split_whitespace().map(number).collect()
    }

    /// The last lines of what the server and the programs said.
    pub(crate) fn end_of_log(&self) -> String {
        let log = std::fs::read(self.folder.join("server.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    fn ask(&self, line: &str) -> io::Result<String> {
        let mut conversation = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let conversation = conversation.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        writeln!(conversation.lines, "{line}")?;
        conversation.answer()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Closes the pipe.
        *self.conversation.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        drop(self.child.wait());
    }
}

impl Conversation {
    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has ended"));
        }
        Ok(line.trim_end_matches('\n').to_owned())
    }
}

/// Where the server's folder goes. Another account can't be expected to reach the folder for temporary files of this one.
fn base(account: Option<Account>, temporary: PathBuf) -> PathBuf {
    if account.is_some() || temporary.as_os_str().len() > LONGEST_BASE { PathBuf::from("/tmp") } else { temporary }
}

fn number<N: std::str::FromStr>(text: &str) -> io::Result<N> {
    text.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("it answered `{text}`")))
}

/// Words as the shell reads them back.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn words_reach_programs_as_they_are() {
        let supervisor = Supervisor::start(None).unwrap();
        let odd = "a b 'c' \"d\" $HOME `id` \\ * ; # é";
        let code = supervisor.run(&words(&["printf", "%s\\n", odd])).unwrap();
        assert_eq!((code, supervisor.end_of_log().as_str()), (0, odd));
    }

    #[test]
    fn exit_codes_come_back() {
        let supervisor = Supervisor::start(None).unwrap();
        assert_eq!(supervisor.run(&words(&["sh", "-c", "exit 7"])).unwrap(), 7);
        assert_eq!(supervisor.run(&words(&["/no/such/program"])).unwrap(), 127);
    }

    #[test]
    fn killing_reaches_children_that_outlive_their_parent() {
        let supervisor = Supervisor::start(None).unwrap();
        // The child ignores polite requests, as a process of a server may.
        let program = "sh -c 'trap \"\" TERM HUP; echo ready >> ../ready; while :; do sleep 1; done' & wait";
        let server = supervisor.start_server(&words(&["sh", "-c", program])).unwrap();
        let ready = supervisor.folder().join("ready");
        while !ready.exists() {
            std::thread::yield_now();
        }
        let found = supervisor.process_ids().unwrap();
        assert!(found.contains(&server), "{found:?} lacks {server}");
        assert!(found.len() >= 2, "{found:?}");
        supervisor.kill_server().unwrap();
        assert_eq!(supervisor.process_ids().unwrap(), []);
        assert!(ready.exists(), "the folder outlives the server");
    }

    fn send(supervisor: &Supervisor, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&supervisor.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// The system sends HUP when the process that started the shell ends at the moment in which the server is stopped to be
    /// killed. It used to end the shell and to leave the server behind.
    #[test]
    fn a_hangup_does_not_keep_the_shell_from_clearing_up() {
        let supervisor = Supervisor::start(None).unwrap();
        let server = supervisor.start_server(&words(&["sleep", "600"])).unwrap();
        send(&supervisor, rustix::process::Signal::HUP);
        assert_eq!(supervisor.process_ids().unwrap(), [server]);
        let folder = supervisor.folder().to_owned();
        drop(supervisor);
        assert!(!folder.exists());
    }

    /// Numbers of the signals that this process, and so its children, ignores.
    fn ignored_signals() -> Vec<i32> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
        let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
        (1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect()
    }

    #[test]
    fn a_shell_that_is_told_to_end_clears_up_first() {
        use rustix::process::Signal;
        // What is ignored when a shell starts stays so: in a job that another shell put into the background, that is INT.
        let ignored = ignored_signals();
        for signal in [Signal::TERM, Signal::INT].into_iter().filter(|signal| !ignored.contains(&signal.as_raw())) {
            let mut supervisor = Supervisor::start(None).unwrap();
            supervisor.start_server(&words(&["sleep", "600"])).unwrap();
            send(&supervisor, signal);
            supervisor.child.wait().unwrap();
            assert!(!supervisor.folder().exists(), "{signal:?}");
        }
    }

    #[test]
    fn dropping_removes_the_folder() {
        let supervisor = Supervisor::start(None).unwrap();
        let folder = supervisor.folder().to_owned();
        assert!(folder.join("data").is_dir());
        drop(supervisor);
        assert!(!folder.exists());
    }

    #[test]
    fn the_folder_is_where_sockets_have_short_paths() {
        let long = PathBuf::from(format!("/{}", "x".repeat(LONGEST_BASE)));
        assert_eq!(base(None, long), Path::new("/tmp"));
        assert_eq!(base(None, PathBuf::from("/scratch")), Path::new("/scratch"));
        assert_eq!(base(Some(Account { user: 1, group: 1 }), PathBuf::from("/scratch")), Path::new("/tmp"));
    }
}
