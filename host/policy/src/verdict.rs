//! What policies say, in the form that people, scripts and the ledger see.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::Serialize;

use crate::Role;

/// What follows from a verdict. Ordered: the last one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Go ahead.
    Allow,
    /// Go ahead, and say why it is worth a thought.
    Warn,
    /// Do not run this step's SQL, record it as skipped.
    Skip,
    /// Ask first.
    Confirm,
    /// Refuse the plan.
    Deny,
}

impl Decision {
    /// As the JSON output writes it.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Warn => "warn",
            Decision::Skip => "skip",
            Decision::Confirm => "confirm",
            Decision::Deny => "deny",
        }
    }
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be looked at.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// The name as it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Which plugin, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginIdentity {
    /// The operator's name for it.
    pub name: String,
    /// Its version; `None` if it could not be asked.
    pub version: Option<String>,
    /// SHA-256 of the component, as `sha256:…`; `None` if it could not be read.
    pub digest: Option<String>,
}

/// One thing that one plugin says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The operator's name for the plugin.
    pub plugin: String,
    /// Its version; `None` if it could not be asked.
    pub version: Option<String>,
    /// SHA-256 of the component, as `sha256:…`; `None` if it could not be read.
    pub digest: Option<String>,
    /// In which role; `None` if it did not get that far.
    pub role: Option<Role>,
    /// What follows.
    pub decision: Decision,
    /// The revision it is about; `None`: the plan as a whole.
    pub revision: Option<String>,
    /// The plugin's rule, or what kind of failure it was.
    pub rule: Option<String>,
    /// For findings.
    pub severity: Option<Severity>,
    /// One sentence; may be empty for `allow`.
    pub message: String,
    /// For findings: the file.
    pub file: Option<String>,
    /// For findings: the line, from 1.
    pub line: Option<u32>,
    /// For findings: the column in characters, from 1.
    pub column: Option<u32>,
    /// What to do about it. Shown to people, not part of the JSON form.
    #[serde(skip)]
    pub help: Option<String>,
    /// Whether the plugin could not be used and the host speaks in its place; `rule` then names the refusal. Not part of the
    /// JSON form.
    #[serde(skip)]
    pub refusal: bool,
}

impl Verdict {
    /// A verdict of a plugin in a role, with nothing else said yet.
    pub(crate) fn new(plugin: &PluginIdentity, role: Option<Role>, decision: Decision, message: &str) -> Self {
        Verdict {
            plugin: plugin.name.clone(),
            version: plugin.version.clone(),
            digest: plugin.digest.clone(),
            role,
            decision,
            revision: None,
            rule: None,
            severity: None,
            message: printable(message),
            file: None,
            line: None,
            column: None,
            help: None,
            refusal: false,
        }
    }
}

/// What becomes of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It may run.
    Allowed,
    /// It may run once somebody has said yes.
    Confirm,
    /// It may not run.
    Denied,
}

/// Makes control characters of foreign text visible, so that it can't steer a terminal or fake lines of our output.
pub fn printable(text: &str) -> String {
    // Nearly every text is, and a long list of findings has thousands of them.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        // Without width, or such that they turn around or break what follows; and tags, which nobody sees.
        let hidden = matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        );
        if character == '\n' || character == '\t' {
            shown.push(' ');
        } else if character.is_control() || hidden {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_decision_wins() {
        assert!(Decision::Deny > Decision::Confirm);
        assert!(Decision::Confirm > Decision::Skip);
        assert!(Decision::Skip > Decision::Warn);
        assert!(Decision::Warn > Decision::Allow);
    }

    #[test]
    fn foreign_text_can_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nallow"), "a\\u{1b}[2Jb allow");
        assert_eq!(printable("zahn\u{202e}fee ü"), "zahn\\u{202e}fee ü");
        for hidden in ['\u{61c}', '\u{2028}', '\u{2029}', '\u{e0001}', '\u{e0041}', '\u{e007f}', '\u{200b}', '\u{feff}']
        {
            assert_eq!(printable(&format!("a{hidden}b")), format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
    }
}
