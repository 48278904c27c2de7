//! Which backups are not kept any longer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;

/// Which backups are kept. A backup is kept if any of the rules keeps it; without a rule all are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many, the newest ones.
    pub last: Option<usize>,
    /// Those that are at most so many days of 24 hours old.
    pub days: Option<u32>,
}

/// What retention wants to know of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The database that it is of. Each has backups of its own.
    pub target: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it was verified.
    pub verified: bool,
}

/// Names of the backups that are not kept, those of a database oldest first. The rules hold for each database by itself.
///
/// Whatever they say, the newest verified backup of a database is never among them, nor is the newest one if none is verified.
pub fn doomed(backups: &[Candidate], keep: Keep, now: Timestamp) -> Vec<String> {
    if keep == Keep::default() {
        return Vec::new();
    }
    let mut targets: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for backup in backups {
        targets.entry(&backup.target).or_default().push(backup);
    }
    targets.into_values().flat_map(|backups| doomed_of_one(backups, keep, now)).collect()
}

fn doomed_of_one(mut newest_first: Vec<&Candidate>, keep: Keep, now: Timestamp) -> Vec<String> {
    newest_first.sort_by_key(|backup| Reverse((backup.created, &backup.name)));
    let spared = newest_first.iter().position(|backup| backup.verified).unwrap_or(0);
    let is_young = |backup: &Candidate| {
        // What comes from the future, as from a machine with another clock, is young.
        keep.days
            .is_some_and(|days| now.duration_since(backup.created) <= SignedDuration::from_hours(24 * i64::from(days)))
    };
    let is_doomed = |(place, backup): &(usize, &&Candidate)| {
        *place != spared && keep.last.is_none_or(|last| *place >= last) && !is_young(backup)
    };
    newest_first.iter().enumerate().filter(is_doomed).map(|(_, backup)| backup.name.clone()).rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-31T12:00:00Z";

    fn backup(name: &str, hours: i64, verified: bool) -> Candidate {
        let now: Timestamp = NOW.parse().unwrap();
        Candidate {
            name: name.to_owned(),
            target: "app".to_owned(),
            created: now - SignedDuration::from_hours(hours),
            verified,
        }
    }

    #[test]
    fn each_database_has_backups_of_its_own() {
        let other = |name: &str, hours: i64| Candidate { target: "other".to_owned(), ..backup(name, hours, false) };
        let all = [backup("a1", 3, true), other("b1", 2), backup("a2", 1, false), other("b2", 0)];
        assert_eq!(doomed_of(&all, Some(1), None), ["b1"]);
    }

    fn doomed_of(backups: &[Candidate], last: Option<usize>, days: Option<u32>) -> Vec<String> {
        doomed(backups, Keep { last, days }, NOW.parse().unwrap())
    }

    #[test]
    fn a_backup_is_kept_if_any_rule_keeps_it() {
        let backups = [backup("c", 30, false), backup("a", 100, false), backup("d", 1, false), backup("b", 50, false)];
        assert_eq!(doomed_of(&backups, None, None), [""; 0]);
        assert_eq!(doomed_of(&backups, Some(2), None), ["a", "b"]);
        assert_eq!(doomed_of(&backups, Some(4), None), [""; 0]);
        assert_eq!(doomed_of(&backups, Some(9), Some(0)), [""; 0]);
        assert_eq!(doomed_of(&backups, None, Some(2)), ["a", "b"]);
        assert_eq!(doomed_of(&backups, Some(1), Some(3)), ["a"]);
        assert_eq!(doomed_of(&backups, Some(3), Some(1)), ["a"]);
        assert_eq!(doomed_of(&[], Some(0), Some(0)), [""; 0]);
    }

    #[test]
    fn the_newest_verified_one_stays_and_else_the_newest() {
        let mut backups = vec![backup("a", 100, true), backup("b", 50, true), backup("c", 30, false)];
        assert_eq!(doomed_of(&backups, Some(0), None), ["a", "c"]);
        assert_eq!(doomed_of(&backups, Some(1), None), ["a"]);
        assert_eq!(doomed_of(&backups, None, Some(0)), ["a", "c"]);
        backups.iter_mut().for_each(|backup| backup.verified = false);
        assert_eq!(doomed_of(&backups, Some(0), Some(0)), ["a", "b"]);
        assert_eq!(doomed_of(&[backup("a", 9999, false)], Some(0), Some(0)), [""; 0]);
    }

    #[test]
    fn ages_at_the_edge() {
        let backups = [
            backup("future", -5, false),
            backup("day", 24, false),
            backup("older", 25, false),
            backup("newest", -9, true),
        ];
        assert_eq!(doomed_of(&backups, None, Some(1)), ["older"]);
        assert_eq!(doomed_of(&backups, Some(1), Some(u32::MAX)), [""; 0]);
        assert_eq!(doomed_of(&backups, Some(usize::MAX), None), [""; 0]);
        let same = [backup("a", 3, false), backup("b", 3, false), backup("c", 3, false)];
        assert_eq!(doomed_of(&same, Some(1), None), ["a", "b"]);
    }
}
