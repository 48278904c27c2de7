//! The desk where messages of a run, and those that wait, are sent from.

use std::collections::BTreeSet;
use std::time::Duration;

use runner_database::Access;
use runner_database::Claim;
use runner_database::NewMessage;
use runner_database::OutboxMessage;
use runner_database::Session;
use runner_database::SettledMessage;
use runner_delivery::Channels;
use runner_delivery::Courier;
use runner_delivery::Fate;
use runner_delivery::Letter;
use runner_delivery::Settled;
use runner_delivery::Spool;
use runner_delivery::Spooled;
use runner_delivery::Taken;
use tokio::sync::mpsc;

use super::Delivery;
use super::conversion::delivery;
use super::conversion::letters;
use super::conversion::record;
use super::conversion::spooled;
use super::conversion::stored;
use crate::pipeline::Interrupt;

/// Claims outlast the time for delivery by this much, so that nobody takes over what is still in somebody's hands.
const MARGIN: Duration = Duration::from_secs(30);
/// How often a channel is looked at that another runner sends to.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait before recording is tried again.
const RECORDING: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// What there is to send with: channels, places where messages wait, and what became of those that were tried.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) channels: Channels,
    /// A session without a lock.
    pub(super) session: Option<Session>,
    /// How to open one; `None`: it was tried, and the database does not answer.
    pub(super) reopen: Option<(runner_database::DatabaseUrl, runner_database::Options)>,
    pub(super) spool: Option<Spool>,
    pub(super) time: Duration,
    /// Channels that are tried even if their next attempt is not due.
    pub(super) eager: Vec<String>,
    pub(super) by: String,
    pub(super) interrupt: Interrupt,
    /// Channels that this run has news for.
    pub(super) news: BTreeSet<String>,
    /// Whether storing between steps has failed, so that it is not tried again while others wait for the run.
    pub(super) is_storing_late: bool,
    /// Whether messages may be claimed.
    pub(super) has_claimed: bool,
    /// What could not be recorded yet.
    pub(super) unrecorded: Vec<SettledMessage>,
    pub(super) delivered: Vec<Delivery>,
    pub(super) warnings: Vec<String>,
}

impl Desk {
    /// The channels of these messages have news.
    pub(super) fn expect(&mut self, messages: &[NewMessage]) {
        self.news.extend(messages.iter().map(|message| message.channel.clone()));
        self.eager.extend(self.news.iter().cloned());
    }

    /// Stores messages in a file.
    pub(super) fn spool(&mut self, messages: &[NewMessage]) {
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

    pub(super) async fn send(&mut self) {
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

    pub(super) async fn close(&mut self) {
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
