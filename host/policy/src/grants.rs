//! Capabilities that an operator gives to a plugin. What is not granted does not exist for it.

use std::path::PathBuf;

use crate::verdict::printable;

/// A folder that a plugin may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadGrant {
    /// Where it is.
    pub path: PathBuf,
    /// The name under which the plugin sees it: as the configuration writes it.
    pub name: String,
}

/// What a plugin is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Names of variables of the process environment.
    pub env: Vec<String>,
    /// Folders, read-only.
    pub read: Vec<ReadGrant>,
    /// Facts about the target: tables, columns, indexes, what statistics say, the latest steps.
    pub facts: bool,
}

/// One more thing that a plugin could be given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missing<'a> {
    Variable(&'a str),
    Folder,
    Facts,
}

impl Grants {
    /// What to do for the plugin to have one thing more than it has.
    pub(crate) fn help_with(&self, missing: Missing<'_>, plugin: &str) -> String {
        printable(&format!("add `{}` to `[plugins.{plugin}]` if it shall have it", self.line_with(missing)))
    }

    fn line_with(&self, missing: Missing<'_>) -> String {
        let mut env: Vec<&str> = self.env.iter().map(String::as_str).collect();
        let mut read: Vec<&str> = self.read.iter().map(|folder| folder.name.as_str()).collect();
        match missing {
            Missing::Variable(name) => env.push(name),
            Missing::Folder => read.push("…"),
            Missing::Facts => {}
        }
        let list = |key: &str, values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            (!values.is_empty()).then(|| format!("{key} = [{}]", values.join(", ")))
        };
        let facts = (self.facts || matches!(missing, Missing::Facts)).then(|| "facts = true".to_owned());
        let grants: Vec<String> = [list("env", &env), list("read", &read), facts].into_iter().flatten().collect();
        format!("grants = {{ {} }}", grants.join(", "))
    }
}
