//! Reading writes nothing, and says what is wrong with the tables.

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn a_database_that_was_never_migrated_is_left_as_it_is() {
    let target = Target::new();
    let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let mut session = target.read().await;
    assert_eq!(session.server().product, "PostgreSQL");
    assert!(target.database.server().version().contains(&session.server().version), "{:?}", session.server());
    assert_eq!(session.state().await.unwrap(), State::default());
    assert!(session.ledger(None).await.unwrap().is_empty());
    assert_eq!(session.verify_ledger().await.unwrap(), LedgerCheck::Intact { rows: 0, last_hash: None });
    assert!(matches!(session.start_run(info("r"), TransactionMode::PerRun).await, Err(Error::ReadOnly)));
    session.close().await.unwrap();
    assert_eq!(target.one(tables), "0");
    target.apply(&[]).await.unwrap();
    assert_eq!(target.one(tables), "0", "a run without steps leaves nothing");
}

#[tokio::test]
async fn reading_works_where_nothing_may_be_written() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    target.sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$");
    assert_eq!(target.state().await.versions, ["a1"]);
    let error = Session::open(&target.url, &target.options, Access::Write).await.unwrap_err();
    assert!(error.to_string().contains("`default_transaction_read_only` is on"), "{error}");
    let strict = target.with("target_session_attrs=read-write");
    let error = Session::open(&strict.url, &strict.options, Access::Read).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn tables_that_appear_are_seen() {
    let target = Target::new();
    let mut session = target.read().await;
    assert!(!session.state().await.unwrap().exists);
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
}

#[tokio::test]
async fn a_foreign_version_table_is_not_guessed_at() {
    let target = Target::new();
    target.sql("CREATE TABLE runner_version (something TEXT)");
    let mut session = target.read().await;
    for _ in 0..2 {
        let error = session.state().await.unwrap_err();
        assert!(error.to_string().contains("is a table of something else"), "{error}");
        assert!(error.hint().unwrap().contains("version-table"), "{error}");
    }
}

#[tokio::test]
async fn tables_live_in_the_schema_that_is_named() {
    let target = Target::new();
    target.sql("CREATE SCHEMA \"My-app\"");
    let target = target.with("schema=My-app");
    assert!(!target.state().await.exists);
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
    let where_they_are =
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '\"My-app\"'::regnamespace ORDER BY 1";
    assert_eq!(target.query(where_they_are), ["runner_ledger", "runner_version", "t"]);
    let missing = target.with("schema=nowhere");
    let error = Session::open(&missing.url, &missing.options, Access::Read).await.unwrap_err();
    assert!(error.to_string().contains("the schema `nowhere` does not exist"), "{error}");
}

#[tokio::test]
async fn the_search_path_of_the_options_counts() {
    let target = Target::new();
    target.sql("CREATE SCHEMA app");
    let target = target.with("options=-c%20search_path=app,public");
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    assert_eq!(target.one("SELECT count(*) FROM app.runner_version JOIN app.t ON false"), "0");
    target.sql("DROP SCHEMA app CASCADE");
    let target = target.with("options=-c%20search_path=app");
    let error = Session::open(&target.url, &target.options, Access::Read).await.unwrap_err();
    assert!(error.to_string().contains("no schema of the `search_path` exists"), "{error}");
}

#[tokio::test]
async fn eight_sessions_read_at_once() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    let one = || target.state();
    let states = tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    assert_eq!((states.0.versions, states.7.versions), (vec!["a1".to_owned()], vec!["a1".to_owned()]));
}
