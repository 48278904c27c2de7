//! Connections that come about, and those that don't.

use runner_database::*;

use crate::support::*;

async fn refused(url: &str) -> (String, String, bool) {
    let error = Session::open(&parse(url), &Options::default(), Access::Read).await.unwrap_err();
    let (message, hint, is_transient) = match &error {
        Error::Connect { message, hint, is_transient, .. } => (message.as_str(), hint.as_str(), is_transient),
        Error::InvalidOption { option: "url", message } => {
            let (message, hint) = message.split_once(": ").unwrap_or((message, ""));
            (message, hint, &false)
        }
        _ => panic!("{error:?}"),
    };
    for shown in [error.to_string(), format!("{error:?}"), format!("{:?}", error.hint())] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    (message.to_owned(), hint.to_owned(), *is_transient)
}

#[tokio::test]
async fn the_server_says_who_it_is() {
    let target = Target::new();
    let session = target.read().await;
    let server = session.server();
    assert_eq!(format!("{} {}", server.product, server.version), test_servers::mysql().version());
    assert_eq!(server.database, target.url.identity());
    assert!(!format!("{session:?}").contains("password"), "{session:?}");
}

#[tokio::test]
async fn a_socket_leads_to_the_same_database() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    let url = parse(&target.database.socket_url());
    let mut session = Session::open(&url, &Options::default(), Access::Read).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said() {
    let target = Target::new();
    let name = target.database.name();
    let address = target.database.url().rsplit_once('@').unwrap().1.to_owned();
    let server = address.split('/').next().unwrap();

    let (message, _, is_transient) = refused(&format!("mysql://root:hunter2@127.0.0.1:1/{name}")).await;
    assert!(message.contains("refused") && is_transient, "{message}");
    let (message, hint, is_transient) = refused(&format!("mysql://nobody:hunter2@{address}")).await;
    assert!(message.contains("Access denied") && !is_transient, "{message}");
    assert_eq!(hint, "check user and password in the URL");
    let admin = test_servers::mysql().url("missing");
    let (message, hint, is_transient) = refused(&admin).await;
    assert!(message.contains("Unknown database 'missing'") && !is_transient, "{message}");
    assert!(hint.contains("CREATE DATABASE missing"), "{hint}");
    let (message, hint, _) = refused(&format!("mysql://root:hunter2@{server}/{name}?ssl_mod=required")).await;
    assert_eq!(
        (message.as_str(), hint.as_str()),
        ("unknown parameter `ssl_mod` in the URL", "did you mean `ssl-mode`?")
    );
    let (message, _, is_transient) = refused(&format!("mysql://root:hunter2@{server}")).await;
    assert!(message == "the URL names no database" && !is_transient, "{message}");
    let (_, hint, is_transient) = refused(&format!("mysql://root:hunter2@/{name}?socket=/nowhere/x.sock")).await;
    assert!(hint.contains("socket") && is_transient, "{hint}");
    let (_, _, is_transient) = refused(&format!("mysql://root:hunter2@host.invalid/{name}")).await;
    assert!(is_transient);
    let (message, hint, is_transient) =
        refused(&format!("{}?ssl-mode=verify_identity&ssl-ca=/nowhere.pem", target.database.url())).await;
    assert!(!is_transient && hint.contains("ssl"), "{message}: {hint}");
}

#[tokio::test]
async fn a_session_begins_as_in_the_client() {
    let target = Target::new();
    let script = up(
        "a1",
        None,
        &[
            "CREATE TABLE seen (sql_mode TEXT, time_zone TEXT, autocommit INT)",
            "INSERT INTO seen SELECT @@sql_mode, @@time_zone, @@autocommit",
            // With the driver's own settings `count` would be a keyword and `||` join texts.
            "CREATE TABLE count (a INT)",
            "INSERT INTO count SELECT 0 || 1",
        ],
    );
    target.apply(&[script]).await.unwrap();
    let server = target.one("SELECT CONCAT(@@GLOBAL.sql_mode, ' ', @@GLOBAL.time_zone, ' ', 1)");
    assert_eq!(target.one("SELECT CONCAT(sql_mode, ' ', time_zone, ' ', autocommit) FROM seen"), server);
    assert_eq!(target.one("SELECT a FROM `count`"), "1");
}

#[tokio::test]
async fn a_read_only_server_is_not_written() {
    let server = test_servers::Server::start(test_servers::ServerOptions::mysql());
    let database = server.database();
    database.execute("SET GLOBAL read_only = 1");
    let url = parse(&database.url());
    let error = Session::open(&url, &Options::default(), Access::Write).await.unwrap_err();
    assert!(matches!(&error, Error::Unreadable { message, .. } if message.contains("read-only")), "{error:?}");
    assert!(!Session::open(&url, &Options::default(), Access::Read).await.unwrap().state().await.unwrap().exists);
}
