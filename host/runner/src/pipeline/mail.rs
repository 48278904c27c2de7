//! Messages on their way: stored first, in the target or in a file, and sent when the lock is released.

use std::collections::BTreeSet;
use std::time::Duration;

use runner_database::Access;
use runner_database::Claim;
use runner_database::NewMessage;
use runner_database::OutboxMessage;
use runner_database::Session;
use runner_database::SettledMessage;
use runner_database::Settlement;
use runner_delivery::Channels;
use runner_delivery::Courier;
use runner_delivery::Fate;
use runner_delivery::Letter;
use runner_delivery::Notice;
use runner_delivery::Settled;
use runner_delivery::Spool;
use runner_delivery::Spooled;
use runner_delivery::Taken;
use sha2::Digest as _;
use tokio::sync::mpsc;

use super::Interrupt;
use crate::config::Config;

/// How long storing may take after a run, before a file is taken instead. The database itself gives up sooner.
const STORING: Duration = Duration::from_secs(5);
/// How long giving back claims and closing the connection may take.
const CLOSING: Duration = Duration::from_secs(1);
/// Claims outlast the time for delivery by this much, so that nobody takes over what is still in somebody's hands.
const MARGIN: Duration = Duration::from_secs(30);
/// How often a channel is looked at that another runner sends to.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait before recording is tried again.
const RECORDING: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

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

#[derive(Debug)]
struct Desk {
    channels: Channels,
    /// A session without a lock.
    session: Option<Session>,
    /// How to open one; `None`: it was tried, and the database does not answer.
    reopen: Option<(runner_database::DatabaseUrl, runner_database::Options)>,
    spool: Option<Spool>,
    time: Duration,
    /// Channels that are tried even if their next attempt is not due.
    eager: Vec<String>,
    by: String,
    interrupt: Interrupt,
    /// Channels that this run has news for.
    news: BTreeSet<String>,
    /// Whether storing between steps has failed, so that it is not tried again while others wait for the run.
    is_storing_late: bool,
    /// Whether messages may be claimed.
    has_claimed: bool,
    /// What could not be recorded yet.
    unrecorded: Vec<SettledMessage>,
    delivered: Vec<Delivery>,
    warnings: Vec<String>,
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

impl Desk {
    /// The channels of these messages have news.
    fn expect(&mut self, messages: &[NewMessage]) {
        self.news.extend(messages.iter().map(|message| message.channel.clone()));
        self.eager.extend(self.news.iter().cloned());
    }

    /// Stores messages in a file.
    fn spool(&mut self, messages: &[NewMessage]) {
        let spooled: Vec<Spooled> = messages.iter().filter_map(spooled).collect();
        let kept = match &self.spool {
            Some(spool) => spool.add(&spooled).map_err(|error| error.to_string()),
            None => Err("there is no folder for the state of this user; `RUNNER_STATE_DIR` names one".to_owned()),
        };
        if let Err(reason) = kept {
            let count = messages.len();
            let noun = if count == 1 { "message is" } else { "messages are" };
            self.warnings.push(format!(
                "{count} {noun} lost: neither the database nor a file could store what the policies want told: {reason}"
            ));
        }
    }

    async fn send(&mut self) {
        let courier = Courier::with(self.time);
        let taken = match self.spool.as_ref().map(Spool::take) {
            Some(Ok(taken)) => taken,
            Some(Err(error)) => {
                self.warnings.push(format!("messages in files can't be read: {error}"));
                None
            }
            None => None,
        };
        if self.session.is_none()
            && let Some((url, options)) = self.reopen.take()
        {
            let opened = tokio::time::timeout(courier.room(), Session::open(&url, &options, Access::Write)).await;
            self.session = opened.ok().and_then(Result::ok);
        }
        let left = match taken {
            Some(taken) => self.move_into_database(taken).await,
            None => None,
        };
        if let Some(left) = left {
            self.send_from_file(&courier, left).await;
        }
        self.send_from_database(&courier).await;
        self.complain_of_silence();
    }

    /// Moves messages from files into the outbox. Gives back those that do not go there.
    async fn move_into_database(&mut self, taken: Taken) -> Option<Taken> {
        let Some(session) = self.session.as_mut() else { return Some(taken) };
        let messages: Vec<NewMessage> = taken.messages().iter().filter_map(stored).collect();
        if let Err(error) = session.store_messages(&messages).await {
            tracing::debug!(%error, "messages stay in files");
            return Some(taken);
        }
        // They are news, because nobody could try them properly.
        self.eager.extend(messages.iter().map(|message| message.channel.clone()));
        if let Err(error) = taken.replace(&[]) {
            tracing::debug!(%error, "messages are in the database and still in files; their keys tell");
        }
        None
    }

    async fn send_from_database(&mut self, courier: &Courier) {
        while courier.has_time() {
            let claimed = self.claim().await;
            if claimed.is_empty() {
                if self.is_kept_by_another().await && courier.room() > LOOK {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                return;
            }
            let (letters, damaged) = letters(claimed);
            let had_damaged = !damaged.is_empty();
            self.record(damaged).await;
            let before = self.delivered.len();
            self.send_letters(courier, letters).await;
            let tried = self.delivered.get(before..).unwrap_or_default();
            if tried.is_empty() && !had_damaged {
                return;
            }
            // A channel that has to wait is not tried again by this process.
            let waits =
                |name: &String| tried.iter().any(|one| one.channel == *name && matches!(one.fate, Fate::Waits { .. }));
            self.eager.retain(|name| !waits(name));
        }
    }

    /// Whether another runner has the messages of a channel in its hands that this run has news for, and that it has not tried.
    async fn is_kept_by_another(&mut self) -> bool {
        let tried: BTreeSet<&str> = self.delivered.iter().map(|one| one.channel.as_str()).collect();
        let untried: Vec<&str> = self.news.iter().map(String::as_str).filter(|name| !tried.contains(name)).collect();
        let Some(session) = &mut self.session else { return false };
        session.is_channel_claimed(&self.by, &untried).await.unwrap_or_default()
    }

    /// News that nobody has tried are worth a word, too.
    fn complain_of_silence(&mut self) {
        for name in &self.news {
            let is_tried = self.delivered.iter().any(|one| one.channel == *name);
            if !is_tried && self.channels.get(name).is_some_and(|channel| !channel.is_spoken()) {
                self.warnings.push(format!(
                    "a message to `{name}` is not delivered yet: another runner sends there, its receiver has asked for a \
                     pause, or the time was over; the next run or `runner notify flush` tries again"
                ));
            }
        }
    }

    /// Claims what can be sent now.
    async fn claim(&mut self) -> Vec<OutboxMessage> {
        let Some(session) = &mut self.session else { return Vec::new() };
        let channels: Vec<&str> = self.channels.delivered().collect();
        let eager: Vec<&str> = self.eager.iter().map(String::as_str).collect();
        let claim = Claim { by: &self.by, lease: self.time + MARGIN, channels: &channels, eager: &eager };
        // Set before: this may be cut off in the middle.
        let has_claimed_before = std::mem::replace(&mut self.has_claimed, true);
        match session.claim_messages(&claim).await {
            Ok(claimed) => {
                self.has_claimed = has_claimed_before || !claimed.is_empty();
                claimed
            }
            Err(error) => {
                tracing::debug!(%error, "messages can't be claimed");
                Vec::new()
            }
        }
    }

    /// Sends letters, and records what becomes of each as soon as that is known.
    async fn send_letters(&mut self, courier: &Courier, letters: Vec<Letter>) {
        let (sender, mut receiver) = mpsc::unbounded_channel::<Settled>();
        let channels = self.channels.clone();
        let sending = async { courier.deliver(&channels, letters, &{ sender }).await };
        let recording = async {
            while let Some(first) = receiver.recv().await {
                let mut batch = vec![first];
                while let Ok(next) = receiver.try_recv() {
                    batch.push(next);
                }
                let records = batch.iter().map(record).collect();
                self.delivered.extend(batch.into_iter().map(delivery));
                self.record(records).await;
            }
        };
        tokio::join!(sending, recording);
    }

    /// Records what became of messages, and what could not be recorded before. What is sent and not recorded is sent again.
    async fn record(&mut self, records: Vec<SettledMessage>) {
        self.unrecorded.extend(records);
        let Some(session) = &mut self.session else { return };
        for pause in RECORDING {
            match session.settle_messages(&self.by, &self.unrecorded).await {
                Ok(()) => {
                    self.unrecorded.clear();
                    return;
                }
                Err(error) => tracing::debug!(%error, "what became of messages can't be recorded yet"),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends messages that could not be moved into the database, straight from their files.
    async fn send_from_file(&mut self, courier: &Courier, taken: Taken) {
        let mut messages = taken.messages().to_vec();
        let letters = messages
            .iter()
            .filter(|message| !message.is_dead)
            .map(|message| Letter { notice: message.notice.clone(), attempts: message.attempts })
            .collect();
        let (sender, mut receiver) = mpsc::unbounded_channel::<Settled>();
        let sending = async { courier.deliver(&self.channels, letters, &{ sender }).await };
        let recording = async {
            while let Some(settled) = receiver.recv().await {
                messages.retain(|message| settled.fate != Fate::Delivered || message.notice.key != settled.key);
                if let Some(message) = messages.iter_mut().find(|message| message.notice.key == settled.key) {
                    message.attempts = settled.attempts;
                    message.is_dead = matches!(settled.fate, Fate::Dead { .. });
                    message.last_error = match &settled.fate {
                        Fate::Dead { why } | Fate::Waits { why, .. } => Some(why.clone()),
                        Fate::Delivered => None,
                    };
                }
                self.delivered.push(delivery(settled));
            }
        };
        tokio::join!(sending, recording);
        if let Err(error) = taken.replace(&messages) {
            self.warnings.push(format!("what became of messages in files can't be recorded: {error}"));
        }
    }

    async fn close(&mut self) {
        if !self.unrecorded.is_empty() {
            self.record(Vec::new()).await;
        }
        if let Some(mut session) = self.session.take() {
            if !self.delivered.is_empty()
                && let Err(error) = session.prune_messages().await
            {
                tracing::debug!(%error, "old messages can't be deleted");
            }
            if self.has_claimed
                && let Err(error) = session.release_messages(&self.by).await
            {
                tracing::debug!(%error, "claims are not given back, and end by themselves");
            }
            if let Err(error) = session.close().await {
                tracing::debug!(%error, "the connection did not close properly");
            }
        }
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

fn spooled(message: &NewMessage) -> Option<Spooled> {
    let notice: Notice = serde_json::from_str(&message.content).ok()?;
    Some(Spooled {
        notice,
        attempts: message.attempts,
        is_dead: message.is_dead,
        last_error: message.last_error.clone(),
    })
}

fn stored(message: &Spooled) -> Option<NewMessage> {
    let notice = &message.notice;
    Some(NewMessage {
        key: notice.key.clone(),
        channel: notice.channel.clone(),
        event: notice.occasion.event.clone(),
        run_id: notice.occasion.run_id.clone(),
        content: serde_json::to_string(notice).ok()?,
        created_at: notice.created_at.clone(),
        attempts: message.attempts,
        is_dead: message.is_dead,
        last_error: message.last_error.clone(),
    })
}

/// Messages as letters, and those that make no sense as dead ones.
fn letters(messages: Vec<OutboxMessage>) -> (Vec<Letter>, Vec<SettledMessage>) {
    let (mut letters, mut damaged) = (Vec::new(), Vec::new());
    for message in messages {
        match serde_json::from_str::<Notice>(&message.content) {
            // The columns are what claims go by.
            Ok(notice) => letters.push(Letter {
                notice: Notice { key: message.key, channel: message.channel, ..notice },
                attempts: message.attempts,
            }),
            Err(error) => damaged.push(SettledMessage {
                key: message.key,
                attempts: message.attempts,
                settlement: Settlement::Dead { error: format!("the stored message makes no sense: {error}") },
            }),
        }
    }
    (letters, damaged)
}

fn record(settled: &Settled) -> SettledMessage {
    SettledMessage {
        key: settled.key.clone(),
        attempts: settled.attempts,
        settlement: match settled.fate.clone() {
            Fate::Delivered => Settlement::Sent,
            Fate::Dead { why } => Settlement::Dead { error: why },
            Fate::Waits { why, after, is_asked } => Settlement::Waits { error: why, after, is_asked },
        },
    }
}

fn delivery(settled: Settled) -> Delivery {
    let Settled { key, channel, attempts, fate } = settled;
    Delivery { key, channel, attempts, fate }
}
