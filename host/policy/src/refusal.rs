//! Why a plugin could not be used. Every refusal ends as a denial that names the plugin.

use std::time::Duration;

use crate::Digest;
use crate::StoreError;
use crate::data::Failure;
use crate::data::SettingProblem;
use crate::limits::bytes;

/// Why a plugin could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Its file can't be read.
    #[error("can't be read from `{path}`: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// No built-in plugin has this name.
    #[error("there is no built-in plugin `{name}`")]
    NotBuiltIn {
        /// The name.
        name: String,
    },
    /// It comes from a registry and was not fetched.
    #[error("is not in the store: {reason}")]
    NotFetched {
        /// Why not.
        reason: String,
    },
    /// What was fetched can't be used.
    #[error("can't be had from the store: {reason}")]
    Store {
        /// What is wrong.
        reason: String,
    },
    /// It is another component than the pinned one.
    #[error("has the digest {actual}, and `{file}` pins {pinned}")]
    Digest {
        /// The digest that it should have.
        pinned: Digest,
        /// The one that it has.
        actual: Digest,
        /// The lock file, as people call it.
        file: String,
    },
    /// The lock file does not let it be loaded.
    #[error("{what}")]
    Pin {
        /// Why.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// Nobody trusted has signed it.
    #[error("is not signed by a trusted key: {what}")]
    Signature {
        /// What is wrong with its signature.
        what: String,
    },
    /// The file holds something else.
    #[error("is not a WebAssembly component: {what}")]
    NotAComponent {
        /// What it is instead.
        what: String,
        /// What to do about it.
        help: &'static str,
    },
    /// It would cost too much to compile it, or to make instances of it.
    #[error("is too large: {what}")]
    Extent {
        /// What there is too much of.
        what: String,
    },
    /// It is a component, but not a policy of a known version.
    #[error("{what}")]
    OtherWorld {
        /// What it exports.
        what: String,
    },
    /// It imports something that the host does not offer.
    #[error("imports `{import}`, which no policy is given")]
    Import {
        /// The import.
        import: String,
        /// What to do instead.
        help: &'static str,
    },
    /// A grant is missing, or can't be given.
    #[error("{what}")]
    Grant {
        /// What is missing.
        what: String,
        /// The line to add.
        help: String,
    },
    /// Its settings are wrong.
    #[error("{}", wrong_settings(.0))]
    Settings(Vec<SettingProblem>),
    /// It used up its fuel.
    #[error("used up its fuel of {limit}")]
    Fuel {
        /// The limit.
        limit: u64,
    },
    /// It took too long.
    #[error("gave no answer within {limit:?}, and was stopped after {} ms", used.as_millis())]
    Time {
        /// The limit.
        limit: Duration,
        /// The time it took until it could be stopped.
        used: Duration,
    },
    /// It wanted too much memory.
    #[error("wanted {} of memory, its limit is {}", bytes(*.wanted), bytes(*.limit))]
    Memory {
        /// What it would have used in bytes.
        wanted: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It recursed too deeply.
    #[error("used up its stack of {}", bytes(*.limit))]
    Stack {
        /// The limit in bytes.
        limit: u64,
    },
    /// Its answer is too large.
    #[error("gave an answer larger than {}", bytes(*.limit))]
    AnswerSize {
        /// The limit in bytes.
        limit: u64,
    },
    /// It called the host too often.
    #[error("called the host {used} times, its limit is {limit}")]
    HostCalls {
        /// The limit.
        limit: u64,
        /// The call that was too much.
        used: u64,
    },
    /// It trapped.
    #[error("failed: {reason}")]
    Trap {
        /// What WebAssembly says.
        reason: String,
    },
    /// Its answer breaks a rule of the contract.
    #[error("gave an answer that can't be trusted: {reason}")]
    Answer {
        /// The rule.
        reason: String,
    },
    /// It says itself that it can't decide.
    #[error("{}", .0.message)]
    Failure(Failure),
    /// The set holds two plugins that both want to say what the environment is.
    #[error("has the role `environment`, which `{other}` has already")]
    SecondEnvironment {
        /// The first one.
        other: String,
    },
    /// The sandbox itself does not work here.
    #[error("can't be run: {reason}")]
    Sandbox {
        /// Why.
        reason: String,
    },
}

/// Tells of the first problems; whoever corrects them hears of the others.
fn wrong_settings(problems: &[SettingProblem]) -> String {
    const TOLD: usize = 10;
    let mut list: Vec<String> = problems
        .iter()
        .take(TOLD)
        .map(|problem| match problem.path.as_str() {
            "" => problem.message.clone(),
            path => format!("`{path}`: {}", problem.message),
        })
        .collect();
    if problems.len() > TOLD {
        list.push(format!("and {} more", problems.len() - TOLD));
    }
    format!("has wrong settings: {}", list.join("; "))
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { .. } => Refusal::NotFetched { reason: error.to_string() },
            _ => Refusal::Store { reason: error.to_string() },
        }
    }
}

impl Refusal {
    /// Whether it is the operator's doubt about the component itself. Then the plugin's mode makes no difference.
    pub(crate) fn is_distrust(&self) -> bool {
        matches!(self, Refusal::Digest { .. } | Refusal::Pin { .. } | Refusal::Signature { .. })
    }

    /// Short name of what went wrong, used as the `rule` of the verdict.
    pub fn rule(&self) -> &'static str {
        match self {
            Refusal::Unreadable { .. } => "plugin-unreadable",
            Refusal::NotBuiltIn { .. } => "plugin-unknown",
            Refusal::NotFetched { .. } => "plugin-not-fetched",
            Refusal::Store { .. } => "plugin-store",
            Refusal::Digest { .. } | Refusal::Pin { .. } => "plugin-digest",
            Refusal::Signature { .. } => "plugin-signature",
            Refusal::NotAComponent { .. } => "plugin-not-a-component",
            Refusal::Extent { .. } => "plugin-too-large",
            Refusal::OtherWorld { .. } => "plugin-other-world",
            Refusal::Import { .. } => "plugin-import",
            Refusal::Grant { .. } => "plugin-grant",
            Refusal::Settings(_) => "plugin-settings",
            Refusal::Fuel { .. } => "limit-fuel",
            Refusal::Time { .. } => "limit-time",
            Refusal::Memory { .. } => "limit-memory",
            Refusal::Stack { .. } => "limit-stack",
            Refusal::AnswerSize { .. } => "limit-answer",
            Refusal::HostCalls { .. } => "limit-host-calls",
            Refusal::Trap { .. } => "plugin-trap",
            Refusal::Answer { .. } => "plugin-answer",
            Refusal::Failure(_) => "plugin-failure",
            Refusal::SecondEnvironment { .. } => "plugin-second-environment",
            Refusal::Sandbox { .. } => "plugin-sandbox",
        }
    }

    /// What to do about it.
    pub fn help(&self, plugin: &str) -> Option<String> {
        let raise = |key: &str| {
            Some(format!(
                "if the plugin is to be trusted with more, set `limits = {{ {key} = … }}` in `[plugins.{plugin}]`"
            ))
        };
        match self {
            Refusal::Unreadable { .. } => Some(format!("check `source` in `[plugins.{plugin}]`")),
            Refusal::NotBuiltIn { .. } => {
                Some(format!("built in are {}", crate::builtin_names().collect::<Vec<_>>().join(", ")))
            }
            Refusal::NotFetched { .. } | Refusal::Store { .. } => {
                Some(format!("`runner plugin pull {plugin}` fetches it"))
            }
            Refusal::Digest { file, .. } => Some(format!(
                "if it was changed on purpose, {} accepts it; then `{file}` shows the change",
                crate::lock_command(file)
            )),
            Refusal::Pin { help, .. } => Some(help.clone()),
            Refusal::Signature { .. } => Some(
                "`runner plugin sign FILE --key KEY` signs it; `keys` in `[trust]` names the keys that count"
                    .to_owned(),
            ),
            Refusal::NotAComponent { help, .. } => Some((*help).to_owned()),
            Refusal::Extent { .. } => Some("no key raises this; build it smaller".to_owned()),
            Refusal::OtherWorld { .. } => {
                Some("a policy exports `runner:policy/plugin@0.1.2` and at least one role of that package".to_owned())
            }
            Refusal::Import { help, .. } => Some((*help).to_owned()),
            Refusal::Grant { help, .. } => Some(help.clone()),
            Refusal::Settings(_) => Some(format!(
                "correct the settings of `{plugin}`: `runner plugin list` shows in which table each of them stands"
            )),
            Refusal::Fuel { .. } => raise("fuel"),
            Refusal::Time { .. } => raise("time"),
            Refusal::Memory { .. } => raise("memory"),
            Refusal::Stack { .. } => raise("stack"),
            Refusal::AnswerSize { .. } => raise("answer"),
            Refusal::HostCalls { .. } => raise("host-calls"),
            Refusal::Trap { .. } | Refusal::Answer { .. } => {
                Some("this is a defect of the plugin; tell its authors".to_owned())
            }
            Refusal::Failure(failure) => failure.help.clone(),
            Refusal::SecondEnvironment { .. } => Some("keep one of them in the set".to_owned()),
            Refusal::Sandbox { .. } => None,
        }
    }
}
