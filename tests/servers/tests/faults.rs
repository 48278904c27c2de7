//! Servers that belong to one test and are killed.
#![cfg(unix)]

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use test_servers::Kind;
use test_servers::OwnedServer;
use test_servers::Server;
use test_servers::ServerOptions;

const BOTH: [ServerOptions; 2] = [ServerOptions::postgres(), ServerOptions::mysql()];

fn setting(server: &OwnedServer, name: &str) -> String {
    let sql = match server.kind() {
        Kind::Postgres => format!("SELECT current_setting('{name}')"),
        Kind::Mysql => format!("SELECT @@{name}"),
    };
    server.database().query(&sql).join("")
}

#[test]
fn what_was_committed_is_there_after_a_kill() {
    for options in BOTH {
        let server = Server::start(options);
        let database = server.database();
        database.execute("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2)");
        let (url, before) = (database.url(), server.process_ids());
        assert!(!before.is_empty());
        server.kill();
        assert_eq!(server.process_ids(), [], "{server}");
        assert!(database.try_query("SELECT 1").is_err(), "{server}");
        server.restart();
        assert_eq!(database.url(), url);
        assert_eq!(database.query("SELECT id FROM t ORDER BY id"), ["1", "2"], "{server}");
        let after = server.process_ids();
        assert!(!after.is_empty() && after.iter().all(|process| !before.contains(process)), "{before:?} {after:?}");
    }
}

#[test]
fn restarting_kills_what_still_runs() {
    for options in BOTH {
        let server = Server::start(ServerOptions { durable: false, ..options });
        let before = server.process_ids()[0];
        server.restart();
        assert_ne!(server.process_ids()[0], before);
        assert_eq!(server.database().query("SELECT 1"), ["1"]);
    }
}

#[test]
fn a_kill_reaches_connections_in_the_middle_of_a_statement() {
    for options in BOTH {
        let server = Server::start(options);
        let database = server.database();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                database.try_query(match options.kind {
                    Kind::Postgres => "SELECT pg_sleep(600)",
                    Kind::Mysql => "SELECT sleep(600)",
                })
            });
            let sql = match options.kind {
                Kind::Postgres => {
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND pid <> pg_backend_pid()"
                }
                Kind::Mysql => "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%sleep(600)'",
            };
            while database.query(sql) != ["1"] {
                std::thread::yield_now();
            }
            server.kill();
            assert!(waiting.join().unwrap().is_err());
        });
    }
}

#[test]
fn durable_servers_wait_for_the_disk_and_others_do_not() {
    for durable in [true, false] {
        let server = Server::start(ServerOptions { durable, ..ServerOptions::postgres() });
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            assert_eq!(setting(&server, name), if durable { "on" } else { "off" }, "{name}");
        }
        let server = Server::start(ServerOptions { durable, ..ServerOptions::mysql() });
        assert_eq!(setting(&server, "innodb_flush_log_at_trx_commit"), if durable { "1" } else { "0" });
        assert_eq!(setting(&server, "innodb_doublewrite"), if durable { "1" } else { "0" });
    }
}

#[test]
fn a_panic_removes_server_and_folder() {
    for options in BOTH {
        let mut folder = None;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let server = Server::start(options);
            assert!(server.folder().exists());
            folder = Some(server.folder().to_owned());
            std::panic::resume_unwind(Box::new("a test fails"));
        }));
        assert!(panicked.is_err());
        assert!(!folder.unwrap().exists());
    }
}

#[test]
fn servers_of_their_own_are_apart() {
    let (first, second) = (Server::start(ServerOptions::mysql()), Server::start(ServerOptions::mysql()));
    assert_ne!(first.admin_url(), second.admin_url());
    let database = first.database();
    assert_eq!(
        second.database().query("SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'runner%'"),
        ["1"]
    );
    drop(second);
    assert_eq!(database.query("SELECT 1"), ["1"]);
}

/// They used to remove each other's temporary tables.
#[test]
fn servers_start_side_by_side() {
    for options in BOTH {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| Server::start(ServerOptions { durable: false, ..options }));
            }
        });
    }
}

/// Others on this machine can reach the port. `mariadb.sys` is locked.
#[test]
fn there_is_no_account_without_a_password() {
    let server = Server::start(ServerOptions::mysql());
    let sql = "SELECT user, host FROM mysql.user WHERE plugin NOT LIKE '%socket%' AND authentication_string = '' \
               AND user <> 'mariadb.sys'";
    assert_eq!(server.database().query(sql), Vec::<String>::new());
}
