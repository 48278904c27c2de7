//! Reading writes nothing, and says what is wrong with a file.

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn a_missing_file_is_an_empty_database_and_stays_missing() {
    let target = Target::new();
    let mut session = target.read().await;
    assert_eq!(session.server().product, "SQLite");
    assert!(session.server().version.starts_with("3."));
    assert_eq!(session.state().await.unwrap(), State::default());
    assert!(session.ledger(None).await.unwrap().is_empty());
    assert_eq!(session.verify_ledger().await.unwrap(), LedgerCheck::Intact { rows: 0, last_hash: None });
    assert!(matches!(session.start_run(info("r"), TransactionMode::PerRun).await, Err(Error::ReadOnly)));
    session.close().await.unwrap();
    assert!(files_in(target.folder.path()).is_empty());
}

#[tokio::test]
async fn reading_creates_no_tables() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)").await;
    let before = std::fs::read(target.file()).unwrap();
    assert_eq!(target.state().await, State::default());
    assert_eq!(std::fs::read(target.file()).unwrap(), before);
    assert_eq!(files_in(target.folder.path()), ["app.db"]);
}

#[tokio::test]
async fn a_file_that_appears_is_seen() {
    let target = Target::new();
    let mut session = target.read().await;
    assert!(!session.state().await.unwrap().exists);
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
}

#[tokio::test]
async fn a_hot_journal_is_recovered_by_reading() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER, filler BLOB); INSERT INTO t VALUES (1, zeroblob(100000))").await;
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    let committed = std::fs::read(target.file()).unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let mut writer = target.outsider().await;
    // With almost no cache the transaction spills into the file, as one that was cut off in its commit does.
    let sql = "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE t SET filler = randomblob(100000); \
               UPDATE runner_version SET version_num = 'zz'; INSERT INTO t VALUES (2, randomblob(100000))";
    sqlx::raw_sql(sql).execute(&mut writer).await.unwrap();
    for name in ["app.db", "app.db-journal"] {
        std::fs::copy(target.folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    assert_ne!(std::fs::read(crashed.path().join("app.db")).unwrap(), committed, "nothing was spilled");
    let url = DatabaseUrl::parse("sqlite://app.db", crashed.path()).unwrap();
    let mut session = Session::open(&url, &target.options, Access::Read).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
    session.close().await.unwrap();
    assert_eq!(files_in(crashed.path()), ["app.db"]);
    assert_eq!(std::fs::read(crashed.path().join("app.db")).unwrap(), committed);
}

#[tokio::test]
async fn a_write_ahead_log_is_left_as_it_is() {
    let target = Target::new();
    target.sql("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER)").await;
    target.apply(&[up("a1", None, &["INSERT INTO t VALUES (1)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut target.outsider().await).await.unwrap();
    assert_eq!(mode, "wal");
}

async fn open(target: &Target, url: &str, access: Access) -> Error {
    let url = DatabaseUrl::parse(url, target.folder.path()).unwrap();
    Session::open(&url, &target.options, access).await.unwrap_err()
}

#[tokio::test]
async fn each_unusable_file_has_its_own_message() {
    let target = Target::new();
    std::fs::write(target.file(), "this is a text file, and a long one at that\n".repeat(100)).unwrap();
    std::fs::create_dir(target.folder.path().join("folder")).unwrap();
    let both = [Access::Read, Access::Write];
    for access in both {
        let error = open(&target, "sqlite://app.db", access).await;
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().contains("the file is not a SQLite database"), "{error}");
        let error = open(&target, "sqlite://folder", access).await;
        assert!(error.to_string().ends_with("it is a folder"), "{error}");
    }
    let error = open(&target, "sqlite://nowhere/app.db", Access::Write).await;
    assert!(error.to_string().contains("nowhere` does not exist"), "{error}");
    let error = open(&target, "sqlite://new.db?mode=rw", Access::Write).await;
    assert!(error.to_string().ends_with("the file does not exist"), "{error}");
    let error = open(&target, "sqlite://new.db?mode=ro", Access::Write).await;
    assert!(error.hint().unwrap().contains("mode=ro"), "{error}");
}

#[tokio::test]
async fn a_foreign_version_table_is_not_guessed_at() {
    let target = Target::new();
    target.sql("CREATE TABLE runner_version (something TEXT)").await;
    let error = target.read().await.state().await.unwrap_err();
    assert!(error.to_string().contains("no such column: version_num"), "{error}");
}
