//! URLs of databases, as text: nothing of what the tests were given gets lost.

/// The same server, account and parameters, with another database.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let authority = path.find("://").map_or(0, |colon| colon + 3);
    let end = path[authority..].find('/').map_or(path.len(), |slash| authority + slash);
    // PostgreSQL lets this one go before the path.
    let query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("dbname=")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}/{database}{mark}{}", &path[..end], query.join("&"))
}

/// The same with one more parameter. Of parameters with the same name the last counts.
pub(crate) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{name}={value}")
}

/// Host and port, as far as they are there; no password.
pub(crate) fn address(url: &str) -> &str {
    let (path, _) = url.split_once('?').unwrap_or((url, ""));
    let authority = path.split_once("://").map_or(path, |(_, rest)| rest);
    let authority = authority.split_once('/').map_or(authority, |(authority, _)| authority);
    authority.rsplit_once('@').map_or(authority, |(_, address)| address)
}

/// Who logs in where, as far as a URL says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) host: &'a str,
    pub(crate) port: Option<&'a str>,
}

/// The parts of a URL's address.
pub(crate) fn parts(url: &str) -> Parts<'_> {
    let (path, _) = url.split_once('?').unwrap_or((url, ""));
    let authority = path.split_once("://").map_or(path, |(_, rest)| rest);
    let authority = authority.split_once('/').map_or(authority, |(authority, _)| authority);
    let account = authority.rsplit_once('@').map(|(account, _)| account);
    let (user, password) = match account.and_then(|account| account.split_once(':')) {
        Some((user, password)) => (Some(user), Some(password)),
        None => (account, None),
    };
    let address = address(url);
    let (host, port) = address.rsplit_once(':').map_or((address, None), |(host, port)| (host, Some(port)));
    Parts { user, password, host, port }
}

/// Whether the server is on this machine.
pub(crate) fn is_local(url: &str) -> bool {
    let address = address(url);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    matches!(host, "" | "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_replaced_and_all_else_kept() {
        for (url, expected) in [
            ("postgres://me:secret@host:5432/postgres", "postgres://me:secret@host:5432/new"),
            ("postgres://me:secret@host", "postgres://me:secret@host/new"),
            ("postgres://me@host/old?sslmode=require", "postgres://me@host/new?sslmode=require"),
            ("postgres://me@host?dbname=old&sslmode=require", "postgres://me@host/new?sslmode=require"),
            ("postgres:///old?host=/run/postgresql", "postgres:///new?host=/run/postgresql"),
            ("mysql://root@localhost/?socket=/run/mysqld.sock", "mysql://root@localhost/new?socket=/run/mysqld.sock"),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }

    #[test]
    fn parameters_are_added() {
        assert_eq!(with_parameter("mysql://host/a", "socket", "/s"), "mysql://host/a?socket=/s");
        assert_eq!(with_parameter("mysql://host/a?b=c", "socket", "/s"), "mysql://host/a?b=c&socket=/s");
    }

    #[test]
    fn an_address_holds_no_password() {
        assert_eq!(address("postgres://me:se@cret@host:5432/postgres?password=x"), "host:5432");
        assert_eq!(address("mysql://host"), "host");
        assert_eq!(address("postgres:///db"), "");
    }

    #[test]
    fn an_address_has_parts() {
        let full = Parts { user: Some("me"), password: Some("s@cret"), host: "host", port: Some("1") };
        assert_eq!(parts("mysql://me:s@cret@host:1/db?x=y"), full);
        let short = Parts { user: Some("root"), password: None, host: "localhost", port: None };
        assert_eq!(parts("mysql://root@localhost"), short);
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for url in ["mysql://a:b@127.0.0.1:3306/", "mysql://localhost", "postgres:///db", "mysql://[::1]:1/"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["mysql://localhost@db:3306/", "postgres://10.0.0.1/localhost"] {
            assert!(!is_local(url), "{url}");
        }
    }
}
