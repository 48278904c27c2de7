//! How a server is reached, and with which settings a session begins.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::mysql::MySqlConnection;
use sqlx::mysql::MySqlSslMode;

use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::session::Access;
use crate::url::DatabaseUrl;
use crate::url::ServerAddress;

use super::failures;

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// The parameters of the URL, which may also be written with `_`.
const PARAMETERS: [&str; 8] =
    ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "charset", "collation", "socket", "timezone"];

/// What is needed to connect once more. Not `Debug`: the driver's options show the password.
#[derive(Clone)]
pub(super) struct Settings {
    connect: MySqlConnectOptions,
    /// The database as the URL names it.
    pub(super) database: String,
    /// The URL without secrets.
    pub(super) target: String,
    /// What the URL sets in every session, as a statement.
    pub(super) session: String,
    pub(super) access: Access,
    pub(super) lock_timeout: Option<Duration>,
    pub(super) statement_timeout: Option<Duration>,
}

impl Settings {
    pub(super) fn new(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Self> {
        let Some(address) = url.server() else {
            return Err(Error::Unsupported { dialect: url.dialect() });
        };
        let target = url.to_string();
        let refuse = |message: String, hint: String| Error::InvalidOption {
            option: "url",
            message: format!("{message}: {hint}"),
        };
        let Some(database) = address.database.clone() else {
            let hint = "put its name behind the host: `mysql://user@host:3306/database`".to_owned();
            return Err(refuse("the URL names no database".to_owned(), hint));
        };
        let connect = connect_options(address, &database).map_err(|(message, hint)| refuse(message, hint))?;
        Ok(Self {
            connect,
            session: session(address),
            database,
            access,
            lock_timeout: options.lock_timeout,
            statement_timeout: options.statement_timeout,
            target,
        })
    }

    pub(super) async fn connect(&self) -> Result<MySqlConnection> {
        match tokio::time::timeout(PATIENCE, self.connect.connect()).await {
            Ok(connected) => connected.map_err(|error| failures::explain_connect(&error, &self.target, &self.database)),
            Err(_) => Err(Error::Connect {
                target: self.target.clone(),
                message: format!("the server did not answer within {} s", PATIENCE.as_secs()),
                hint: "check host and port in the URL, and firewalls on the way".to_owned(),
                is_transient: true,
            }),
        }
    }

    /// What a session that holds the lock is told about waiting, as one statement; `None` if there is nothing to say.
    pub(super) fn timeouts(&self, is_mariadb: bool) -> Option<String> {
        let mut settings = Vec::new();
        if let Some(wait) = self.lock_timeout {
            // Both count whole seconds, and the least is one.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).clamp(1, 31_536_000);
            settings.push(format!("innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds}"));
        }
        if let Some(longest) = self.statement_timeout {
            let milliseconds = longest.as_millis().clamp(1, u128::from(u32::MAX));
            settings.push(if is_mariadb {
                format!("max_statement_time = {}.{:03}", milliseconds / 1000, milliseconds % 1000)
            } else {
                format!("max_execution_time = {milliseconds}")
            });
        }
        (!settings.is_empty()).then(|| format!("SET SESSION {}", settings.join(", SESSION ")))
    }
}

/// What the server's own programs are told of a URL, as a file of options.
pub(crate) fn option_file(address: &ServerAddress) -> String {
    let given = |names: &[&str]| {
        let named = |(key, _): &&(String, crate::url::Secret)| names.contains(&key.replace('_', "-").as_str());
        address.parameters.iter().rev().find(named).map(|(_, value)| value.reveal().to_owned())
    };
    let socket = given(&["socket", "unix-socket"]);
    let mode = given(&["ssl-mode", "sslmode"]).map(|mode| mode.to_ascii_uppercase().replace('-', "_"));
    let options = [
        ("user", address.user.clone()),
        ("password", address.password.as_ref().map(|password| password.reveal().to_owned())),
        ("host", address.host.clone()),
        ("port", address.port.map(|port| port.to_string())),
        // They take `localhost` for a socket, and the URL for what it says.
        ("protocol", Some(if socket.is_some() { "socket" } else { "tcp" }.to_owned())),
        ("socket", socket),
        ("ssl-ca", given(&["ssl-ca", "sslca"])),
        ("ssl-cert", given(&["ssl-cert", "sslcert"])),
        ("ssl-key", given(&["ssl-key", "sslkey"])),
        ("loose-ssl-mode", mode.clone()),
        ("default-character-set", Some("utf8mb4".to_owned())),
    ];
    let mut text = "[client]\n".to_owned();
    for (name, value) in options.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        text.push_str(&format!("{name}=\"{escaped}\"\n"));
    }
    // Programs of MariaDB know no modes.
    text.push_str(match mode.as_deref() {
        Some("DISABLED") => "loose-skip-ssl\n",
        Some("VERIFY_CA" | "VERIFY_IDENTITY") => "loose-ssl\nloose-ssl-verify-server-cert\n",
        Some("REQUIRED") => "loose-ssl\nloose-disable-ssl-verify-server-cert\n",
        _ => "loose-disable-ssl-verify-server-cert\n",
    });
    text
}

/// What the driver says first in a session, for whoever comes without it. The values were checked.
fn session(address: &ServerAddress) -> String {
    let given = |names: &[&str]| {
        let named = |(key, _): &&(String, crate::url::Secret)| names.contains(&key.replace('_', "-").as_str());
        address.parameters.iter().rev().find(named).map(|(_, value)| value.reveal())
    };
    let collation = given(&["collation"]).map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
    let zone = given(&["timezone", "time-zone"]).map_or_else(String::new, |zone| format!(", time_zone = '{zone}'"));
    format!("SET NAMES {}{collation}{zone}", given(&["charset"]).unwrap_or("utf8mb4"))
}

/// Where and how to connect; otherwise what is wrong, and what to write instead. Nothing is set on the server but the
/// character set, so that scripts run as they do in the `mysql` client.
fn connect_options(
    address: &ServerAddress,
    database: &str,
) -> std::result::Result<MySqlConnectOptions, (String, String)> {
    let mut options = MySqlConnectOptions::new()
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .statement_cache_capacity(0)
        .database(database)
        .disable_statement_logging();
    if let Some(host) = &address.host {
        options = options.host(host);
    }
    if let Some(port) = address.port {
        options = options.port(port);
    }
    if let Some(user) = &address.user {
        options = options.username(user);
    }
    if let Some(password) = &address.password {
        options = options.password(password.reveal());
    }
    for (key, value) in &address.parameters {
        options = with_parameter(options, key, value.reveal())?;
    }
    Ok(options)
}

fn with_parameter(
    options: MySqlConnectOptions,
    key: &str,
    value: &str,
) -> std::result::Result<MySqlConnectOptions, (String, String)> {
    let plain = |extra: &str| {
        !value.is_empty() && value.chars().all(|letter| letter.is_ascii_alphanumeric() || extra.contains(letter))
    };
    Ok(match key.replace('_', "-").as_str() {
        "ssl-mode" | "sslmode" => options.ssl_mode(ssl_mode(value)?),
        "ssl-ca" | "sslca" => options.ssl_ca(value),
        "ssl-cert" | "sslcert" => options.ssl_client_cert(value),
        "ssl-key" | "sslkey" => options.ssl_client_key(value),
        // Nothing is prepared, so nothing is kept.
        "statement-cache-capacity" => options,
        "charset" if ["utf8mb4", "utf8", "utf8mb3"].iter().any(|known| value.eq_ignore_ascii_case(known)) => {
            options.charset(value)
        }
        "charset" => {
            return Err((
                "revisions are UTF-8, so the connection's `charset` must be too".to_owned(),
                "leave `charset` out: it is `utf8mb4`".to_owned(),
            ));
        }
        "collation" if plain("_") => options.collation(value),
        "timezone" | "time-zone" if plain("+-:/_") => options.timezone(value.to_owned()),
        name @ ("collation" | "timezone" | "time-zone") => {
            return Err((
                format!("the value of `{name}` in the URL cannot be one"),
                "write for example `collation=utf8mb4_bin` or `timezone=%2B00:00`".to_owned(),
            ));
        }
        "socket" | "unix-socket" => options.socket(value),
        unknown => {
            let nearest = PARAMETERS
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, unknown), known))
                .min()
                .filter(|(distance, _)| *distance <= 3);
            let hint = match nearest {
                Some((_, known)) => format!("did you mean `{known}`?"),
                None => format!("use one of `{}`", PARAMETERS.join("`, `")),
            };
            return Err((format!("unknown parameter `{key}` in the URL"), hint));
        }
    })
}

fn ssl_mode(value: &str) -> std::result::Result<MySqlSslMode, (String, String)> {
    Ok(match value.to_ascii_lowercase().replace('-', "_").as_str() {
        "disabled" => MySqlSslMode::Disabled,
        "preferred" => MySqlSslMode::Preferred,
        "required" => MySqlSslMode::Required,
        "verify_ca" => MySqlSslMode::VerifyCa,
        "verify_identity" => MySqlSslMode::VerifyIdentity,
        _ => {
            return Err((
                "unknown value of `ssl-mode` in the URL".to_owned(),
                "use one of `disabled`, `preferred`, `required`, `verify_ca` and `verify_identity`".to_owned(),
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(url: &str) -> Result<Settings> {
        let url = DatabaseUrl::parse(url, Path::new("/")).unwrap();
        Settings::new(&url, &Options::default(), Access::Read)
    }

    fn hint(url: &str) -> String {
        let Err(Error::InvalidOption { option: "url", message }) = settings(url) else { panic!("{url}") };
        message
    }

    #[test]
    fn parameters_are_taken_in_both_spellings() {
        let read = settings("mariadb://me:pw@h:3307/app?ssl_mode=VERIFY_CA&ssl-ca=/ca.pem&timezone=%2B02:00").unwrap();
        assert!(matches!(read.connect.get_ssl_mode(), MySqlSslMode::VerifyCa));
        assert_eq!((read.connect.get_host(), read.connect.get_port()), ("h", 3307));
        let read = settings("mysql://me@h/app?sslmode=disabled&statement-cache-capacity=9&time-zone=%2B02:00").unwrap();
        assert!(matches!(read.connect.get_ssl_mode(), MySqlSslMode::Disabled));
        let read = settings("mysql://me@/app?socket=/run/mysqld/mysqld.sock&charset=utf8").unwrap();
        assert_eq!(read.connect.get_socket().unwrap(), Path::new("/run/mysqld/mysqld.sock"));
        assert_eq!(read.connect.get_charset(), "utf8");
    }

    #[test]
    fn mistakes_in_the_url_say_what_to_write() {
        assert!(hint("mysql://me@h").starts_with("the URL names no database"));
        assert!(hint("mysql://me@h/app?ssl-mod=disabled").ends_with("did you mean `ssl-mode`?"));
        assert!(hint("mysql://me@h/app?max-connections=1").contains("`ssl-ca`, `ssl-cert`"));
        assert!(hint("mysql://me@h/app?ssl-mode=on").contains("`verify_ca`"));
        assert!(hint("mysql://me@h/app?charset=latin1").contains("UTF-8"));
        assert!(hint("mysql://me@h/app?collation=a%27b").contains("collation=utf8mb4_bin"));
    }

    #[test]
    fn timeouts_are_given_in_the_units_of_each_server() {
        let mut settings = settings("mysql://me@h/app").unwrap();
        assert_eq!(settings.timeouts(true), None);
        settings.lock_timeout = Some(Duration::from_millis(200));
        settings.statement_timeout = Some(Duration::from_millis(1500));
        assert_eq!(
            settings.timeouts(true).unwrap(),
            "SET SESSION innodb_lock_wait_timeout = 1, SESSION lock_wait_timeout = 1, SESSION max_statement_time = 1.500"
        );
        assert!(settings.timeouts(false).unwrap().ends_with("SESSION max_execution_time = 1500"));
    }
}
