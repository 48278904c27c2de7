//! Why there is no connection, and what to do about it.

use runner_database::*;

use crate::support::*;

async fn failure(text: &str) -> (Error, bool) {
    let error = Session::open(&url(text), &Options::default(), Access::Write).await.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains("hunter2"), "{shown}");
    let is_transient = matches!(error, Error::Connect { is_transient: true, .. });
    (error, is_transient)
}

/// The address of the shared server: `host:port`.
fn place(target: &Target) -> String {
    let text = target.database.url();
    let rest = text.rsplit_once('@').unwrap().1;
    rest.split_once('/').unwrap().0.to_owned()
}

#[tokio::test]
async fn nobody_answers() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (error, is_transient) = failure(&format!("postgres://u:hunter2@127.0.0.1:{port}/d")).await;
    assert!(is_transient && error.to_string().contains("refused"), "{error:?}");
    let (error, is_transient) = failure("postgres://u:hunter2@/d?host=/nowhere").await;
    assert!(is_transient && error.hint().unwrap().contains("socket"), "{error:?}");
    let (error, is_transient) = failure("postgres://u:hunter2@no-such-host.invalid/d").await;
    assert!(is_transient && error.hint().unwrap().contains("name"), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_forever() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (error, is_transient) = failure(&format!("postgres://u:hunter2@127.0.0.1:{port}/d?connect_timeout=1")).await;
    assert!(is_transient && error.to_string().contains("no answer within 1 s"), "{error:?}");
}

#[tokio::test]
async fn something_else_answers() {
    use std::io::Write as _;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(2));
    });
    let (error, is_transient) = failure(&format!("postgres://u:hunter2@127.0.0.1:{port}/d")).await;
    assert!(!is_transient && error.hint().unwrap().contains("does not speak"), "{error:?}");
}

#[tokio::test]
async fn the_server_refuses() {
    let target = Target::new();
    let place = place(&target);
    let (error, is_transient) = failure(&format!("postgres://nobody_there:hunter2@{place}/postgres")).await;
    assert!(!is_transient && error.hint().unwrap().contains("password"), "{error:?}");
    let missing = target.database.url().replace(target.database.name(), "no_such_database");
    let (error, is_transient) = failure(&missing).await;
    assert!(!is_transient && error.to_string().contains("no_such_database"), "{error:?}");
    let (error, is_transient) = failure(&format!("{}?sslmode=require", target.database.url())).await;
    assert!(!is_transient && error.hint().unwrap().contains("sslmode"), "{error:?}");
    let (error, _) = failure(&format!("{}?sslmod=hunter2", target.database.url())).await;
    assert_eq!(error.to_string(), "invalid `url`: unknown parameter `sslmod`: did you mean `sslmode`?");
}

#[tokio::test]
async fn a_socket_works_as_well() {
    let target = Target::new();
    let socket = target.database.socket_url();
    let mut session = Session::open(&url(&socket), &target.options, Access::Read).await.unwrap();
    assert!(!session.state().await.unwrap().exists);
    let shown = format!("{session:?}");
    let password = socket.split_once(':').unwrap().1.split_once(':').and_then(|(_, rest)| rest.split_once('@'));
    if let Some((password, _)) = password {
        assert!(!shown.contains(password), "{shown}");
    }
}
