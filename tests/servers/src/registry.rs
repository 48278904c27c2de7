//! A private OCI registry.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::error::Error;
use crate::owned::free_port;
use crate::programs::Places;
use crate::supervisor::Supervisor;

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often another port is tried when one turns out to be taken.
const ATTEMPTS: usize = 5;

/// The user that a registry with accounts knows, and the password.
pub const REGISTRY_ACCOUNT: (&str, &str) = ("tester", "hunter2");

/// The same, as the registry reads it: the password with bcrypt.
const HTPASSWD: &str = "tester:$2b$04$YcNemEwwAS7ZMQmfq0vnqubvJQD/ggkgPHc2G4YpEq5BpkkzJM5tS\n";

/// The program, and the package of Debian and its relatives that holds it.
pub(crate) const PROGRAM: &str = "docker-registry";

/// An OCI registry that belongs to one test. It speaks plain HTTP on a free port of 127.0.0.1, and ends when this is
/// dropped, or with the process that started it.
#[derive(Debug)]
pub struct Registry {
    supervisor: Supervisor,
    program: PathBuf,
    address: String,
}

impl Registry {
    /// Starts a registry that lets everybody in.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start. A test never passes because its server is missing.
    #[track_caller]
    pub fn start() -> Self {
        Self::try_start(false).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts a registry that lets [`REGISTRY_ACCOUNT`] in and nobody else.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start.
    #[track_caller]
    pub fn start_with_account() -> Self {
        Self::try_start(true).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(with_account: bool) -> Result<Self, Error> {
        let missing = Error::MissingProgram { program: PROGRAM, package: PROGRAM };
        let program = Places::here().file(PROGRAM).ok_or(missing)?;
        let supervisor = Supervisor::start(None)?;
        let mut registry = Registry { supervisor, program, address: String::new() };
        let mut attempt = 1;
        loop {
            registry.address = format!("127.0.0.1:{}", free_port()?);
            registry.configure(with_account)?;
            match registry.launch() {
                Err(Error::StartRegistry { reason })
                    if reason.contains("address already in use") && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                started => return started.map(|()| registry),
            }
        }
    }

    fn configure(&self, with_account: bool) -> Result<(), Error> {
        let folder = self.supervisor.folder();
        let shown = folder.display();
        let address = &self.address;
        let mut text = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {shown}/data\n\
             http:\n  addr: {address}\n  secret: tests\n"
        );
        if with_account {
            text.push_str(&format!("auth:\n  htpasswd:\n    realm: tests\n    path: {shown}/htpasswd\n"));
            std::fs::write(folder.join("htpasswd"), HTPASSWD)?;
        }
        Ok(std::fs::write(folder.join("registry.yml"), text)?)
    }

    fn launch(&self) -> Result<(), Error> {
        let configuration = self.supervisor.folder().join("registry.yml");
        let words = [self.program.as_path(), Path::new("serve"), &configuration].map(|word| word.display().to_string());
        self.supervisor.start_server(&words)?;
        let start = Instant::now();
        loop {
            // Before the attempt, so that what it said last is in the log.
            let runs = !self.supervisor.process_ids()?.is_empty();
            if self.answers() {
                return Ok(());
            }
            if !runs || start.elapsed() > PATIENCE {
                return Err(Error::StartRegistry { reason: self.supervisor.end_of_log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let mut start = [0; 5];
        stream.write_all(b"GET /v2/ HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_exact(&mut start).is_ok()
            && start == *b"HTTP/"
    }

    /// Host and port, as in `127.0.0.1:5000`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder in which it keeps everything, for tests that damage something.
    pub fn data(&self) -> PathBuf {
        self.supervisor.folder().join("data")
    }

    /// Kills it. Its data stays.
    ///
    /// # Panics
    ///
    /// If the shell that watches over it is gone.
    #[track_caller]
    pub fn kill(&self) {
        self.supervisor.kill_server().unwrap_or_else(|error| panic!("{}", Error::from(error)));
    }
}
