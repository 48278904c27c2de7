//! E-mail over SMTP.

use std::time::Duration;

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;

use crate::attempt::Attempt;
use crate::clip;
use crate::http;
use crate::limited::Limited;
use crate::notice::Notice;
use crate::secret::Secret;

/// How long a server may take to say goodbye, once it has the message.
const GOODBYE: Duration = Duration::from_millis(500);
/// So much of what a server says is looked at, in characters.
const MOST_SAID: usize = 4 * 1024;
/// A subject is one line.
const SUBJECT: usize = 200;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte on, usually port 465.
    Implicit,
    /// After `STARTTLS`, usually port 587. Without it nothing is sent.
    StartTls,
    /// Not at all, usually port 25.
    None,
}

impl Encryption {
    fn port(self) -> u16 {
        match self {
            Encryption::Implicit => 465,
            Encryption::StartTls => 587,
            Encryption::None => 25,
        }
    }
}

/// An e-mail channel as it is configured.
#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// The server.
    pub host: String,
    /// Its port; `None`: the usual one.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Whether an unencrypted connection may leave this machine.
    pub allows_plaintext: bool,
    /// Name to log in with; `None`: no login.
    pub username: Option<Secret>,
    /// Password to log in with.
    pub password: Option<Secret>,
    /// Who it is from, as in `runner <runner@example.org>`.
    pub from: String,
    /// Who gets it; at least one.
    pub to: Vec<String>,
}

/// Why a message is not sent.
enum Failure {
    Connect(std::io::Error),
    Smtp(lettre::transport::smtp::Error),
}

impl From<lettre::transport::smtp::Error> for Failure {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        Failure::Smtp(error)
    }
}

/// A checked channel.
#[derive(Clone)]
pub(crate) struct Email {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    /// Checks the settings. The error names the key.
    pub(crate) fn new(settings: EmailSettings) -> Result<Self, (&'static str, String, Option<String>)> {
        let EmailSettings { host, port, encryption, allows_plaintext, username, password, from, to } = settings;
        if host.is_empty() || host.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '/')
        {
            return Err(("host", "this is not the name of a server".to_owned(), None));
        }
        if encryption == Encryption::None && !allows_plaintext && !http::is_loopback(&host) {
            let help = "use `tls = \"starttls\"` or `tls = \"implicit\"`, or `allow-plaintext = true` if the network between is trusted";
            return Err((
                "tls",
                "`none` sends messages and passwords unencrypted to another machine".to_owned(),
                Some(help.to_owned()),
            ));
        }
        let mailbox = |key: &'static str, text: &str| {
            let wrong = "this is not an address such as `runner <runner@example.org>`".to_owned();
            text.trim().parse::<Mailbox>().map_err(|_| (key, wrong, None))
        };
        let from = mailbox("from", &from)?;
        let to = to.iter().map(|text| mailbox("to", text)).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(("to", "nobody is named".to_owned(), None));
        }
        let credentials = match (username, password) {
            (Some(name), Some(password)) => {
                Some(Credentials::new(name.reveal().to_owned(), password.reveal().to_owned()))
            }
            (None, None) => None,
            (Some(_), None) => return Err(("password", "a `username` needs a `password`".to_owned(), None)),
            (None, Some(_)) => return Err(("username", "a `password` needs a `username`".to_owned(), None)),
        };
        Ok(Email { host, port: port.unwrap_or(encryption.port()), encryption, credentials, from, to })
    }

    /// Sends a notice. The limit covers everything up to the server's word that it has the message.
    pub(crate) async fn deliver(&self, notice: &Notice, limit: Duration) -> Attempt {
        let message = match self.message(notice) {
            Ok(message) => message,
            Err(why) => return Attempt::never(why),
        };
        let Ok(sent) = tokio::time::timeout(limit, self.send(&message, limit)).await else {
            return Attempt::again(format!("no answer within {} s", http::seconds(limit)));
        };
        match sent {
            Ok(mut connection) => {
                // It is delivered, whatever comes now.
                let _ = tokio::time::timeout(GOODBYE, connection.abort()).await;
                Attempt::Delivered
            }
            Err(Failure::Connect(error)) => Attempt::again(format!("can't connect: {error}")),
            Err(Failure::Smtp(error)) if error.is_permanent() => Attempt::never(shown("the server refuses", &error)),
            Err(Failure::Smtp(error)) if error.is_client() => Attempt::never(shown("the server can't be used", &error)),
            Err(Failure::Smtp(error)) => Attempt::again(shown("it failed", &error)),
        }
    }

    async fn send(&self, message: &Message, limit: Duration) -> Result<AsyncSmtpConnection, Failure> {
        let hello = ClientId::Domain("runner".to_owned());
        let tls = || {
            http::use_ring();
            TlsParameters::builder(self.host.clone()).build_rustls()
        };
        let server = (self.host.trim_start_matches('[').trim_end_matches(']'), self.port);
        let mut connection = match self.encryption {
            // Who answers here has shown a certificate.
            Encryption::Implicit => {
                AsyncSmtpConnection::connect_tokio1(server, Some(limit), &hello, Some(tls()?), None).await?
            }
            Encryption::StartTls | Encryption::None => {
                let stream = TcpStream::connect(server).await.map_err(Failure::Connect)?;
                AsyncSmtpConnection::connect_with_transport(Box::new(Limited::new(stream)), &hello).await?
            }
        };
        if self.encryption == Encryption::StartTls {
            connection.starttls(tls()?, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        connection.send(message.envelope(), &message.formatted()).await?;
        Ok(connection)
    }

    fn message(&self, notice: &Notice) -> Result<Message, String> {
        let title = if notice.message.title.trim().is_empty() { &notice.occasion.event } else { &notice.message.title };
        // The same in every attempt, so that mail programs can tell a repetition.
        let id = format!("<{}@{}>", notice.key, self.from.email.domain());
        let key = HeaderName::new_from_ascii_str("X-Runner-Key");
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(clip::line(title, SUBJECT))
            .message_id(Some(id))
            .raw_header(HeaderValue::new(key, clip::line(&notice.key, SUBJECT)))
            .raw_header(HeaderValue::new(auto, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.body(body(notice)).map_err(|error| format!("the message can't be written: {error}"))
    }
}

/// The text part.
fn body(notice: &Notice) -> String {
    let mut body = String::new();
    let mut paragraph = |text: &str| {
        if !text.trim().is_empty() {
            body.push_str(text.trim_end());
            body.push_str("\n\n");
        }
    };
    paragraph(&notice.message.text);
    let fields: Vec<String> =
        notice.message.fields.iter().map(|field| format!("{}: {}", field.name, field.value)).collect();
    paragraph(&fields.join("\n"));
    let occasion = &notice.occasion;
    paragraph(&format!(
        "-- \n{} · {} · {} · {}",
        occasion.target, occasion.environment, occasion.event, notice.created_at
    ));
    body
}

fn shown(what: &str, error: &lettre::transport::smtp::Error) -> String {
    clip::line(&format!("{what}: {error}"), MOST_SAID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Field;
    use crate::notice::Occasion;
    use crate::notice::Severity;
    use crate::notice::Wording;

    fn settings() -> EmailSettings {
        EmailSettings {
            host: "127.0.0.1".to_owned(),
            port: None,
            encryption: Encryption::None,
            allows_plaintext: false,
            username: None,
            password: None,
            from: "runner <runner@example.org>".to_owned(),
            to: vec!["ops@example.org".to_owned()],
        }
    }

    #[test]
    fn wrong_settings_are_named() {
        let key = |change: fn(&mut EmailSettings)| {
            let mut settings = settings();
            change(&mut settings);
            Email::new(settings).err().map(|(key, _, _)| key)
        };
        assert_eq!(key(|_| ()), None);
        assert_eq!(key(|settings| settings.host = "mail.example.org".to_owned()), Some("tls"));
        assert_eq!(key(|settings| settings.host = String::new()), Some("host"));
        assert_eq!(key(|settings| settings.from = "nobody".to_owned()), Some("from"));
        assert_eq!(key(|settings| settings.to.push("a@b\r\nBcc: c@d".to_owned())), Some("to"));
        assert_eq!(key(|settings| settings.to.clear()), Some("to"));
        assert_eq!(key(|settings| settings.username = Some(Secret::new("a"))), Some("password"));
        assert_eq!(key(|settings| settings.password = Some(Secret::new("a"))), Some("username"));
    }

    #[test]
    fn headers_hold_no_lines_of_others() {
        let notice = Notice {
            key: "k1".to_owned(),
            created_at: "now".to_owned(),
            channel: "mail".to_owned(),
            message: Wording {
                severity: Severity::Info,
                title: "Done\r\nBcc: evil@example.com\r\n\r\nbody".to_owned(),
                text: "line one\nline two ü\n.\nQUIT".to_owned(),
                fields: vec![Field { name: "steps".to_owned(), value: "2".to_owned() }],
            },
            occasion: Occasion {
                event: "finished".to_owned(),
                details: serde_json::Map::new(),
                run_id: "r".to_owned(),
                operation: "upgrade".to_owned(),
                environment: "test".to_owned(),
                production: None,
                target: "sqlite://a.db".to_owned(),
                actor: "ann".to_owned(),
                host: "h".to_owned(),
                plan_hash: String::new(),
            },
        };
        let message = Email::new(settings()).unwrap().message(&notice).unwrap();
        let written = String::from_utf8(message.formatted()).unwrap();
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        assert!(head.contains("Message-ID: <k1@example.org>") && head.contains("X-Runner-Key: k1"), "{head}");
        assert_eq!(message.envelope().to().len(), 1);
    }
}
