//! What an operator can change.

use std::collections::BTreeMap;

use base64ct::Base64;
use base64ct::Encoding as _;
use ed25519_dalek::VerifyingKey;
use runner_policy_sdk::JsonSchema;
use runner_policy_sdk::SettingProblem;
use serde::Deserialize;
use serde::Serialize;

/// Settings.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub struct Settings {
    /// The granted folder that holds the approvals. Default: `approvals`.
    #[serde(default = "folder")]
    pub folder: String,
    /// Who may approve, by login name: `ed25519:` and the public key in base64, as `runner plugin keygen` prints it.
    pub approvers: BTreeMap<String, String>,
    /// How many of them have to approve, each with a key of their own. Default: 1.
    #[serde(default = "signatures")]
    #[schemars(range(min = 1))]
    pub signatures: usize,
}

fn folder() -> String {
    "approvals".to_owned()
}

fn signatures() -> usize {
    1
}

impl Settings {
    /// The key of an approver.
    pub(crate) fn key(&self, approver: &str) -> Option<VerifyingKey> {
        key(self.approvers.get(approver)?)
    }

    /// Every problem that the types don't exclude.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: &str| {
            problems.push(SettingProblem { path, message: message.to_owned() });
        };
        for (name, text) in &self.approvers {
            if key(text).is_none() {
                problem(format!("approvers.{name}"), "it is no public key of the form `ed25519:…`");
            }
        }
        let mut keys: Vec<&String> = self.approvers.values().collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < self.approvers.len() {
            problem("approvers".to_owned(), "two of them share a key, and would count as two");
        }
        if self.signatures == 0 {
            problem("signatures".to_owned(), "without a signature this policy allows everything");
        }
        if self.approvers.len() < self.signatures + 1 {
            problem("approvers".to_owned(), "they are too few: nobody approves a change of their own");
        }
        problems
    }
}

fn key(text: &str) -> Option<VerifyingKey> {
    let bytes = Base64::decode_vec(text.strip_prefix("ed25519:")?).ok()?;
    let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then_some(key)
}
