//! Messages on their way: stored first, in the target or in a file, and sent when the lock is released.

mod conversion;
mod desk;

use std::collections::BTreeSet;
use std::time::Duration;

use runner_database::NewMessage;
use runner_database::Session;
use runner_delivery::Channels;
use runner_delivery::Fate;
use runner_delivery::Spool;
use sha2::Digest as _;

use self::desk::Desk;
use super::Interrupt;
use crate::config::Config;

/// How long storing may take after a run, before a file is taken instead. The database itself gives up sooner.
const STORING: Duration = Duration::from_secs(5);
/// How long giving back claims and closing the connection may take.
const CLOSING: Duration = Duration::from_secs(1);

/// What became of one message in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its key.
    pub key: String,
    /// Its channel.
    pub channel: String,
    /// Attempts in all.
    pub attempts: u32,
    /// What became of it.
    pub fate: Fate,
}

/// What became of the messages that were tried.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// Each of them.
    pub tried: Vec<Delivery>,
    /// What else is worth a warning.
    pub warnings: Vec<String>,
}

impl Deliveries {
    /// What is worth a warning after a run: a line a channel that could not be reached.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut channels = BTreeSet::new();
        for Delivery { channel, fate, .. } in &self.tried {
            let (why, what) = match fate {
                Fate::Delivered => continue,
                Fate::Dead { why } => (why, "can't be delivered, and is kept (`runner notify list`)"),
                Fate::Waits { why, .. } => {
                    (why, "is not delivered yet; the next run or `runner notify flush` tries again")
                }
            };
            if channels.insert(channel) {
                complaints.push(format!("a message to `{channel}` {what}: {why}"));
            }
        }
        complaints.extend(self.warnings.iter().cloned());
        complaints
    }
}

/// The messages of a run and of those before it, and everything that is needed to send them.
#[derive(Debug)]
pub struct Mail {
    desk: Option<Desk>,
}

impl Mail {
    /// Nothing is to be sent.
    pub(super) fn none() -> Self {
        Mail { desk: None }
    }

    /// Mail of a project. `by` is a unique name of whoever sends it.
    pub(super) fn of(config: &Config, channels: &Channels, by: &str, interrupt: Interrupt) -> Self {
        let url = config.database_url().ok().cloned();
        Mail {
            desk: Some(Desk {
                channels: channels.clone(),
                session: None,
                reopen: url.map(|url| (url, config.database_options().clone())),
                spool: spool(config),
                time: config.notification_time(),
                eager: Vec::new(),
                by: by.to_owned(),
                interrupt,
                news: BTreeSet::new(),
                is_storing_late: false,
                has_claimed: false,
                unrecorded: Vec::new(),
                delivered: Vec::new(),
                warnings: Vec::new(),
            }),
        }
    }

    /// All mail of a project, to be tried now.
    pub(crate) fn to_flush(config: &Config, time: Duration, interrupt: Interrupt) -> crate::error::Result<Self> {
        let mut mail = Mail::of(config, config.channels()?, &super::evidence::run_id(), interrupt);
        if let Some(desk) = &mut mail.desk {
            desk.time = time;
            desk.eager = desk.channels.delivered().map(str::to_owned).collect();
        }
        Ok(mail)
    }

    /// Stores messages: in the session's database, or in a file if that does not work.
    pub(super) async fn store(&mut self, session: Option<Session>, messages: &[NewMessage]) {
        let Some(desk) = &mut self.desk else { return };
        desk.session = session;
        if messages.is_empty() {
            return;
        }
        desk.expect(messages);
        if let Some(session) = &mut desk.session {
            match tokio::time::timeout(STORING, session.store_messages(messages)).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => tracing::debug!(%error, "messages can't be stored in the database"),
                Err(_) => {
                    tracing::debug!("storing messages in the database takes too long");
                    desk.session = None;
                }
            }
        }
        desk.spool(messages);
    }

    /// Whether messages may be stored while the run goes on.
    pub(super) fn stores_early(&self) -> bool {
        self.desk.as_ref().is_some_and(|desk| !desk.is_storing_late)
    }

    /// Messages are stored while the run goes on, or can't be; then all others are stored when it is over.
    pub(super) fn stored_early(&mut self, messages: &[NewMessage], result: &runner_database::Result<()>) {
        let Some(desk) = &mut self.desk else { return };
        match result {
            Ok(()) => desk.expect(messages),
            Err(error) => {
                tracing::debug!(%error, "messages can't be stored yet");
                desk.is_storing_late = true;
            }
        }
    }

    /// Gives the session's lock back.
    pub(super) async fn unlock(&mut self) -> runner_database::Result<()> {
        match self.desk.as_mut().and_then(|desk| desk.session.as_mut()) {
            Some(session) => session.unlock().await,
            // Dropping a session gives its lock back.
            None => Ok(()),
        }
    }

    /// The database could not be reached, so it is not asked again.
    pub(super) fn give_up_database(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.reopen = None;
        }
    }

    /// Whether there is a desk at all.
    pub(super) fn is_open(&self) -> bool {
        self.desk.is_some()
    }

    /// Sends what waits, within its time or until somebody interrupts. Nothing is lost, however it ends.
    pub async fn deliver(self) -> Deliveries {
        let Some(mut desk) = self.desk else { return Deliveries::default() };
        let interrupt = desk.interrupt.clone();
        interrupt.listen();
        let asked = interrupt.times() + 1;
        let limit = desk.time + CLOSING;
        let is_cut_off = tokio::select! {
            () = desk.send() => false,
            () = interrupt.asked(asked) => true,
            () = tokio::time::sleep(limit) => true,
        };
        // What was in the middle of being sent may arrive, and is sent again: receivers tell by the key.
        let _ = tokio::time::timeout(CLOSING, desk.close()).await;
        if !desk.unrecorded.is_empty() {
            let count = desk.unrecorded.len();
            let noun = if count == 1 { "a message" } else { "messages" };
            desk.warnings.push(format!(
                "what became of {noun} can't be recorded in the database ({count}): they may be sent again"
            ));
        }
        if is_cut_off && interrupt.times() >= asked {
            desk.warnings
                .push("interrupted: what is not delivered stays for the next run or `runner notify flush`".to_owned());
        }
        Deliveries { tried: desk.delivered, warnings: desk.warnings }
    }
}

/// Where messages of a project wait that its database could not store: for each database another place, because only it or
/// somebody who names it takes them over.
pub(super) fn spool(config: &Config) -> Option<Spool> {
    let configured = std::env::var_os("RUNNER_STATE_DIR").filter(|folder| !folder.is_empty());
    let configured = configured.map(|folder| std::path::absolute(&folder).unwrap_or_else(|_| folder.into()));
    let root = std::fs::canonicalize(&config.root).ok()?;
    let database = config.database_url().map(ToString::to_string).unwrap_or_default();
    let digest = sha2::Sha256::new().chain_update(root.as_os_str().as_encoded_bytes()).chain_update([0]);
    let digest = digest.chain_update(database).finalize();
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Spool::of_project(configured, &name)
}
