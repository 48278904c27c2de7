//! Brings letters to their channels: side by side per channel, in order within one, all within one limit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::backoff;
use crate::channel::Channel;
use crate::channel::Channels;
use crate::notice::Notice;

/// A message that nobody has taken for so long is given up.
const LONGEST_TRIED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// With less time than this no attempt is begun.
const LEAST: Duration = Duration::from_millis(50);

/// A notice that waits, and how often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What is to be delivered.
    pub notice: Notice,
    /// Attempts so far.
    pub attempts: u32,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The receiver has it.
    Delivered,
    /// It can't be delivered like this.
    Dead {
        /// What went wrong, without secrets.
        why: String,
    },
    /// It has to be tried again.
    Waits {
        /// What went wrong, without secrets.
        why: String,
        /// Not before this time has passed.
        after: Duration,
        /// Whether the receiver asked for that.
        is_asked: bool,
    },
}

/// A letter that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The notice's key.
    pub key: String,
    /// The notice's channel.
    pub channel: String,
    /// Attempts in all.
    pub attempts: u32,
    /// What became of it.
    pub fate: Fate,
}

/// Delivers letters. Dropping it in the middle stops everything at once; what is not settled by then stays as it was.
#[derive(Debug)]
pub struct Courier {
    /// When the last attempt must have ended.
    deadline: Instant,
}

impl Courier {
    /// A courier who has so much time for everything.
    #[must_use]
    pub fn with(time: Duration) -> Self {
        Courier { deadline: Instant::now() + time }
    }

    /// Whether there is time for another attempt.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.room() >= LEAST
    }

    /// How much time is left.
    #[must_use]
    pub fn room(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Tries all letters. Each that was tried is told as soon as it is settled; those that nobody hears of were not tried.
    /// Letters of a channel that is not configured are left alone.
    pub async fn deliver(&self, channels: &Channels, letters: Vec<Letter>, settled: &UnboundedSender<Settled>) {
        let mut by_channel: BTreeMap<String, Vec<Letter>> = BTreeMap::new();
        for letter in letters {
            by_channel.entry(letter.notice.channel.clone()).or_default().push(letter);
        }
        let mut routes = JoinSet::new();
        for (name, letters) in by_channel {
            if let Some(channel) = channels.get(&name) {
                routes.spawn(route(Arc::clone(channel), letters, self.deadline, settled.clone()));
            }
        }
        while routes.join_next().await.is_some() {}
    }
}

/// One channel's letters, one after the other. A letter that has to wait keeps the others waiting.
async fn route(channel: Arc<Channel>, letters: Vec<Letter>, deadline: Instant, settled: UnboundedSender<Settled>) {
    for Letter { notice, mut attempts } in letters {
        let mut tries = 0;
        let fate = loop {
            let room = deadline.saturating_duration_since(Instant::now());
            if room < LEAST {
                return;
            }
            (attempts, tries) = (attempts.saturating_add(1), tries + 1);
            let (why, asked) = match channel.attempt(&notice, channel.time().min(room)).await {
                Attempt::Delivered => break Fate::Delivered,
                Attempt::Never { why } => break Fate::Dead { why },
                Attempt::Again { why, after } => (why, after),
            };
            // Whoever asks to be left alone for no time at all is not hurried either.
            let asked_for = asked.unwrap_or_default();
            let pause = asked_for.max(backoff::after(tries));
            if Instant::now() + pause + LEAST >= deadline {
                break match notice.age() {
                    Some(age) if age > LONGEST_TRIED => Fate::Dead { why: format!("{why} (tried for a week)") },
                    _ => {
                        let after = asked.unwrap_or_else(|| backoff::after(attempts));
                        Fate::Waits { why, after, is_asked: asked.is_some() }
                    }
                };
            }
            tracing::debug!(channel = channel.name(), "an attempt failed, another follows in {pause:?}: {why}");
            tokio::time::sleep(pause).await;
        };
        let has_to_wait = matches!(fate, Fate::Waits { .. });
        // Nobody hears when the run is over, and then nothing more is to be told.
        let _ = settled.send(Settled { key: notice.key, channel: channel.name().to_owned(), attempts, fate });
        if has_to_wait {
            return;
        }
    }
}
