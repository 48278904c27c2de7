//! Databases for one test each, in servers that all tests share.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails must say where")]

use sqlx::Connection as _;
use test_servers::Kind;
use test_servers::Server;

fn both() -> [&'static Server; 2] {
    [test_servers::postgres(), test_servers::mysql()]
}

fn databases(server: &Server) -> Vec<String> {
    let sql = match server.kind() {
        Kind::Postgres => "SELECT datname FROM pg_database",
        Kind::Mysql => "SELECT schema_name FROM information_schema.schemata",
    };
    server.database().query(sql)
}

#[test]
fn a_database_is_empty_and_its_own() {
    for server in both() {
        let (first, second) = (server.database(), server.database());
        assert_ne!(first.name(), second.name());
        for database in [&first, &second] {
            database.execute("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)");
        }
        second.execute("INSERT INTO t VALUES (2)");
        assert_eq!(first.query("SELECT count(*) FROM t"), ["1"], "{server}");
        assert_eq!(second.query("SELECT count(*) FROM t"), ["2"], "{server}");
    }
}

#[test]
fn rows_are_shown_as_the_server_writes_them() {
    let rows = test_servers::postgres()
        .database()
        .query("SELECT 1, 'é', NULL, true, 1.50, DATE '2024-02-29', '\\xff'::bytea, ARRAY[1, 2]");
    assert_eq!(rows, ["1 | é | NULL | t | 1.50 | 2024-02-29 | \\xff | {1,2}"]);
    let rows = test_servers::mysql().database().query("SELECT 1, 'é', NULL, TRUE, 1.50, DATE '2024-02-29', 0x61");
    assert_eq!(rows, ["1 | é | NULL | 1 | 1.50 | 2024-02-29 | a"]);
}

#[test]
fn what_the_server_says_of_an_error_reaches_the_test() {
    for server in both() {
        let error = server.database().try_query("SELECT * FROM missing").unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
    }
}

#[test]
fn the_socket_leads_to_the_same_database() {
    for server in both() {
        let database = server.database();
        let (tcp, socket) = (database.url(), database.socket_url());
        assert_ne!(tcp, socket);
        assert!(tcp.contains(&format!("/{}", database.name())) && tcp.contains("@127.0.0.1:"), "{tcp}");
        // The driver could take the port all the same; the server knows.
        let seen = match server.kind() {
            Kind::Postgres => {
                seen_by_postgres(&socket, "SELECT (inet_client_addr() IS NULL)::text || current_database()")
            }
            Kind::Mysql => seen_by_mysql(&socket, "SELECT concat(user(), database())"),
        };
        let expected = match server.kind() {
            Kind::Postgres => format!("true{}", database.name()),
            Kind::Mysql => format!("runner_test@localhost{}", database.name()),
        };
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_dropped_database_is_gone_even_if_somebody_uses_it() {
    for server in both() {
        let database = server.database();
        database.execute("CREATE TABLE t (id INTEGER)");
        let name = database.name().to_owned();
        assert!(databases(server).contains(&name));
        runtime().block_on(async {
            let (url, transaction) = (database.url(), "BEGIN; INSERT INTO t VALUES (1)");
            match server.kind() {
                Kind::Postgres => {
                    let mut user = sqlx::PgConnection::connect(&url).await.unwrap();
                    sqlx::raw_sql(transaction).execute(&mut user).await.unwrap();
                    drop(database);
                    assert!(user.ping().await.is_err());
                }
                Kind::Mysql => {
                    let mut user = sqlx::MySqlConnection::connect(&url).await.unwrap();
                    sqlx::raw_sql(transaction).execute(&mut user).await.unwrap();
                    drop(database);
                    assert!(user.ping().await.is_err());
                }
            }
        });
        assert!(!databases(server).contains(&name));
    }
}

#[test]
fn many_threads_get_a_database_each() {
    for server in both() {
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let database = server.database();
                    database.execute(&format!("CREATE TABLE t{number} (id INTEGER)"));
                    let sql = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 't_' \
                               AND (table_schema = 'public' OR table_catalog = 'def')";
                    let tables = match server.kind() {
                        Kind::Postgres => database.query(sql),
                        Kind::Mysql => database.query(&format!("{sql} AND table_schema = database()")),
                    };
                    assert_eq!(tables, [format!("t{number}")]);
                });
            }
        });
    }
}

#[test]
fn a_wrong_password_is_refused() {
    for server in both() {
        for url in [server.url("nothing"), server.socket_url("nothing")] {
            let (account, rest) = url.split_once('@').unwrap();
            let wrong = format!("{account}wrong@{rest}");
            let error = match server.kind() {
                Kind::Postgres => connect_postgres(&wrong).unwrap_err(),
                Kind::Mysql => connect_mysql(&wrong).unwrap_err(),
            };
            let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
            assert!(matches!(code.as_deref(), Some("28P01" | "28000")), "{error}");
        }
    }
}

#[test]
fn versions_and_addresses_are_shown_without_a_password() {
    let shown = test_servers::postgres().to_string();
    assert!(shown.starts_with("PostgreSQL 1") && shown.contains(" at 127.0.0.1:"), "{shown}");
    let shown = test_servers::mysql().to_string();
    assert!(shown.starts_with("M") && shown.contains(" at 127.0.0.1:"), "{shown}");
    assert!(!shown.contains('@'), "{shown}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn connect_postgres(url: &str) -> Result<sqlx::PgConnection, sqlx::Error> {
    runtime().block_on(sqlx::PgConnection::connect(url))
}

fn connect_mysql(url: &str) -> Result<sqlx::MySqlConnection, sqlx::Error> {
    runtime().block_on(sqlx::MySqlConnection::connect(url))
}

fn seen_by_postgres(url: &str, sql: &'static str) -> String {
    runtime().block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    })
}

fn seen_by_mysql(url: &str, sql: &'static str) -> String {
    runtime().block_on(async {
        let mut connection = sqlx::MySqlConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    })
}
