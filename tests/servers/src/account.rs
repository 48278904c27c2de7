//! The account that a server runs under: both refuse to run as root.

use std::process::Command;

use crate::kind::Kind;

/// A user and their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    /// The account to change to, if this process runs as root: that of the package, or else `nobody`.
    pub(crate) fn instead_of_root(kind: Kind) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        Account::named(kind.account()).or_else(|| Account::named("nobody"))
    }

    /// Asks `id`, because not all users are in `/etc/passwd`.
    fn named(name: &str) -> Option<Self> {
        let number = |option: &str| -> Option<u32> {
            let output = Command::new("id").args([option, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Account { user: number("-u")?, group: number("-g")? })
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn root_has_the_number_zero_and_strangers_have_none() {
        assert_eq!(Account::named("root").map(|account| account.user), Some(0));
        assert_eq!(Account::named("nobody of this name"), None);
    }
}
