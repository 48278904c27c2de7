//! What the client programs of a server are told, so that they reach the same database.

use std::fmt;

/// How the client programs of a server reach a database. It may hold a password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Variables for the program's environment: names and values.
    pub environment: Vec<(&'static str, String)>,
    /// The text of a file of options, for programs that are told with `--defaults-file`. Nobody else may read it.
    pub options: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.environment.iter().map(|(name, _)| *name).collect();
        formatter.debug_struct("Client").field("environment", &names).finish_non_exhaustive()
    }
}
