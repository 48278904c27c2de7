//! A server that belongs to whoever started it.

use std::hash::BuildHasher as _;
use std::hash::Hasher as _;
use std::hash::RandomState;
use std::net::TcpListener;
use std::ops::Deref;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::account::Account;
use crate::error::Error;
use crate::kind::Kind;
use crate::launch::Launch;
use crate::programs::Places;
use crate::programs::Programs;
use crate::server::Server;
use crate::supervisor::Supervisor;

/// Systems take ports above these for outgoing connections, which could occupy one while its server is down.
const PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// How long a server may take until it answers, recovery after a kill included.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often another port is tried when one turns out to be taken.
const ATTEMPTS: usize = 5;

/// Which server, and how careful it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOptions {
    /// Which server.
    pub kind: Kind,
    /// Whether a commit waits until its data is on disk, as servers do unless told otherwise. Without, tests are faster.
    pub durable: bool,
}

impl ServerOptions {
    /// A durable PostgreSQL.
    pub const fn postgres() -> Self {
        ServerOptions { kind: Kind::Postgres, durable: true }
    }

    /// A durable MariaDB or MySQL.
    pub const fn mysql() -> Self {
        ServerOptions { kind: Kind::Mysql, durable: true }
    }
}

/// A server that belongs to one test: it may be killed and started again. It ends when this is dropped.
///
/// It is a [`Server`], too: databases are made in it with [`Server::database`].
#[derive(Debug)]
pub struct OwnedServer {
    server: Server,
    launch: Launch,
    supervisor: Supervisor,
    process: AtomicU32,
}

impl OwnedServer {
    /// Sets a server up in a new folder, starts it, and waits until it answers.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start(options: ServerOptions) -> Result<Self, Error> {
        let kind = options.kind;
        let programs = Programs::find(kind, &Places::here()).ok_or(Error::Missing { kind })?;
        let supervisor = Supervisor::start(Account::instead_of_root(kind))?;
        let mut launch = Launch { programs, options, password: password(), port: free_port()? };
        let set_up = launch.set_up(supervisor.folder())?;
        let code = supervisor.run(&set_up)?;
        if code != 0 {
            let reason = format!("`{}` exits with {code}\n{}", set_up[0], supervisor.end_of_log());
            return Err(Error::Start { kind, reason });
        }
        for _ in 1..ATTEMPTS {
            match launched(&supervisor, &launch, None) {
                Err(Error::Start { reason, .. }) if reason.contains("ddress already in use") => {
                    launch.port = free_port()?;
                }
                other => return other.map(|(server, process)| OwnedServer { server, launch, supervisor, process }),
            }
        }
        launched(&supervisor, &launch, None).map(|(server, process)| OwnedServer {
            server,
            launch,
            supervisor,
            process,
        })
    }

    /// Kills all processes of the server with SIGKILL, as a power cut would, and returns when they are gone. Its data stays.
    ///
    /// # Panics
    ///
    /// If the shell that watches over the server is gone.
    #[track_caller]
    pub fn kill(&self) {
        self.supervisor.kill_server().unwrap_or_else(|error| panic!("{}", Error::from(error)));
    }

    /// Starts the server again in the same folder and on the same port, after killing it if it runs, and waits until it
    /// answers.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[track_caller]
    pub fn restart(&self) {
        self.restart_with(None);
    }

    /// The same, but none of the server's files may become larger than so many KiB, as if the disk was full.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[track_caller]
    pub fn restart_in_little_room(&self, largest_file: u32) {
        self.restart_with(Some(largest_file));
    }

    #[track_caller]
    fn restart_with(&self, largest_file: Option<u32>) {
        match launched(&self.supervisor, &self.launch, largest_file) {
            Ok((_, process)) => self.process.store(process.into_inner(), Ordering::Relaxed),
            Err(error) => panic!("{error}"),
        }
    }

    /// All processes of the server, the one that started the others first. None, when it does not run.
    ///
    /// # Panics
    ///
    /// If the shell that watches over the server is gone.
    #[track_caller]
    pub fn process_ids(&self) -> Vec<u32> {
        let main = self.process.load(Ordering::Relaxed);
        let mut found = self.supervisor.process_ids().unwrap_or_else(|error| panic!("{}", Error::from(error)));
        found.sort_by_key(|&process| (process != main, process));
        found
    }

    /// The folder with the server's data, socket and log. It is removed with the server.
    pub fn folder(&self) -> &Path {
        self.supervisor.folder()
    }

    /// The last lines of what the server logged, for the messages of failing tests.
    pub fn end_of_log(&self) -> String {
        self.supervisor.end_of_log()
    }
}

impl Deref for OwnedServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl std::fmt::Display for OwnedServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(formatter)
    }
}

/// Starts the server and waits until it answers.
fn launched(supervisor: &Supervisor, launch: &Launch, largest_file: Option<u32>) -> Result<(Server, AtomicU32), Error> {
    let kind = launch.options.kind;
    let failed = |what: String| Error::Start { kind, reason: format!("{what}\n{}", supervisor.end_of_log()) };
    let mut command = launch.server(supervisor.folder());
    if let Some(kibibytes) = largest_file {
        // The shell counts in blocks of 512 bytes. Whoever ignores the signal gets an error from the write instead.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kibibytes.saturating_mul(2));
        command.splice(0..0, ["sh".to_owned(), "-c".to_owned(), script, "server".to_owned()]);
    }
    let process = supervisor.start_server(&command)?;
    let start = Instant::now();
    loop {
        // Before the attempt, so that what the server said last is in the log.
        let runs = !supervisor.process_ids()?.is_empty();
        let error = match Server::reached(kind, launch.url()) {
            Ok(server) => return Ok((server, AtomicU32::new(process))),
            Err(error) => error,
        };
        if !runs {
            return Err(failed("it ended at once".into()));
        }
        if start.elapsed() > PATIENCE {
            return Err(failed(format!("it does not answer: {error}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port that nobody listens at, another one each time, so that test processes do not get into each other's way.
pub(crate) fn free_port() -> Result<u16, Error> {
    let count = u64::from(PORTS.end() - PORTS.start()) + 1;
    let first = random() % count;
    let ports = (0..count).filter_map(|offset| u16::try_from((first + offset) % count).ok());
    let mut ports = ports.map(|offset| PORTS.start() + offset);
    let free = ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    free.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse).into())
}

/// Letters and digits alone: they mean themselves in URLs, in SQL and in the shell.
fn password() -> String {
    format!("{:016x}", random())
}

/// A number that no other process is likely to come upon: the standard library seeds its hashers from the system.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_free() {
        let port = free_port().unwrap();
        assert!(PORTS.contains(&port));
        let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert!((0..100).all(|_| free_port().unwrap() != port));
    }
}
