//! The lock of a target: two names of the server's `GET_LOCK`, each held by a session.
//!
//! The first is held by a session of its own, so that nothing a script does can lose it. The second is held by the session
//! that runs scripts: a server goes on with a statement after its client died, and until that has ended nobody else may begin.

use std::time::Duration;

use sha2::Digest as _;
use sha2::Sha256;

use crate::lock::Holder;
use crate::options::TableName;

use super::link::Link;
use super::link::number;
use super::link::text;
use super::literal::literal;

/// For how long the lock counts as held after it was seen to be. Should it get lost within, the other lock still keeps
/// everybody else from beginning.
pub(super) const FRESH: Duration = Duration::from_millis(200);

/// Who holds a lock of this name as far as the server's `GET_LOCK` goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockToken {
    pub(super) name: String,
    /// The server's number of the session that holds it.
    pub(super) session: u64,
}

impl LockToken {
    /// As an SQL condition.
    pub(super) fn is_held(&self) -> String {
        format!("(IS_USED_LOCK({}) <=> {})", literal(&self.name), self.session)
    }
}

/// The names of a target's locks.
#[derive(Debug, Clone)]
pub(super) struct LockNames {
    pub(super) lock: String,
    /// Of the session that runs scripts.
    pub(super) work: String,
}

impl LockNames {
    /// `GET_LOCK` has one name space for the whole server, so the database is part of the name; 64 characters are the most.
    pub(super) fn of(version_table: &TableName, ignores_case: bool) -> Self {
        let TableName { schema, name } = version_table;
        let mut target = format!("{}\0{name}", schema.as_deref().unwrap_or_default());
        if ignores_case {
            target = target.to_lowercase();
        }
        let hash = crate::ledger::hexadecimal(&Sha256::digest(target.as_bytes()));
        let short = hash.get(..40).unwrap_or(&hash);
        Self { lock: format!("runner.{short}"), work: format!("runner.{short}.work") }
    }
}

/// A session that holds the lock, or wants it.
pub(super) struct LockSession {
    pub(super) link: Link,
    pub(super) is_holding: bool,
}

impl LockSession {
    /// Asks once, without waiting. Who has it instead, if the server tells.
    pub(super) async fn attempt(&mut self, lock: &str) -> Result<Result<(), Option<Holder>>, sqlx::Error> {
        if self.is_holding {
            return Ok(Ok(()));
        }
        let answer = self.link.ask(format!("SELECT GET_LOCK({}, 0)", literal(lock))).await.complete()?;
        if number(answer.row(0)?, 0)? == Some(1_u64) {
            self.is_holding = true;
            return Ok(Ok(()));
        }
        Ok(Err(holder(&mut self.link, lock, "").await?))
    }
}

/// Who holds a lock of the server. Other users' sessions are seen only with the privilege PROCESS. `doing` says why the
/// session holds it, if that is not plain.
pub(super) async fn holder(link: &mut Link, lock: &str, doing: &str) -> Result<Option<Holder>, sqlx::Error> {
    let sql = format!(
        "SELECT CAST(holder.id AS CHAR), CAST(p.user AS CHAR), CAST(p.host AS CHAR), CAST(p.time AS CHAR) \
         FROM (SELECT IS_USED_LOCK({}) AS id) AS holder \
         LEFT JOIN information_schema.processlist AS p ON p.id = holder.id",
        literal(lock)
    );
    let answer = link.ask(sql).await.complete()?;
    let row = answer.row(0)?;
    let Some(id) = number::<u64>(row, 0)? else { return Ok(None) };
    let (user, host) = (text(row, 1)?, text(row, 2)?);
    // The time since its last command; the session that holds the lock gives no other after it.
    let seconds = number::<i64>(row, 3)?.unwrap_or(0).max(0);
    let since = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(seconds));
    let unknown = || "unknown".to_owned();
    Ok(Some(Holder {
        pid: 0,
        host: host.unwrap_or_else(unknown),
        actor: user.map_or_else(|| "another user of the server".to_owned(), |user| format!("user {user}")),
        command: String::new(),
        since: since.map_or_else(|_| unknown(), |since| format!("{since:.3}")),
        note: Some(format!("connection {id}{doing}; if it is stuck, `KILL {id}` ends it")),
    }))
}

/// Ends a session of the runner, or its statement; only as long as it holds the lock of its own, because a server that was
/// started again may have given its number to somebody else.
pub(super) async fn kill(link: &mut Link, work: &str, what: &str, session: u64) -> Result<(), sqlx::Error> {
    let token = LockToken { name: work.to_owned(), session };
    let answer = link.ask(format!("SELECT CAST({} AS CHAR)", token.is_held())).await.complete()?;
    if number(answer.row(0)?, 0)? == Some(1_u32) {
        return link.run(format!("KILL {what} {session}")).await.map_err(|(_, error)| error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_depend_on_the_target() {
        let table = |schema: &str, name: &str| TableName { schema: Some(schema.to_owned()), name: name.to_owned() };
        let name = |schema, table_name, ignores_case| LockNames::of(&table(schema, table_name), ignores_case).lock;
        let names = LockNames::of(&table("app", "runner_version"), false);
        assert!(names.lock.len() <= 64 && names.work.len() <= 64 && names.lock != names.work);
        // Every version of the runner must ask for the same name.
        assert_eq!(names.lock, "runner.b0534b9054f62a082469ad1295ae7f28c794fe0b");
        assert_ne!(name("app", "v", false), name("ap", "pv", false));
        assert_ne!(name("app", "v", false), name("App", "v", false));
        assert_eq!(name("app", "v", true), name("App", "V", true));
    }
}
