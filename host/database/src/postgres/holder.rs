//! How a runner that holds the lock signs: the application name of the session that holds it, which everybody may read.

use jiff::Timestamp;

use crate::lock::Holder;

/// PostgreSQL cuts a longer application name off.
const LONGEST: usize = 63;
const COMPACT_TIME: &str = "%Y%m%dT%H%M%SZ";

/// What is known of a session that holds the lock.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) pid: String,
    pub(super) application_name: String,
    pub(super) user: String,
    pub(super) address: String,
    pub(super) since: String,
}

/// `runner upgrade 4711 20261120T120000Z alice@build-7`. Who does not fit loses the domain of the host first, then the end of
/// the longer one of both names, which `~` marks.
pub(super) fn sign(me: &Holder) -> String {
    let since =
        me.since.parse::<Timestamp>().map_or_else(|_| "-".to_owned(), |at| at.strftime(COMPACT_TIME).to_string());
    let start = format!("runner {} {} {since} ", plain(&me.command), me.pid);
    let room = LONGEST.saturating_sub(start.len());
    let (mut actor, mut host) = (plain(&me.actor), plain(&me.host));
    if actor.len() + 1 + host.len() > room
        && let Some((first, _)) = host.split_once('.')
    {
        host = first.to_owned();
    }
    while actor.len() + 1 + host.len() > room && actor.len().max(host.len()) > 1 {
        let longer = if actor.len() >= host.len() { &mut actor } else { &mut host };
        longer.pop();
        longer.pop();
        longer.push('~');
    }
    let mut name = format!("{start}{actor}@{host}");
    name.truncate(LONGEST);
    name
}

/// Who holds the lock, and how to end that session.
pub(super) fn recognise(seen: &Seen) -> Holder {
    let note = Some(format!("if it is stuck, `SELECT pg_terminate_backend({});` ends its session", seen.pid));
    if let Some(holder) = read(&seen.application_name) {
        return Holder { note, ..holder };
    }
    let Seen { pid, application_name, user, address, since } = seen;
    Holder {
        pid: 0,
        host: address.clone(),
        actor: format!("session {pid} of {user}, application name `{application_name}`"),
        command: String::new(),
        since: since.clone(),
        note,
    }
}

fn read(application_name: &str) -> Option<Holder> {
    let mut words = application_name.split(' ');
    let ("runner", command, pid, since, who, None) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?, words.next())
    else {
        return None;
    };
    let (actor, host) = who.rsplit_once('@')?;
    Some(Holder {
        pid: pid.parse().ok()?,
        host: host.to_owned(),
        actor: actor.to_owned(),
        command: command.to_owned(),
        since: expand(since),
        note: None,
    })
}

/// The compact time as RFC 3339.
fn expand(compact: &str) -> String {
    let at = jiff::civil::DateTime::strptime(COMPACT_TIME, compact).ok();
    let at = at.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok());
    at.map_or_else(|| compact.to_owned(), |at| at.timestamp().to_string())
}

/// Without blanks, and without what PostgreSQL would replace.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_ascii_graphic() { character } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(actor: &str, host: &str) -> Holder {
        Holder {
            pid: 4711,
            host: host.to_owned(),
            actor: actor.to_owned(),
            command: "upgrade".to_owned(),
            since: "2026-11-20T12:00:01.234Z".to_owned(),
            note: None,
        }
    }

    #[test]
    fn a_signature_is_read_back() {
        let name = sign(&holder("alice", "build-7"));
        assert_eq!(name, "runner upgrade 4711 20261120T120001Z alice@build-7");
        let expected = Holder { since: "2026-11-20T12:00:01Z".to_owned(), ..holder("alice", "build-7") };
        assert_eq!(read(&name), Some(expected));
    }

    #[test]
    fn long_names_are_cut_to_fit() {
        let name = sign(&holder("alice", "a-host-with-a-long-name.in.some.domain.example"));
        assert_eq!(name, "runner upgrade 4711 20261120T120001Z alice@a-host-with-a-long-~");
        assert!(read(&name).is_some());
        let name = sign(&holder(&"ä".repeat(80), &"b".repeat(80)));
        assert!(name.len() <= LONGEST && read(&name).is_some(), "{name}");
    }

    #[test]
    fn a_stranger_is_described() {
        let seen = |name: &str| Seen {
            pid: "99".to_owned(),
            application_name: name.to_owned(),
            user: "bob".to_owned(),
            address: "10.0.0.7".to_owned(),
            since: "2026-11-20 12:00:00+00".to_owned(),
        };
        let shown = recognise(&seen("psql")).to_string();
        assert_eq!(
            shown,
            "session 99 of bob, application name `psql` (on 10.0.0.7, since 2026-11-20 12:00:00+00), if it is stuck, `SELECT pg_terminate_backend(99);` ends its session"
        );
    }
}
