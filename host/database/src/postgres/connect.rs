//! The parameters of a URL, and connecting with them.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgRow;
use sqlx::postgres::PgSslMode;

use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::url::DatabaseUrl;
use crate::url::ServerAddress;

use super::failures;
use super::link::Link;
use super::link::ServerProcess;
use super::literal::identifier;

/// How long connecting may take unless `connect_timeout` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const PARAMETERS: [&str; 15] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "schema",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// Other spellings, as the driver's own URLs have them.
const ALIASES: [(&str, &str); 5] = [
    ("ssl-ca", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
    ("ssl-mode", "sslmode"),
    ("ssl-root-cert", "sslrootcert"),
];

/// What URLs of other programs say, and makes no difference here, with the values that make none; no value: all.
const INDIFFERENT: [(&str, &[&str]); 13] = [
    ("channel_binding", &["disable", "prefer"]),
    ("client_encoding", &["auto", "utf8", "UTF8", "utf-8", "UTF-8"]),
    ("fallback_application_name", &[]),
    ("gssencmode", &["disable", "prefer"]),
    ("keepalives", &[]),
    ("keepalives_count", &[]),
    ("keepalives_idle", &[]),
    ("keepalives_interval", &[]),
    ("sslcompression", &["0"]),
    ("sslnegotiation", &["postgres"]),
    ("sslsni", &["1"]),
    ("statement-cache-capacity", &[]),
    ("tcp_user_timeout", &[]),
];

/// Everything that is needed to connect, as often as that is necessary. It holds a password and is never shown.
#[derive(Clone)]
pub(super) struct Settings {
    /// The URL as shown.
    pub(super) target: String,
    /// The schema that the URL names.
    pub(super) schema: Option<String>,
    /// Whether the server must accept writes even for reading.
    pub(super) needs_primary: bool,
    /// Whether the server can look after its client while a statement runs.
    pub(super) can_miss_client: bool,
    options: PgConnectOptions,
    connect_timeout: Option<Duration>,
    lock_timeout: Option<Duration>,
    statement_timeout: Option<Duration>,
}

/// The values of the parameters, those after `?` before those in front of it.
struct Parameters<'a>(&'a ServerAddress);

impl Parameters<'_> {
    /// The last value that is not empty, as in libpq.
    fn get(&self, name: &str) -> Option<&str> {
        let mut given = self.0.parameters.iter().rev();
        let given = given.find(|(key, value)| canonical(key) == name && !value.reveal().is_empty());
        given.map(|(_, value)| value.reveal())
    }

    /// The command-line options for the session: `options`, then each `options[name]`, the driver's spelling of one of them.
    fn options(&self) -> Option<String> {
        let single = self.0.parameters.iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("options[")?.strip_suffix(']')?;
            let escape = |character: char| {
                let backslash = (character == '\\' || character.is_ascii_whitespace()).then_some('\\');
                backslash.into_iter().chain([character])
            };
            Some(format!("-c {name}={}", value.reveal().chars().flat_map(escape).collect::<String>()))
        });
        let all: Vec<String> = self.get("options").map(str::to_owned).into_iter().chain(single).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// What the server's own programs are told of a URL, as variables of libpq.
pub(crate) fn environment(address: &ServerAddress) -> Vec<(&'static str, String)> {
    let given = Parameters(address);
    let parameter = |name: &str| given.get(name).map(str::to_owned);
    let all = [
        ("PGHOST", parameter("host").or_else(|| address.host.clone())),
        ("PGHOSTADDR", parameter("hostaddr")),
        ("PGPORT", parameter("port").or_else(|| address.port.map(|port| port.to_string()))),
        ("PGUSER", parameter("user").or_else(|| address.user.clone())),
        (
            "PGPASSWORD",
            parameter("password").or_else(|| address.password.as_ref().map(|word| word.reveal().to_owned())),
        ),
        ("PGDATABASE", parameter("dbname").or_else(|| address.database.clone())),
        ("PGSSLMODE", parameter("sslmode")),
        ("PGSSLROOTCERT", parameter("sslrootcert")),
        ("PGSSLCERT", parameter("sslcert")),
        ("PGSSLKEY", parameter("sslkey")),
        ("PGCONNECT_TIMEOUT", parameter("connect_timeout")),
        ("PGOPTIONS", given.options()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn invalid(message: String) -> Error {
    Error::InvalidOption { option: "url", message }
}

fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, canonical)| canonical)
}

fn check_names(address: &ServerAddress) -> Result<()> {
    for (key, value) in &address.parameters {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
        };
        let is_option = key.strip_prefix("options[").and_then(|name| name.strip_suffix(']')).is_some_and(is_name);
        if is_option || PARAMETERS.contains(&canonical(key)) {
            continue;
        }
        if let Some((_, values)) = INDIFFERENT.iter().find(|(name, _)| name == key) {
            if values.is_empty() || values.contains(&value.reveal()) {
                continue;
            }
            let only = values.join("` or `");
            let help = match key.as_str() {
                "channel_binding" => "; `sslmode=verify-full` proves who the server is",
                _ => "",
            };
            return Err(invalid(format!("`{key}` can only be `{only}` here{help}")));
        }
        let nearest = PARAMETERS.iter().min_by_key(|name| strsim::damerau_levenshtein(name, key));
        let nearest = nearest.filter(|name| strsim::damerau_levenshtein(name, key) <= 3);
        let help = match nearest {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("leave it out, or use one of `{}`", PARAMETERS.join("`, `")),
        };
        return Err(invalid(format!("unknown parameter `{}`: {help}", key.escape_debug())));
    }
    Ok(())
}

impl Settings {
    pub(super) fn new(url: &DatabaseUrl, address: &ServerAddress, options: &Options) -> Result<Self> {
        check_names(address)?;
        let given = Parameters(address);
        let needs_primary = match given.get("target_session_attrs") {
            None | Some("any") => false,
            Some("read-write") => true,
            Some(_) => return Err(invalid("`target_session_attrs` must be `any` or `read-write`".to_owned())),
        };
        Ok(Self {
            target: url.to_string(),
            schema: given.get("schema").map(str::to_owned),
            needs_primary,
            can_miss_client: false,
            options: connect_options(address)?,
            connect_timeout: connect_timeout(&given)?,
            lock_timeout: options.lock_timeout,
            statement_timeout: options.statement_timeout,
        })
    }

    /// Where the server is, without secrets.
    pub(super) fn place(&self) -> String {
        let options = &self.options;
        let socket = options.get_socket().map(|folder| folder.display().to_string());
        let host = socket.unwrap_or_else(|| options.get_host().to_ascii_lowercase());
        format!("postgres://{host}:{}", options.get_port())
    }

    /// Connects, and asks which process of the server answers.
    pub(super) async fn connect(&self, application_name: Option<&str>) -> Result<Link> {
        let asked = self.connect_asking(application_name, &ServerProcess::question("")).await?;
        Ok(asked.0)
    }

    /// Connects, and asks something in whose first columns the process of the server answers; see [`ServerProcess`].
    pub(super) async fn connect_asking(&self, application_name: Option<&str>, sql: &str) -> Result<(Link, PgRow)> {
        let mut options = self.options.clone();
        if let Some(name) = application_name {
            options = options.application_name(name);
        }
        let explain = |error: &sqlx::Error| failures::explain_connect(error, &self.target);
        let work = async {
            let mut link = Link::new(options.connect().await?);
            let row = link.row(sql.to_owned()).await?;
            link.backend = ServerProcess::of(&row)?;
            Ok((link, row))
        };
        match self.connect_timeout {
            None => work.await.map_err(|error| explain(&error)),
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(result) => result.map_err(|error| explain(&error)),
                Err(_) => Err(Error::Connect {
                    target: self.target.clone(),
                    message: format!("no answer within {} s", limit.as_secs()),
                    hint: "check host and port, and that no firewall is in between; `connect_timeout` in the URL allows more"
                        .to_owned(),
                    is_transient: true,
                }),
            },
        }
    }

    /// What the URL sets in every session, by `options`, in order.
    pub(super) fn session_options(&self) -> Result<Vec<(String, String)>> {
        let text = self.options.get_options().unwrap_or_default();
        let mut words = vec![String::new()];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match (letter, words.last_mut()) {
                ('\\', Some(word)) => word.extend(letters.next()),
                (' ', _) => words.push(String::new()),
                (letter, Some(word)) => word.push(letter),
                (_, None) => {}
            }
        }
        let mut settings = Vec::new();
        let mut words = words.into_iter().filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let setting = match word.strip_prefix("-c") {
                Some("") => words.next(),
                Some(setting) => Some(setting.to_owned()),
                None => word.strip_prefix("--").map(str::to_owned),
            };
            match setting.as_deref().and_then(|setting| setting.split_once('=')) {
                Some((name, value)) => settings.push((name.replace('-', "_"), value.to_owned())),
                None => return Err(invalid(format!("`{word}` in `options` can't be written as a statement"))),
            }
        }
        Ok(settings)
    }

    /// What distinguishes a session that runs revisions from a fresh one.
    pub(super) fn of_working_session(&self) -> String {
        // The scripts were cut into statements by this rule.
        let mut sql = "SET standard_conforming_strings = on".to_owned();
        if let Some(schema) = &self.schema {
            sql.push_str(&format!("; SET search_path TO {}", identifier(schema)));
        }
        if self.can_miss_client {
            // The statement of a runner that died ends soon, rather than in hours.
            sql.push_str("; SET client_connection_check_interval = '1s'");
        }
        for (name, limit) in [("lock_timeout", self.lock_timeout), ("statement_timeout", self.statement_timeout)] {
            if let Some(limit) = limit {
                sql.push_str(&format!("; SET {name} = {}", limit.as_millis().min(i32::MAX.unsigned_abs().into())));
            }
        }
        sql
    }

    /// Asks the server to stop what another of its processes does.
    pub(super) async fn stop(&self, process: &ServerProcess) {
        let sql = format!(
            "SELECT pg_catalog.pg_cancel_backend(pid)::text FROM pg_catalog.pg_stat_activity WHERE {}",
            process.condition()
        );
        let asked = async {
            let mut link = self.connect(Some("runner stop")).await?;
            link.execute(sql).await.map_err(|error| failures::translate(&error, 0))?;
            link.close().await.map_err(|error| failures::translate(&error, 0))
        };
        if let Err(error) = asked.await {
            tracing::debug!(%error, "the running statement could not be stopped");
        }
    }
}

/// Defaults, variables and password files are the driver's business, which takes a URL alone for some of it; so a plain one
/// is written.
fn connect_options(address: &ServerAddress) -> Result<PgConnectOptions> {
    let given = Parameters(address);
    let host = given.get("host").or(address.host.as_deref());
    let host_address = given.get("hostaddr");
    if host.is_some_and(|host| host.contains(',')) {
        return Err(invalid("`host` names several hosts: name the one that accepts writes".to_owned()));
    }
    if host_address.is_some_and(|text| text.parse::<std::net::IpAddr>().is_err()) {
        return Err(invalid("`hostaddr` is not an IP address".to_owned()));
    }
    let port = address.port.map(|port| port.to_string());
    let port = given.get("port").map(str::to_owned).or(port);
    if port.as_ref().is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err(invalid("`port` is not a number from 1 to 65535".to_owned()));
    }
    let password = given.get("password").or_else(|| Some(address.password.as_ref()?.reveal()));
    let session_options = given.options();
    let values = [
        ("host", host_address.or(host)),
        ("port", port.as_deref()),
        ("user", given.get("user").or(address.user.as_deref())),
        ("password", password),
        ("dbname", given.get("dbname").or(address.database.as_deref())),
        ("application_name", given.get("application_name")),
        ("options", session_options.as_deref()),
    ];
    let query: Vec<String> =
        values.iter().filter_map(|(name, value)| Some(format!("{name}={}", percent_encode((*value)?)))).collect();
    let text = format!("postgres:///?{}", query.join("&"));
    // What the driver says of it could repeat a secret.
    let options = PgConnectOptions::from_str(&text).map_err(|_| invalid("it cannot be understood".to_owned()))?;
    let options = encrypt(options, &given, host_address.is_some() && host.is_some())?;
    let is_named = options.get_application_name().is_some_and(|name| !name.is_empty());
    let options = if is_named { options } else { options.application_name("runner") };
    // A pooler may refuse what it does not know.
    Ok(options.extra_float_digits(None).statement_cache_capacity(0).disable_statement_logging())
}

/// Sets how the connection is encrypted, by libpq's rules where the driver's are weaker.
fn encrypt(mut options: PgConnectOptions, given: &Parameters<'_>, is_elsewhere: bool) -> Result<PgConnectOptions> {
    let variable = std::env::var("PGSSLMODE").ok().filter(|mode| !mode.is_empty());
    let mode = given.get("sslmode").map(str::to_owned).or(variable);
    let mode = match mode.map(|mode| mode.parse::<PgSslMode>()) {
        None => None,
        Some(Ok(mode)) => Some(mode),
        Some(Err(_)) => {
            let modes = "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`";
            return Err(invalid(format!("`sslmode` must be {modes}")));
        }
    };
    let root = given.get("sslrootcert");
    let has_root = root.is_some_and(|root| root != "system") || std::env::var_os("PGSSLROOTCERT").is_some();
    let mode = match mode {
        None if root == Some("system") => PgSslMode::VerifyFull,
        None => PgSslMode::Prefer,
        // The driver does not encrypt here even if the server asks for it.
        Some(PgSslMode::Allow) => PgSslMode::Prefer,
        // libpq checks the certificate if it is told by which one.
        Some(PgSslMode::Require) if has_root => PgSslMode::VerifyCa,
        Some(mode) => mode,
    };
    if is_elsewhere && matches!(mode, PgSslMode::VerifyFull) {
        return Err(invalid("`sslmode=verify-full` needs the host's name alone: leave `hostaddr` out".to_owned()));
    }
    for name in ["sslrootcert", "sslcert", "sslkey"] {
        // Missing, it would look as if the server was.
        if let Some(file) = given.get(name).filter(|file| *file != "system")
            && let Err(error) = std::fs::File::open(file)
        {
            return Err(invalid(format!("`{name}` names a file that cannot be read: {error}")));
        }
    }
    options = options.ssl_mode(mode);
    if let Some(root) = root.filter(|root| *root != "system") {
        options = options.ssl_root_cert(root);
    }
    if let Some(certificate) = given.get("sslcert") {
        options = options.ssl_client_cert(certificate);
    }
    if let Some(key) = given.get("sslkey") {
        options = options.ssl_client_key(key);
    }
    Ok(options)
}

fn connect_timeout(given: &Parameters<'_>) -> Result<Option<Duration>> {
    let variable = std::env::var("PGCONNECT_TIMEOUT").ok();
    match given.get("connect_timeout").or(variable.as_deref()).map(str::parse::<i32>) {
        None => Ok(Some(CONNECT_TIMEOUT)),
        // Zero and less mean no limit in libpq.
        Some(Ok(seconds)) => Ok(u64::try_from(seconds).ok().filter(|limit| *limit > 0).map(Duration::from_secs)),
        Some(Err(_)) => Err(invalid("`connect_timeout` is not a number of seconds".to_owned())),
    }
}

fn percent_encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(text: &str) -> Result<Settings> {
        let url = DatabaseUrl::parse(text, Path::new("/nowhere")).unwrap();
        Settings::new(&url, url.server().unwrap(), &Options::default())
    }

    #[test]
    fn parameters_take_the_place_of_what_stands_before_them() {
        let settings = settings(
            "postgres://u:p%40x@a:1/d?host=b&port=2&user=v&dbname=e&application_name=n&options=-c%20work_mem=1MB&schema=s%22t",
        )
        .unwrap();
        let options = &settings.options;
        assert_eq!((options.get_host(), options.get_port()), ("b", 2));
        assert_eq!((options.get_username(), options.get_database()), ("v", Some("e")));
        assert_eq!((options.get_application_name(), options.get_options()), (Some("n"), Some("-c work_mem=1MB")));
        assert!(settings.of_working_session().ends_with("SET search_path TO \"s\"\"t\""));
        assert_eq!(settings.place(), "postgres://b:2");
    }

    #[test]
    fn urls_of_other_programs_work() {
        let read = settings(
            "postgres://u@h/d?ssl-mode=require&channel_binding=prefer&keepalives=1&statement-cache-capacity=0\
             &options[work_mem]=1%20MB&options=-c%20jit=off",
        );
        let options = read.unwrap().options;
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
        assert_eq!(options.get_options(), Some("-c jit=off -c work_mem=1\\ MB"));
        let set = settings("postgres://u@h/d?options[work_mem]=1%20MB&options=-c%20jit=off").unwrap().session_options();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(set.unwrap(), [pair("jit", "off"), pair("work_mem", "1 MB")]);
        assert!(settings("postgres://u@h/d?options[x=1").is_err());
    }

    #[test]
    fn sockets_and_addresses() {
        let place = |text| settings(text).unwrap().place();
        assert_eq!(place("postgres:///d?host=/run/x&port=7"), "postgres:///run/x:7");
        assert_eq!(place("postgres://%2Frun%2Fx/d"), "postgres:///run/x:5432");
        assert_eq!(place("postgres://name/d?hostaddr=10.0.0.1"), "postgres://10.0.0.1:5432");
        assert_eq!(place("postgres://[::1]:7/d"), "postgres://::1:7");
    }

    #[test]
    fn encryption_is_never_weaker_than_with_libpq() {
        let mode = |text| format!("{:?}", settings(text).unwrap().options.get_ssl_mode());
        assert_eq!(mode("postgres://h/d"), "Prefer");
        assert_eq!(mode("postgres://h/d?sslmode=allow"), "Prefer");
        assert_eq!(mode("postgres://h/d?sslmode=require"), "Require");
        assert_eq!(mode("postgres://h/d?sslmode=require&sslrootcert=/dev/null"), "VerifyCa");
        assert_eq!(mode("postgres://h/d?sslrootcert=system"), "VerifyFull");
        assert_eq!(mode("postgres://h/d?sslmode=disable"), "Disable");
    }

    #[test]
    fn mistakes_say_what_to_write_and_show_no_secret() {
        let message = |text| settings(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            message("postgres://h/d?sslmod=hunter2"),
            "invalid `url`: unknown parameter `sslmod`: did you mean `sslmode`?"
        );
        assert_eq!(
            message("postgres://h/d?shema=hunter2"),
            "invalid `url`: unknown parameter `shema`: did you mean `schema`?"
        );
        assert!(message("postgres://h/d?requiressl=hunter2").contains("leave it out, or use one of"));
        for text in [
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:hunter2@h/d?target_session_attrs=hunter2",
            "postgres://u:hunter2@h/d?connect_timeout=hunter2",
            "postgres://u:hunter2@h/d?port=hunter2",
            "postgres://u:hunter2@h/d?channel_binding=hunter2",
            "postgres://u:hunter2@h/d?host=a,b",
            "postgres://u:hunter2@h/d?sslkey=/nowhere/hunter2",
            "postgres://u:hunter2@h/d?hostaddr=hunter2",
            "postgres://u:hunter2@h/d?hostaddr=10.0.0.1&sslmode=verify-full",
        ] {
            let message = message(text);
            assert!(message.starts_with("invalid `url`: `") && !message.contains("hunter2"), "{message}");
        }
    }
}
