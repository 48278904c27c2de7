//! Channels: where messages go, checked when they are configured.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64ct::Base64;
use base64ct::Encoding as _;

use crate::attempt::Attempt;
use crate::clip;
use crate::email::Email;
use crate::email::EmailSettings;
use crate::file;
use crate::http;
use crate::http::Address;
use crate::mask;
use crate::mask::Mask;
use crate::notice::Notice;
use crate::secret::Secret;
use crate::slack;
use crate::webhook::Webhook;

/// How long one attempt may take unless it is configured.
const TIME: Duration = Duration::from_secs(4);
/// So much of what went wrong is kept, in characters.
const WHY: usize = 300;
/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// A setting of a channel that is wrong. The text shows no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WrongSetting {
    /// Which, as in `url`; empty: the channel as a whole.
    pub key: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl WrongSetting {
    fn new(key: &'static str, message: impl Into<String>) -> Self {
        WrongSetting { key, message: message.into(), help: None }
    }
}

enum Kind {
    Slack(Address),
    Webhook(Webhook),
    Email(Box<Email>),
    File(PathBuf),
    Stderr,
}

/// One channel.
pub struct Channel {
    name: String,
    kind: Kind,
    time: Duration,
    /// Everything that must be in no error.
    mask: Mask,
    /// The part of it that must be in no message: passwords and tokens, but no host names, which may be words.
    secrets: Mask,
}

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Channel").field("name", &self.name).field("kind", &self.kind()).finish_non_exhaustive()
    }
}

impl Channel {
    fn new(name: &str, kind: Kind, secrets: &[String], addresses: &[String]) -> Result<Self, WrongSetting> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            let message = format!("the name of a channel is 1 to {LONGEST_NAME} letters, digits, `-` and `_`");
            return Err(WrongSetting::new("", message));
        }
        let mask = Mask::of(secrets.iter().chain(addresses).map(String::as_str));
        let secrets = Mask::of(secrets.iter().map(String::as_str).filter(|secret| secret.len() >= 6));
        Ok(Channel { name: name.to_owned(), kind, time: TIME, mask, secrets })
    }

    /// A channel of Slack: the address of an incoming webhook. `http://` stays on this machine unless it is allowed to leave.
    ///
    /// # Errors
    /// [`WrongSetting`] for `url`, or for the name.
    pub fn slack(name: &str, url: &Secret, allows_plaintext: bool) -> Result<Self, WrongSetting> {
        let address = address(url, allows_plaintext)?;
        let secrets = mask::parts_of(&address.0);
        let host = address.0.host_str().unwrap_or_default().to_owned();
        Self::new(name, Kind::Slack(address), &secrets, &[url.reveal().to_owned(), host])
    }

    /// A webhook: JSON, signed if there is a secret, with further headers.
    ///
    /// # Errors
    /// [`WrongSetting`] for `url`, `secret` or `headers`, or for the name.
    pub fn webhook(
        name: &str,
        url: &Secret,
        secret: Option<Secret>,
        headers: Vec<(String, Secret)>,
        allows_plaintext: bool,
    ) -> Result<Self, WrongSetting> {
        let address = address(url, allows_plaintext)?;
        if secret.as_ref().is_some_and(|secret| secret.reveal().len() < 16) {
            let message = "it is shorter than 16 characters, and could be guessed";
            let help = Some("`openssl rand -hex 32` makes a good one".to_owned());
            return Err(WrongSetting { help, ..WrongSetting::new("secret", message) });
        }
        for (header, value) in &headers {
            check_header(header, value)?;
        }
        let mut secrets = mask::parts_of(&address.0);
        secrets.extend(secret.iter().map(|secret| secret.reveal().to_owned()));
        for (_, value) in &headers {
            secrets.push(value.reveal().to_owned());
            // `Bearer TOKEN`
            secrets.extend(value.reveal().split_once(' ').map(|(_, token)| token.trim().to_owned()));
        }
        let host = address.0.host_str().unwrap_or_default().to_owned();
        let webhook = Webhook { address, secret, headers };
        Self::new(name, Kind::Webhook(webhook), &secrets, &[url.reveal().to_owned(), host])
    }

    /// E-mail over SMTP.
    ///
    /// # Errors
    /// [`WrongSetting`] with the key, or for the name.
    pub fn email(name: &str, settings: EmailSettings) -> Result<Self, WrongSetting> {
        let mut secrets = Vec::new();
        let mut addresses = vec![settings.host.clone(), settings.from.clone()];
        addresses.extend(settings.to.iter().cloned());
        let shown = |text: &String| text.split(['<', '>']).map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        addresses.extend(addresses.clone().iter().flat_map(shown));
        let user = settings.username.as_ref().map(Secret::reveal).unwrap_or_default();
        let password = settings.password.as_ref().map(Secret::reveal).unwrap_or_default();
        addresses.push(user.to_owned());
        if !password.is_empty() {
            secrets.extend([password.to_owned(), in_base64(password), in_base64(&format!("\0{user}\0{password}"))]);
            addresses.push(in_base64(user));
        }
        let email = Email::new(settings).map_err(|(key, message, help)| WrongSetting { key, message, help })?;
        Self::new(name, Kind::Email(Box::new(email)), &secrets, &addresses)
    }

    /// JSON lines at the end of a file.
    ///
    /// # Errors
    /// [`WrongSetting`] for the name.
    pub fn file(name: &str, path: PathBuf) -> Result<Self, WrongSetting> {
        Self::new(name, Kind::File(path), &[], &[])
    }

    /// Lines for people who watch. Whoever uses this crate writes them: [`Channel::is_spoken`].
    ///
    /// # Errors
    /// [`WrongSetting`] for the name.
    pub fn stderr(name: &str) -> Result<Self, WrongSetting> {
        Self::new(name, Kind::Stderr, &[], &[])
    }

    /// The same with another limit for one attempt.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind it is, as in the configuration.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Slack(_) => "slack",
            Kind::Webhook(_) => "webhook",
            Kind::Email(_) => "email",
            Kind::File(_) => "file",
            Kind::Stderr => "stderr",
        }
    }

    /// Whether its messages are said at once rather than delivered.
    #[must_use]
    pub fn is_spoken(&self) -> bool {
        matches!(self.kind, Kind::Stderr)
    }

    /// How long one attempt may take.
    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    /// One attempt, which ends within `limit`. What went wrong is said without anything that must not be shown.
    pub async fn attempt(&self, notice: &Notice, limit: Duration) -> Attempt {
        let attempt = async {
            match &self.kind {
                Kind::Slack(address) => slack::deliver(address, notice, limit).await,
                Kind::Webhook(webhook) => webhook.deliver(notice, limit).await,
                Kind::Email(email) => email.deliver(notice, limit).await,
                Kind::File(path) => file::deliver(path, notice).await,
                Kind::Stderr => Attempt::Delivered,
            }
        };
        // Each of them looks after its time itself; this is for what nobody thought of.
        let attempt = match tokio::time::timeout(limit + Duration::from_secs(1), attempt).await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::again(format!("no end within {} s", http::seconds(limit))),
        };
        attempt.reworded(|why| clip::line(&self.mask.apply_to_part(why), WHY))
    }
}

/// As SMTP writes names and passwords.
fn in_base64(text: &str) -> String {
    Base64::encode_string(text.as_bytes())
}

fn address(url: &Secret, allows_plaintext: bool) -> Result<Address, WrongSetting> {
    Address::parse(url.reveal(), allows_plaintext).map_err(|(message, help)| WrongSetting { key: "url", message, help })
}

fn check_header(name: &str, value: &Secret) -> Result<(), WrongSetting> {
    let wrong = |message: &str| Err(WrongSetting::new("headers", format!("`{}`: {message}", clip::line(name, 40))));
    if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return wrong("this is not the name of a header");
    }
    if reqwest::header::HeaderValue::from_str(value.reveal()).is_err() {
        return wrong("its value is not one line of printable ASCII");
    }
    let own = ["content-type", "content-length", "host", "idempotency-key"];
    let lower = name.to_ascii_lowercase();
    if own.contains(&lower.as_str()) || lower.starts_with("x-runner-") {
        return wrong("the runner itself sets this header");
    }
    Ok(())
}

/// The channels of a project.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    by_name: BTreeMap<String, Arc<Channel>>,
    /// Channels whose address is empty here.
    off: Vec<String>,
}

impl Channels {
    /// Adds a channel.
    pub fn add(&mut self, channel: Channel) {
        self.by_name.insert(channel.name.clone(), Arc::new(channel));
    }

    /// Adds the name of a channel that has no address here, and is not missed.
    pub fn add_off(&mut self, name: &str) {
        self.off.push(name.to_owned());
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// A channel by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Channel>> {
        self.by_name.get(name)
    }

    /// Whether a channel of this name is configured, and has no address here.
    #[must_use]
    pub fn is_off(&self, name: &str) -> bool {
        self.off.iter().any(|off| off == name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.by_name.values().map(Arc::as_ref)
    }

    /// Names of the channels that messages are delivered to, in order.
    pub fn delivered(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|channel| !channel.is_spoken()).map(Channel::name)
    }

    /// A text without the passwords and tokens of any channel.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        self.by_name.values().fold(text.to_owned(), |text, channel| channel.secrets.apply(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://hooks.example.org/services/T0AAAAAA/sEcReT99";

    #[test]
    fn nothing_shows_an_address() {
        let slack = Channel::slack("team", &Secret::new(URL), false).unwrap();
        assert_eq!(format!("{slack:?}"), "Channel { name: \"team\", kind: \"slack\", .. }");
        assert_eq!(slack.mask.apply(&format!("no route to hooks.example.org for {URL}")), "no route to *** for ***");
        let mut channels = Channels::default();
        channels.add(slack);
        assert_eq!(channels.without_secrets("hooks.example.org sEcReT99"), "hooks.example.org ***");
    }

    #[test]
    fn wrong_settings_are_named_and_not_shown() {
        let url = Secret::new(URL);
        let webhook = |secret: &str, header: &str, value: &str| {
            let headers = vec![(header.to_owned(), Secret::new(value))];
            Channel::webhook("hook", &url, Some(Secret::new(secret)), headers, false).map(drop)
        };
        let long = "0123456789abcdef";
        assert_eq!(webhook(long, "Authorization", "Bearer sEcReT99"), Ok(()));
        for (secret, header, value, key) in [
            ("sEcReT99", "A", "b", "secret"),
            (long, "X-Runner-Signature", "sEcReT99", "headers"),
            (long, "A B", "sEcReT99", "headers"),
            (long, "A", "sEcReT99\r\nB: c", "headers"),
        ] {
            let wrong = webhook(secret, header, value).unwrap_err();
            assert_eq!(wrong.key, key);
            assert!(!wrong.to_string().contains("sEcReT99"), "{wrong}");
        }
        assert_eq!(Channel::slack("a b", &url, false).unwrap_err().key, "");
        assert_eq!(Channel::slack("a", &Secret::new("sEcReT99"), false).unwrap_err().key, "url");
    }

    #[test]
    fn base64_is_that_of_smtp() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("\0u\0päss", "AHUAcMOkc3M=")]
        {
            assert_eq!(in_base64(text), encoded);
        }
    }
}
