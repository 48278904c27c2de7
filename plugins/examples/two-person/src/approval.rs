//! The file of an approval: lines `approver: NAME`, each followed by `signature: BASE64`.

use base64ct::Base64;
use base64ct::Encoding as _;
use ed25519_dalek::Signature;

use crate::Settings;

/// One approval, as written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Approval<'a> {
    approver: &'a str,
    signature: &'a str,
}

/// All approvals of a file. Lines that are something else say nothing.
pub(crate) fn read(text: &str) -> Vec<Approval<'_>> {
    let mut approvals = Vec::new();
    let mut approver = None;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim() {
            "approver" => approver = Some(value.trim()),
            "signature" => {
                approvals.extend(approver.take().map(|approver| Approval { approver, signature: value.trim() }));
            }
            _ => {}
        }
    }
    approvals
}

/// What an approver signs for a plan.
pub(crate) fn message(hash: &str) -> String {
    format!("approve {hash}\n")
}

impl<'a> Approval<'a> {
    /// Who approves, or why it does not count.
    pub(crate) fn check(&self, settings: &Settings, hash: &str, actor: &str) -> Result<&'a str, String> {
        let approver = self.approver;
        if approver == actor {
            return Err(format!("`{approver}` can't approve a change of their own"));
        }
        let key = settings.key(approver).ok_or_else(|| format!("`{approver}` is none of the approvers"))?;
        let signature = Base64::decode_vec(self.signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .ok_or_else(|| format!("the signature of `{approver}` is not one in base64"))?;
        match key.verify_strict(message(hash).as_bytes(), &signature) {
            Ok(()) => Ok(approver),
            Err(_) => Err(format!("the signature of `{approver}` is not one over this plan")),
        }
    }
}
