//! `[channels.…]` and `[notifications]`: where messages go, and how long that may take.
//!
//! Addresses and secrets are filled in here and nowhere else; from here on only the delivery crate sees them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use runner_delivery::Channel;
use runner_delivery::Channels;
use runner_delivery::EmailSettings;
use runner_delivery::Encryption;
use runner_delivery::Secret;
use runner_delivery::WrongSetting;

use super::Fill;
use super::duration;
use super::file;
use super::file::ChannelKind;
use super::template::Template;
use crate::error::Error;
use crate::error::Result;

/// How long delivery may take after a run.
const TIME: Duration = Duration::from_secs(5);
/// More would delay whoever waits for the command.
const LONGEST_TIME: Duration = Duration::from_secs(5 * 60);

/// What a project says about notifications.
#[derive(Debug)]
pub(super) struct Notifications {
    pub(super) channels: Channels,
    pub(super) time: Duration,
}

impl Notifications {
    pub(super) fn new(
        channels: BTreeMap<String, file::Channel>,
        settings: &file::Notifications,
        root: &Path,
        fill: &Fill<'_>,
    ) -> Result<Self> {
        let time = match &settings.time {
            Some(template) => limit(template, "notifications.time", fill)?,
            None => TIME,
        };
        let mut all = Channels::default();
        for (name, channel) in channels {
            let key = format!("channels.{name}");
            let written = Written { key: &key, channel: &channel, fill };
            match written.read(&name, root)? {
                Some(channel) => all.add(channel),
                None => all.add_off(&name),
            }
        }
        Ok(Notifications { channels: all, time })
    }
}

fn limit(template: &Template, key: &str, fill: &Fill<'_>) -> Result<Duration> {
    let time = duration(&fill.fill(template, key)?).map_err(|message| fill.wrong(key, message))?;
    if time.is_zero() || time > LONGEST_TIME {
        let message = format!("must be longer than nothing and at most {} s", LONGEST_TIME.as_secs());
        return Err(fill.wrong(key, message));
    }
    Ok(time)
}

/// A channel as it is written in the file.
struct Written<'a> {
    key: &'a str,
    channel: &'a file::Channel,
    fill: &'a Fill<'a>,
}

impl Written<'_> {
    /// The channel; `None` if its address is empty here.
    fn read(&self, name: &str, root: &Path) -> Result<Option<Channel>> {
        let Some(kind) = self.channel.kind else {
            return Err(self
                .fill
                .wrong(self.key, "`kind` is missing")
                .help("it is one of `slack`, `webhook`, `email`, `file` and `stderr`"));
        };
        self.refuse_other_keys(kind)?;
        let allows_plaintext = self.channel.allow_plaintext.unwrap_or(false);
        let made = match kind {
            ChannelKind::Slack => {
                let Some(url) = self.address(self.channel.url.as_ref(), "url")? else { return Ok(None) };
                Channel::slack(name, &Secret::new(url), allows_plaintext)
            }
            ChannelKind::Webhook => {
                let Some(url) = self.address(self.channel.url.as_ref(), "url")? else { return Ok(None) };
                let secret = self.optional(self.channel.secret.as_ref(), "secret")?.map(Secret::new);
                Channel::webhook(name, &Secret::new(url), secret, self.headers()?, allows_plaintext)
            }
            ChannelKind::Email => {
                let Some(host) = self.address(self.channel.host.as_ref(), "host")? else { return Ok(None) };
                Channel::email(name, self.email(host, allows_plaintext)?)
            }
            ChannelKind::File => {
                let Some(path) = self.address(self.channel.path.as_ref(), "path")? else { return Ok(None) };
                Channel::file(name, root.join(path))
            }
            ChannelKind::Stderr => Channel::stderr(name),
        };
        let channel = made.map_err(|wrong| self.wrong_setting(&wrong))?;
        Ok(Some(match &self.channel.timeout {
            Some(template) => channel.within(limit(template, &format!("{}.timeout", self.key), self.fill)?),
            None => channel,
        }))
    }

    fn email(&self, host: String, allows_plaintext: bool) -> Result<EmailSettings> {
        let channel = self.channel;
        let to = channel.to.iter().flatten().map(|template| self.filled(template, "to"));
        // One variable may name several.
        let to: Vec<String> = to
            .collect::<Result<Vec<_>>>()?
            .iter()
            .flat_map(|text| text.split(','))
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        let Some(from) = self.optional(channel.from.as_ref(), "from")? else {
            return Err(self.fill.wrong(&format!("{}.from", self.key), "who the message is from is missing"));
        };
        Ok(EmailSettings {
            host,
            port: channel.port,
            encryption: match channel.tls {
                Some(file::Tls::Implicit) => Encryption::Implicit,
                Some(file::Tls::None) => Encryption::None,
                Some(file::Tls::Starttls) | None => Encryption::StartTls,
            },
            allows_plaintext,
            username: self.optional(channel.username.as_ref(), "username")?.map(Secret::new),
            password: self.optional(channel.password.as_ref(), "password")?.map(Secret::new),
            from,
            to,
        })
    }

    fn headers(&self) -> Result<Vec<(String, Secret)>> {
        let headers = self.channel.headers.iter().flatten();
        headers
            .map(|(name, template)| Ok((name.clone(), Secret::new(self.filled(template, &format!("headers.{name}"))?))))
            .collect()
    }

    /// A key that must be there, and whose empty value turns the channel off.
    fn address(&self, template: Option<&Template>, key: &str) -> Result<Option<String>> {
        let Some(template) = template else {
            return Err(self.fill.wrong(&format!("{}.{key}", self.key), "it is missing"));
        };
        let text = self.filled(template, key)?;
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// A key whose empty value is as good as none.
    fn optional(&self, template: Option<&Template>, key: &str) -> Result<Option<String>> {
        let text = template.map(|template| self.filled(template, key)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn filled(&self, template: &Template, key: &str) -> Result<String> {
        self.fill.fill(template, &format!("{}.{key}", self.key))
    }

    fn wrong_setting(&self, wrong: &WrongSetting) -> Error {
        let key = if wrong.key.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.key, wrong.key) };
        self.fill.wrong(&key, wrong).maybe_help(wrong.help.as_deref())
    }

    /// A key of another kind would silently do nothing.
    fn refuse_other_keys(&self, kind: ChannelKind) -> Result<()> {
        use ChannelKind::Email;
        use ChannelKind::File;
        use ChannelKind::Slack;
        use ChannelKind::Stderr;
        use ChannelKind::Webhook;
        let channel = self.channel;
        let given: [(&str, bool, &[ChannelKind]); 13] = [
            ("timeout", channel.timeout.is_some(), &[Slack, Webhook, Email, File]),
            ("allow-plaintext", channel.allow_plaintext.is_some(), &[Slack, Webhook, Email]),
            ("url", channel.url.is_some(), &[Slack, Webhook]),
            ("secret", channel.secret.is_some(), &[Webhook]),
            ("headers", channel.headers.is_some(), &[Webhook]),
            ("host", channel.host.is_some(), &[Email]),
            ("port", channel.port.is_some(), &[Email]),
            ("tls", channel.tls.is_some(), &[Email]),
            ("username", channel.username.is_some(), &[Email]),
            ("password", channel.password.is_some(), &[Email]),
            ("from", channel.from.is_some(), &[Email]),
            ("to", channel.to.is_some(), &[Email]),
            ("path", channel.path.is_some(), &[File]),
        ];
        match given.iter().find(|(_, is_given, kinds)| *is_given && !kinds.contains(&kind)) {
            None => Ok(()),
            Some((key, _, kinds)) => {
                let takes: Vec<&str> =
                    given.iter().filter(|(_, _, kinds)| kinds.contains(&kind)).map(|(key, _, _)| *key).collect();
                let name = |kind: &ChannelKind| match kind {
                    Slack => "`slack`",
                    Webhook => "`webhook`",
                    Email => "`email`",
                    File => "`file`",
                    Stderr => "`stderr`",
                };
                let message = format!("a channel of the kind {} does not take this key", name(&kind));
                let others: Vec<&str> = kinds.iter().map(name).collect();
                Err(self
                    .fill
                    .wrong(&format!("{}.{key}", self.key), message)
                    .help(format!("it is for {}", others.join(", ")))
                    .maybe_help((!takes.is_empty()).then(|| format!("{} takes `{}`", name(&kind), takes.join("`, `")))))
            }
        }
    }
}
