//! Webhooks: JSON of the event and the message, signed.

use std::time::Duration;
use std::time::SystemTime;

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Sha256;

use crate::attempt::Attempt;
use crate::http;
use crate::http::Address;
use crate::notice::Notice;
use crate::secret::Secret;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "X-Runner-Signature";

/// A webhook of the project's own.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) address: Address,
    pub(crate) secret: Option<Secret>,
    pub(crate) headers: Vec<(String, Secret)>,
}

/// The value of the signature header: `t=<seconds since 1970>,v1=<HMAC-SHA256>`, over the seconds, a full stop and the body,
/// in lower-case hexadecimal. A receiver computes it anew, compares in constant time, and refuses what is older than some
/// minutes.
#[must_use]
pub fn signature(secret: &[u8], seconds: u64, body: &[u8]) -> String {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={digits}")
}

/// The document: the notice and the version of its form.
fn body(notice: &Notice) -> serde_json::Value {
    serde_json::json!({
        "version": 1,
        "key": notice.key,
        "created_at": notice.created_at,
        "channel": notice.channel,
        "event": notice.occasion.event,
        "details": notice.occasion.details,
        "run": {
            "id": notice.occasion.run_id,
            "operation": notice.occasion.operation,
            "environment": notice.occasion.environment,
            "production": notice.occasion.production,
            "target": notice.occasion.target,
            "actor": notice.occasion.actor,
            "host": notice.occasion.host,
            "plan_hash": notice.occasion.plan_hash,
        },
        "message": notice.message,
    })
}

impl Webhook {
    pub(crate) async fn deliver(&self, notice: &Notice, limit: Duration) -> Attempt {
        let body = body(notice).to_string();
        let mut headers = self.headers.clone();
        headers.push(("Idempotency-Key".to_owned(), Secret::new(&notice.key)));
        headers.push(("X-Runner-Event".to_owned(), Secret::new(&notice.occasion.event)));
        if let Some(secret) = &self.secret {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let signature = signature(secret.reveal().as_bytes(), now, body.as_bytes());
            headers.push((SIGNATURE_HEADER.to_owned(), Secret::new(signature)));
        }
        http::post(&self.address, &headers, body, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_other_tools() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'key'
        assert_eq!(
            signature(b"key", 1_700_000_000, b"{\"a\":1}"),
            "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
        );
    }
}
