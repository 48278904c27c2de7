//! The lock: a session-level advisory lock on a connection of its own.
//!
//! It is asked for without waiting, outside of any transaction: whoever waits inside `pg_advisory_lock` holds a snapshot, for
//! which a `CREATE INDEX CONCURRENTLY` of the holder would wait in turn.
//!
//! Once it has the lock, the session also holds a second one whose key nobody else has. That it cannot be had tells any other
//! session, for a few microseconds, that the first lock is still held; reading `pg_locks` takes longer than the rest of the
//! bookkeeping.
//!
//! The session that runs scripts holds a third one: a server may go on with a statement after its client died, and until that
//! has ended nobody else may begin.

use std::time::Duration;

use sha2::Digest as _;
use sha2::Sha256;
use sqlx::postgres::PgRow;
use tokio::time::Instant;

use crate::error::Error;
use crate::error::Result;
use crate::lock::Holder;
use crate::options::TableName;

use super::connect::Settings;
use super::failures;
use super::holder;
use super::holder::Seen;
use super::link::Link;
use super::link::ServerProcess;
use super::link::required;
use super::link::text;

/// How long the lock's session may take to answer. It has nothing else to do, and needs nothing that others hold.
const ANSWER: Duration = Duration::from_secs(10);

/// For how long the lock counts as held after it was seen to be.
const FRESH: Duration = Duration::from_millis(200);

/// How a key of 64 bits is stored in `pg_locks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(i64);

impl Key {
    /// The same for the same table in every version of the runner. Advisory locks belong to one database.
    fn of(version: &TableName) -> Self {
        Self::named(&format!("runner-lock/1\0{}\0{}", version.schema.as_deref().unwrap_or_default(), version.name))
    }

    /// The second lock of the session that holds this one.
    fn proof(self, holder: &ServerProcess) -> Self {
        Self::named(&format!("runner-proof/1\0{}\0{}\0{}", self.0, holder.pid, holder.started))
    }

    /// The lock of the session that runs scripts.
    fn work(self) -> Self {
        Self::named(&format!("runner-work/1\0{}", self.0))
    }

    fn named(name: &str) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&Sha256::digest(name.as_bytes())[..8]);
        Self(i64::from_be_bytes(first))
    }

    /// A condition on a row of `pg_locks`.
    fn condition(self) -> String {
        let bits = self.0.cast_unsigned();
        format!(
            "locktype = 'advisory' AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = \
             current_database()) AND classid = {} AND objid = {} AND objsubid = 1 AND granted",
            bits >> 32,
            bits & u64::from(u32::MAX)
        )
    }
}

/// Who holds the lock now, asked by anybody.
pub(super) async fn find_holder(
    link: &mut Link,
    version: &TableName,
) -> std::result::Result<Option<Holder>, sqlx::Error> {
    holder_of(link, Key::of(version)).await
}

async fn holder_of(link: &mut Link, key: Key) -> std::result::Result<Option<Holder>, sqlx::Error> {
    let condition = key.condition();
    let sql = format!(
        "SELECT l.pid::text, a.application_name, a.usename::text, coalesce(host(a.client_addr), 'the server''s machine'), \
         coalesce(a.backend_start::text, 'an unknown time') \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE {condition}"
    );
    let sets = link.rows(sql).await?;
    Ok(sets.iter().flatten().next().map(|row| {
        let column = |index| text(row, index).ok().flatten().unwrap_or_default().to_owned();
        holder::recognise(&Seen {
            pid: column(0),
            application_name: column(1),
            user: column(2),
            address: column(3),
            since: column(4),
        })
    }))
}

/// What came of one attempt.
pub(super) enum Attempt {
    Acquired,
    Held(Option<Holder>),
}

/// The session that holds the lock, or asks for it.
pub(super) struct LockSession {
    link: Link,
    key: Key,
    is_checked: bool,
    is_acquired: bool,
    /// Whether the session that runs scripts holds its lock.
    pub(super) is_work_acquired: bool,
    /// When it was last seen to be held.
    seen_at: Option<Instant>,
}

impl LockSession {
    pub(super) async fn open(settings: &Settings, version: &TableName, me: &Holder) -> Result<Self> {
        let link = settings.connect(Some(&holder::sign(me))).await?;
        Ok(Self {
            link,
            key: Key::of(version),
            is_checked: false,
            is_acquired: false,
            is_work_acquired: false,
            seen_at: None,
        })
    }

    /// Asks for the lock once. `worker` is the session that will run statements; it is inside no transaction.
    pub(super) async fn attempt(&mut self, settings: &Settings, worker: &mut Link) -> Result<Attempt> {
        if self.is_checked {
            return self.ask(settings).await;
        }
        // A pooler that shares server connections between transactions gives the one that this session used last to the
        // worker, which keeps it while this session asks.
        let translate = |error: sqlx::Error| failures::translate(&error, 0).while_doing("taking the lock");
        let first = self.link.row("SELECT pg_backend_pid()::text".to_owned()).await.map_err(translate)?;
        let other = worker.row("BEGIN READ ONLY; SELECT pg_backend_pid()::text".to_owned()).await;
        let is_same = |row: &PgRow, link: &Link| required(row, 0).is_ok_and(|pid| pid == link.backend.pid.to_string());
        let is_direct = self.link.backend.pid != worker.backend.pid
            && is_same(&first, &self.link)
            && other.as_ref().is_ok_and(|row| is_same(row, worker));
        // With a single server connection to share there is no answer before the worker gives it back.
        let answer = if is_direct { tokio::time::timeout(ANSWER, self.ask(settings)).await.ok() } else { None };
        // A pooler in statement mode hangs up on whoever begins a transaction.
        if other.as_ref().is_err_and(failures::is_lost) {
            return Err(pooled(settings));
        }
        worker.rollback().await.map_err(translate)?;
        other.map_err(translate)?;
        let attempt = answer.unwrap_or_else(|| Err(pooled(settings)))?;
        self.is_checked = true;
        Ok(attempt)
    }

    async fn ask(&mut self, settings: &Settings) -> Result<Attempt> {
        if self.is_acquired {
            self.check().await?;
            return Ok(Attempt::Acquired);
        }
        let Key(key) = self.key;
        let (pid, held) = (self.link.backend.pid, self.is_held_here());
        // The lock of one session can be taken twice, so it is only asked for where it is not held.
        let sql = format!(
            "SELECT pg_backend_pid()::text, ({held})::text, \
             CASE WHEN pg_backend_pid() = {pid} AND NOT {held} THEN pg_catalog.pg_try_advisory_lock({key})::text END"
        );
        let translate = |error: sqlx::Error| failures::translate(&error, 0).while_doing("taking the lock");
        let answer = self.link.row(sql).await.map_err(translate)?;
        let is_moved = required(&answer, 0).map_err(translate)? != pid.to_string();
        let was_held = required(&answer, 1).map_err(translate)? == "true";
        if is_moved || was_held {
            return Err(pooled(settings));
        }
        if text(&answer, 2).map_err(translate)? == Some("true") {
            self.settle_down().await.map_err(translate)?;
            return Ok(Attempt::Acquired);
        }
        Ok(Attempt::Held(self.holder(self.key).await.map_err(translate)?))
    }

    /// Asks once for the lock of the session that runs scripts; needs the first lock.
    pub(super) async fn attempt_work(&mut self, worker: &mut Link) -> Result<Attempt> {
        let translate = |error: sqlx::Error| failures::translate(&error, 0).while_doing("taking the lock");
        let row = worker.row(format!("SELECT ({})::text", self.take_work())).await.map_err(translate)?;
        if required(&row, 0).map_err(translate)? == "true" {
            self.is_work_acquired = true;
            return Ok(Attempt::Acquired);
        }
        let mut holder = self.holder(self.key.work()).await.map_err(translate)?;
        if let Some(note) = holder.as_mut().and_then(|holder| holder.note.as_mut()) {
            note.insert_str(0, "which still runs a statement of a runner that holds the lock no more; ");
        }
        Ok(Attempt::Held(holder))
    }

    /// An SQL expression that takes the lock of the session that runs scripts, without waiting.
    pub(super) fn take_work(&self) -> String {
        let Key(work) = self.key.work();
        format!("pg_catalog.pg_try_advisory_lock({work})")
    }

    /// An SQL expression that gives it back.
    pub(super) fn release_work(&self) -> String {
        let Key(work) = self.key.work();
        format!("pg_catalog.pg_advisory_unlock({work})")
    }

    /// Takes the second lock as well, and makes the session last.
    async fn settle_down(&mut self) -> std::result::Result<(), sqlx::Error> {
        let Key(proof) = self.proof();
        // The limits of an idle session are for applications; a dead machine should give the lock back within minutes.
        let sql = format!(
            "SELECT pg_catalog.pg_try_advisory_lock({proof})::text, \
             pg_catalog.set_config('tcp_keepalives_idle', '60', false), \
             CASE WHEN current_setting('server_version_num')::int >= 140000 \
             THEN pg_catalog.set_config('idle_session_timeout', '0', false) END"
        );
        let row = self.link.row(sql).await?;
        if required(&row, 0)? != "true" {
            return Err(sqlx::Error::Protocol("another session holds a lock that only this one knows".to_owned()));
        }
        self.is_acquired = true;
        self.seen();
        Ok(())
    }

    async fn holder(&mut self, key: Key) -> std::result::Result<Option<Holder>, sqlx::Error> {
        holder_of(&mut self.link, key).await
    }

    fn proof(&self) -> Key {
        self.key.proof(&self.link.backend)
    }

    /// An SQL condition that is true on this session while it holds the lock.
    fn is_held_here(&self) -> String {
        let condition = self.key.condition();
        format!("EXISTS (SELECT 1 FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND {condition})")
    }

    /// An SQL condition that is true in a transaction of any other session of the database while this session holds the lock.
    pub(super) fn is_held_elsewhere(&self) -> String {
        let Key(proof) = self.proof();
        format!("NOT pg_catalog.pg_try_advisory_xact_lock({proof})")
    }

    /// The lock was seen to be held.
    pub(super) fn seen(&mut self) {
        self.seen_at = Some(Instant::now());
    }

    /// Something went wrong since it was seen to be held.
    pub(super) fn doubt(&mut self) {
        self.seen_at = None;
    }

    /// Fails with [`Error::LockLost`] unless the lock is held.
    pub(super) async fn check(&mut self) -> Result<()> {
        if self.seen_at.is_some_and(|seen| seen.elapsed() < FRESH) {
            return Ok(());
        }
        let lost = |reason: String| Err(Error::LockLost { reason });
        let sql = format!("SELECT ({})::text", self.is_held_here());
        match tokio::time::timeout(ANSWER, self.link.row(sql)).await {
            Err(_) => lost(format!("its session did not answer within {} s", ANSWER.as_secs())),
            Ok(Err(error)) => lost(format!("its session is gone ({})", failures::message(&error))),
            Ok(Ok(row)) if required(&row, 0).is_ok_and(|held| held == "true") => {
                self.seen();
                Ok(())
            }
            Ok(Ok(_)) => lost("its session holds it no more".to_owned()),
        }
    }

    /// Gives the lock back. A session that is gone has given it back already.
    pub(super) async fn release(mut self) {
        let Key(key) = self.key;
        let released = async {
            // Told so, the server has let go when it answers; a closed connection it notices a moment later.
            if self.is_acquired {
                self.link.execute(format!("SELECT pg_catalog.pg_advisory_unlock({key})")).await?;
            }
            self.link.close().await
        };
        match tokio::time::timeout(ANSWER, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("the session of the lock is gone: {error}"),
            Err(_) => tracing::debug!("the session of the lock does not answer"),
        }
    }
}

fn pooled(settings: &Settings) -> Error {
    Error::Unreadable {
        target: settings.target.clone(),
        message: "a connection pooler shares server connections between sessions, so that no lock can be held"
            .to_owned(),
        hint:
            "connect to the server directly, or through a pooler in session mode (for PgBouncer `pool_mode = session`)"
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_same_in_every_version() {
        let table = |schema: &str| TableName { schema: Some(schema.to_owned()), name: "runner_version".to_owned() };
        assert_eq!(Key::of(&table("public")), Key::of(&table("public")));
        assert_ne!(Key::of(&table("public")), Key::of(&table("app")));
        let condition = Key(-1).condition();
        assert!(condition.contains("classid = 4294967295 AND objid = 4294967295"), "{condition}");
    }
}
