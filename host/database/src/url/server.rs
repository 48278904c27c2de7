//! The address of a database server, taken apart. What the parameters mean is the dialect's business.

use std::fmt;

use runner_chain::Dialect;

use super::DatabaseUrl;
use super::UrlError;
use super::percent_decode;

const SECRET_PARAMETERS: [&str; 5] = ["password", "pwd", "secret", "token", "key"];

/// A password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Where a server is and who wants in, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerAddress {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// A name, an address without brackets, or the folder of a Unix socket.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    /// What follows `?`, in order; values may be secrets.
    pub(crate) parameters: Vec<(String, Secret)>,
}

pub(super) fn parse(dialect: Dialect, scheme: &str, rest: &str, default_port: u16) -> Result<DatabaseUrl, UrlError> {
    let example = format!("write `{scheme}://user@host:{default_port}/database`");
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(UrlError::new(format!("`{scheme}:` must be followed by `//`"), example));
    };
    // A password that was not percent-encoded may hold any of `@ / ? :`, so the user part ends at the very last `@`.
    let (credentials, address) = match rest.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials), address),
        None => (None, rest),
    };
    let (location, query) = address.split_once('?').map_or((address, None), |(head, query)| (head, Some(query)));
    let (authority, database) = location.split_once('/').unwrap_or((location, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_none() && authority.contains(':') && !(authority.starts_with('[') && authority.ends_with(']')) {
        return Err(UrlError::new("the port in the URL is not a number", example));
    }
    if host.contains(',') {
        return Err(UrlError::new("the URL names several hosts", "name the one that accepts writes"));
    }
    let port = match port.map(str::parse::<u16>) {
        Some(Err(_)) => return Err(UrlError::new("the port in the URL is larger than 65535", example)),
        Some(Ok(port)) => Some(port),
        None => None,
    };
    let (user, password) = match credentials.map(|text| text.split_once(':').unwrap_or((text, ""))) {
        Some((user, password)) => (given(user)?, given(password)?.map(Secret)),
        None => (None, None),
    };
    let address = ServerAddress {
        user,
        password,
        host: given(host.trim_start_matches('[').trim_end_matches(']'))?,
        port,
        database: given(database)?,
        parameters: parameters(query.unwrap_or_default())?,
    };
    let identity = identity(scheme, &address, default_port);
    let shown_user = credentials.map_or_else(String::new, |credentials| match credentials.split_once(':') {
        Some((name, _)) => format!("{name}:***@"),
        None => format!("{credentials}@"),
    });
    let shown_query = query.map_or_else(String::new, |query| format!("?{}", mask_parameters(query)));
    let shown = format!("{scheme}://{shown_user}{location}{shown_query}");
    Ok(DatabaseUrl { dialect, shown, identity, sqlite: None, server: Some(address) })
}

impl ServerAddress {
    /// The database, wherever in the URL it stands.
    pub(super) fn database(&self) -> Option<&str> {
        let given = |(key, value): &&(String, Secret)| key == "dbname" && !value.reveal().is_empty();
        let parameter = self.parameters.iter().rev().find(given).map(|(_, value)| value.reveal());
        parameter.or(self.database.as_deref())
    }
}

/// The same server with another database, shown without user and parameters.
pub(super) fn with_database(url: &DatabaseUrl, address: &ServerAddress, name: &str) -> DatabaseUrl {
    let mut address = address.clone();
    address.database = Some(name.to_owned());
    address.parameters.retain(|(key, _)| key != "dbname");
    let (place, parameters) =
        url.identity.split_once('?').map_or((url.identity.as_str(), ""), |(place, rest)| (place, rest));
    let server = place.rsplit_once('/').map_or(place, |(server, _)| server);
    let mark = if parameters.is_empty() { "" } else { "?" };
    let identity = format!("{server}/{name}{mark}{parameters}");
    DatabaseUrl { dialect: url.dialect, shown: identity.clone(), identity, sqlite: None, server: Some(address) }
}

/// Stable, and free of secrets: host, port, database and schema, wherever in the URL they stand.
fn identity(scheme: &str, address: &ServerAddress, default_port: u16) -> String {
    // As for connecting: a parameter takes the place of what stands before it, and the last of several counts.
    let parameter = |names: &[&str]| {
        let given = |(key, value): &&(String, Secret)| names.contains(&key.as_str()) && !value.reveal().is_empty();
        address.parameters.iter().rev().find(given).map(|(_, value)| value.reveal().to_owned())
    };
    let host = parameter(&["hostaddr"]).or_else(|| parameter(&["host", "socket", "unix-socket", "unix_socket"]));
    let host = host.or_else(|| address.host.clone());
    let host = host.map_or_else(|| "localhost".to_owned(), |host| host.to_ascii_lowercase());
    let port = parameter(&["port"]).or_else(|| address.port.map(|port| port.to_string()));
    let port = port.unwrap_or_else(|| default_port.to_string());
    let database = parameter(&["dbname"]).or_else(|| address.database.clone()).unwrap_or_default();
    // Two schemas of one database are two targets.
    let schema = parameter(&["schema"]).map_or_else(String::new, |schema| format!("?schema={schema}"));
    format!("{scheme}://{host}:{port}/{database}{schema}")
}

fn given(text: &str) -> Result<Option<String>, UrlError> {
    Ok(Some(percent_decode(text)?).filter(|text| !text.is_empty()))
}

fn parameters(query: &str) -> Result<Vec<(String, Secret)>, UrlError> {
    let each = query.split('&').filter(|parameter| !parameter.is_empty());
    each.map(|parameter| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        Ok((percent_decode(key)?, Secret(percent_decode(value)?)))
    })
    .collect()
}

fn is_secret(key: &str) -> bool {
    let key = percent_decode(key).unwrap_or_default().to_ascii_lowercase();
    SECRET_PARAMETERS.iter().any(|secret| key.contains(secret))
}

fn mask_parameters(query: &str) -> String {
    let masked = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((key, _)) if is_secret(key) => format!("{key}=***"),
        _ => parameter.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}
