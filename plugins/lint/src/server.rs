//! The kind and version of a server.

use runner_policy_sdk::Dialect;
use runner_policy_sdk::revision_lint::Circumstances;

/// The kind and version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) dialect: Dialect,
    pub(crate) is_mariadb: bool,
    /// `None`: it is not known.
    version: Option<(u32, u32, u32)>,
}

impl Server {
    pub(crate) fn of(circumstances: &Circumstances) -> Self {
        let text = circumstances.server_version.as_str();
        // MariaDB hides behind `5.5.5-` for old clients.
        let bare = text.strip_prefix("5.5.5-").filter(|rest| rest.contains("MariaDB")).unwrap_or(text);
        let mut numbers = bare.split(|sign: char| !sign.is_ascii_digit()).map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok);
        let version = next().map(|major| (major, next().unwrap_or(0), next().unwrap_or(0)));
        // The name may be left out: MySQL has 5, 8 and 9, and MariaDB has everything from 10 on.
        let is_mariadb = text.contains("MariaDB") || version.is_some_and(|(major, ..)| major >= 10);
        Server { dialect: circumstances.dialect, is_mariadb, version }
    }

    /// Whether it is known to be MySQL of this version or later.
    pub(crate) fn is_mysql_from(self, version: (u32, u32, u32)) -> bool {
        !self.is_mariadb && self.version.is_some_and(|known| known >= version)
    }

    /// Whether it is known to be MariaDB of this version or later.
    pub(crate) fn is_mariadb_from(self, version: (u32, u32, u32)) -> bool {
        self.is_mariadb && self.version.is_some_and(|known| known >= version)
    }

    /// Whether it is known to be MySQL, of whatever version.
    pub(crate) fn is_mysql(self) -> bool {
        self.is_mysql_from((0, 0, 0))
    }
}
