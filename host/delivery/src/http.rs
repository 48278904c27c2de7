//! HTTP: one POST, limited in every way, and what its answer means.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::SystemTime;

use reqwest::Client;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header;
use reqwest::redirect;

use crate::attempt::Attempt;
use crate::backoff;
use crate::clip;
use crate::secret::Secret;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);
/// So much of an answer that says no is read, in bytes.
const MOST_READ: usize = 4 * 1024;
/// So often a receiver may send us on within itself.
const MOST_REDIRECTS: usize = 3;

/// Where to post to.
#[derive(Clone)]
pub(crate) struct Address(pub(crate) Url);

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Address(…)")
    }
}

impl Address {
    /// Reads an address. What is wrong with it is said without showing it.
    pub(crate) fn parse(text: &str, allows_plaintext: bool) -> Result<Self, (String, Option<String>)> {
        let url = Url::parse(text.trim()).map_err(|error| (format!("this is not a URL: {error}"), None))?;
        let Some(host) = url.host_str() else {
            return Err(("the URL names no host".to_owned(), None));
        };
        match url.scheme() {
            "https" => {}
            "http" if allows_plaintext || is_loopback(host) => {}
            "http" => {
                let help = "use `https://`, or `allow-plaintext = true` if the network between is trusted".to_owned();
                return Err((
                    "`http://` sends messages and tokens unencrypted to another machine".to_owned(),
                    Some(help),
                ));
            }
            other => return Err((format!("`{other}:` is neither `https:` nor `http:`"), None)),
        }
        Ok(Address(url))
    }
}

/// Whether a host can only be this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The client, made when it is needed for the first time.
fn client() -> Result<&'static Client, String> {
    static CLIENT: OnceLock<Result<Client, String>> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        use_ring();
        Client::builder()
            .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::custom(follow))
            .build()
            .map_err(|error| format!("HTTP can't be used: {}", chain(&error)))
    });
    made.as_ref().map_err(Clone::clone)
}

/// The whole binary uses one implementation of cryptography, that of the database drivers.
pub(crate) fn use_ring() {
    // Only the first call of a process counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A redirect is followed within the same scheme, host and port, and only if it keeps what is posted: another host would get
/// what is not meant for it, and a POST that has become a GET would look delivered.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let is_same_host = attempt.previous().last().is_some_and(|before| before.origin() == attempt.url().origin());
    let keeps_body = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if is_same_host && keeps_body && attempt.previous().len() <= MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Posts JSON. The limit covers everything from connecting to the end of the answer.
pub(crate) async fn post(address: &Address, headers: &[(String, Secret)], body: String, limit: Duration) -> Attempt {
    let client = match client() {
        Ok(client) => client,
        Err(why) => return Attempt::again(why),
    };
    let mut request = client.post(address.0.clone()).timeout(limit).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name.as_str(), value.reveal());
    }
    match request.body(body).send().await {
        Ok(response) => judge(response).await,
        Err(error) if error.is_builder() => Attempt::never(format!("the request can't be made: {}", chain(&error))),
        Err(error) if error.is_timeout() => Attempt::again(format!("no answer within {} s", seconds(limit))),
        Err(error) if error.is_connect() => Attempt::again(format!("can't connect: {}", innermost(&error))),
        Err(error) => Attempt::again(format!("the connection was cut off: {}", innermost(&error))),
    }
}

pub(crate) fn seconds(limit: Duration) -> String {
    let text = format!("{:.1}", limit.as_secs_f64());
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

async fn judge(response: Response) -> Attempt {
    let status = response.status();
    if status.is_success() {
        // What a receiver says to that is not read.
        return Attempt::Delivered;
    }
    if status.is_redirection() {
        return Attempt::never(format!(
            "the receiver redirects ({}), and no redirect is followed to another host or as another request; `url` must be the final address",
            status.as_u16()
        ));
    }
    let after = retry_after(&response);
    let said = beginning(response).await;
    let why = match said.as_str() {
        "" => format!("the receiver answered {status}"),
        said => format!("the receiver answered {status}: {said}"),
    };
    let may_work_later = status.is_server_error()
        || status.is_informational()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    if may_work_later { Attempt::Again { why, after } } else { Attempt::Never { why } }
}

/// How long the receiver wants to be left alone: seconds, or a date.
fn retry_after(response: &Response) -> Option<Duration> {
    if !matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(wait(text, SystemTime::now())?.min(backoff::LONGEST_ASKED))
}

fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(SystemTime::from(at).duration_since(now).unwrap_or_default())
}

/// The beginning of an answer, as one line. It is shortened when secrets are out of it: a part of one is not recognised.
async fn beginning(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < MOST_READ
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = MOST_READ - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    clip::line(&String::from_utf8_lossy(&read), MOST_READ)
}

/// An error with its causes, without the address.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = error.source();
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() { "unknown".to_owned() } else { clip::line(&text, MOST_READ) }
}

/// The cause that all others only repeat.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    let mut text = "unknown".to_owned();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    clip::line(&text, MOST_READ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(wait(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("soon", now), None);
        assert_eq!(wait("-1", now), None);
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for address in ["https://h.example/x", "http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"] {
            assert!(Address::parse(address, false).is_ok(), "{address}");
        }
        for address in
            ["http://h.example/secret", "http://127.0.0.1.h.example/", "ftp://h/secret", "secret", "https:///"]
        {
            let (message, _) = Address::parse(address, false).unwrap_err();
            assert!(!message.contains("secret"), "{message}");
        }
        assert!(Address::parse("http://h.example/", true).is_ok());
    }
}
