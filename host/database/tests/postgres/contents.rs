//! Rows out of a database and into one.

#[path = "../contents/mod.rs"]
mod shared;

use runner_database::*;

use self::shared::*;
use crate::support::*;

const EVERY_TYPE: &str = r#"
    CREATE SCHEMA "My Schema";
    CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
    CREATE DOMAIN "My Schema".percent AS numeric(5,2) DEFAULT 0 CHECK (VALUE >= 0);
    CREATE TYPE pair AS (a int, b mood);
    CREATE SEQUENCE own;
    CREATE TABLE "Every ""type" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number serial,
        small smallint, whole int DEFAULT nextval('own'), big bigint, exact numeric, rounded numeric(10,3), single real, twice double precision,
        cash money, fixed char(5), short varchar(10) COLLATE "C", long text, bytes bytea, moment timestamp, zoned timestamptz, day date,
        hour time, hour_zoned timetz, span interval, is_it boolean, feeling mood, address inet, network cidr, mac macaddr,
        bits bit(5), more_bits bit varying(9), identifier uuid, plain json, binary_json jsonb, document xml,
        many int[], texts text[][], feelings mood[], range_of int4range, ranges tstzrange, search tsvector, query tsquery,
        at_point point, in_box box, along path, share "My Schema".percent, two pair, twos pair[],
        sum int GENERATED ALWAYS AS (small + whole) STORED,
        UNIQUE (small, whole), CHECK (big <> 7)
    );
    CREATE INDEX by_day ON "Every ""type" (day DESC) WHERE is_it;
    INSERT INTO "Every ""type" (small, whole, big, exact, rounded, single, twice, cash, fixed, short, long, bytes, moment, zoned, day, hour,
        hour_zoned, span, is_it, feeling, address, network, mac, bits, more_bits, identifier, plain, binary_json, document, many, texts,
        feelings, range_of, ranges, search, query, at_point, in_box, along, share, two, twos) VALUES
    (-32768, 2147483647, -9223372036854775808, 'NaN', 1.5, 'NaN', 'Infinity', 12.34, 'a', E'tab\there', E'line\nback\\slash \r é 漢 🦀', '\x00ff5c0a',
     'infinity', '2026-03-29 02:30:00.123456+01', '-infinity', '24:00', '12:00:00+05:30', '1 year -2 mons 3 days -04:05:06.789', true, 'it''s ok',
     '2001:db8::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', B'10101', B'1', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"b":1, "a":  2}', '{"b":1, "a":  2}',
     '<a>b</a>', '{1,NULL,3}', '{{a,"b,c"},{"NULL",NULL}}', '{sad,"it''s ok"}', '[1,5)', '(,2026-01-01 00:00:00+00]', 'a:1 fat:2', 'a & !b',
     '(1.5,-2)', '(1,1),(0,0)', '[(0,0),(1,1)]', 99.99, '(1,happy)', '{"(2,sad)"}'),
    (NULL, 1, NULL, 123456789012345678901234567890.123456789, NULL, -0.0, 0.1, NULL, NULL, '', '\N', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (1, 2, 3, 1e-30, 0, 1.17549435e-38, 4.9e-324, NULL, '', NULL, repeat('x', 300000), decode(repeat('ab', 100000), 'hex'), '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00',
     '5874897-12-31', '00:00:00.000001', NULL, '-178000000 years', false, 'sad', '1.2.3.4', '::/0', NULL, B'00000', B'', NULL, '"\u0041"', 'null',
     'text only', '{}', '{}', '{}', '(,)', NULL, '', NULL, '(NaN,Infinity)', NULL, NULL, 0, '(,)', '{}');
"#;

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let (source, target) = (Target::new(), Target::new());
    source.sql(EVERY_TYPE);
    let mut session = source.read().await;
    let table = table(&mut session, "Every \"type").await;
    assert_eq!(table.key, ["id"]);
    assert!(table.column("sum").unwrap().is_generated);
    let saved = rows(&mut session, &table).await;
    let mut other = target.locked().await;
    make(&mut other, &table, &saved).await;
    // What a text means does not depend on settings of the role.
    target.sql(
        "ALTER ROLE CURRENT_USER IN DATABASE CURRENT_DATABASE SET DateStyle TO 'German'"
            .replace("CURRENT_DATABASE", target.database.name())
            .as_str(),
    );
    let made = tables(&mut target.read().await).await;
    assert_eq!(made[0].create, table.create);
    assert_eq!(made[0].complete, table.complete);
    assert_eq!(text(&rows(&mut target.read().await, &made[0]).await), text(&saved));
    let digest = r#"SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM "Every ""type" AS t"#;
    target.sql(
        "ALTER ROLE CURRENT_USER IN DATABASE CURRENT_DATABASE RESET DateStyle"
            .replace("CURRENT_DATABASE", target.database.name())
            .as_str(),
    );
    assert_eq!(target.one(digest), source.one(digest));
    // The counters go on.
    target.sql(r#"INSERT INTO "Every ""type" (small) VALUES (9)"#);
    assert_eq!(target.one(r#"SELECT id || ' ' || number FROM "Every ""type" WHERE small = 9"#), "4 4");
    session.close().await.unwrap();
    other.close().await.unwrap();
}

#[tokio::test]
async fn triggers_and_foreign_keys_do_not_act_on_what_is_put_back() {
    let target = Target::new();
    target.sql(
        "CREATE TABLE log (what text);
         CREATE TABLE parent (id int PRIMARY KEY, name text);
         CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log VALUES (TG_OP); RETURN NULL; END';
         CREATE TRIGGER noted AFTER INSERT OR DELETE ON parent FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER never AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION note();
         ALTER TABLE parent DISABLE TRIGGER never;
         CREATE TRIGGER always AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION note();
         ALTER TABLE parent ENABLE ALWAYS TRIGGER always;
         INSERT INTO parent VALUES (1, 'one'), (2, 'two'); INSERT INTO child VALUES (10, 1); TRUNCATE log;",
    );
    let mut session = target.locked().await;
    let parent = table(&mut session, "parent").await;
    let saved = rows(&mut session, &parent).await;
    let before = target.one(
        "SELECT string_agg(tgname || tgenabled::text, ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal",
    );
    replace(&mut session, &parent, &saved).await;
    assert_eq!(target.one("SELECT count(*) FROM log"), "0");
    assert_eq!(target.one("SELECT count(*) FROM child"), "1");
    let after = target.one(
        "SELECT string_agg(tgname || tgenabled::text, ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal",
    );
    assert_eq!((before, target.one("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")), (after, "1".to_owned()));
    // What refers to a row that does not come back is an error, and nothing has changed.
    let only_two = b"2\ttwo\n";
    let columns: Vec<TableColumn> = parent.stored().cloned().collect();
    let mut loading = session.load(&[&parent]).await.unwrap();
    loading.empty(&parent).await.unwrap();
    loading.rows(Rows { table: &parent, columns: &columns }, Placing::Insert, &mut Given::all(only_two)).await.unwrap();
    let error = loading.commit(None, &VersionChange::default()).await.unwrap_err();
    assert!(error.to_string().contains("violates foreign key"), "{error}");
    assert_eq!(target.one("SELECT count(*) FROM parent"), "2");
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_column_comes_back_into_the_rows_that_are_there() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int, b text, c text, d int, PRIMARY KEY (b, a)); INSERT INTO t VALUES (1, 'x', 'one', 1), (2, 'y', NULL, 2), (3, 'z', E'a\\tb', 3)");
    let mut session = target.locked().await;
    let before = table(&mut session, "t").await;
    let saved = columns(&before, &["b", "a", "c"]);
    let lines = part(&mut session, &before, &saved).await;
    target.sql("UPDATE t SET c = 'lost', d = d * 10; DELETE FROM t WHERE a = 2");
    let mut loading = session.load(&[&before]).await.unwrap();
    let key = ["b".to_owned(), "a".to_owned()];
    let placing = Placing::Update { key: &key };
    loading.rows(Rows { table: &before, columns: &saved }, placing, &mut Given::all(&lines)).await.unwrap();
    loading.commit(None, &VersionChange::default()).await.unwrap();
    assert_eq!(target.query("SELECT concat_ws('|', a, b, c, d) FROM t ORDER BY a"), ["1|x|one|10", "3|z|a\tb|30"]);
    session.close().await.unwrap();
}

#[tokio::test]
async fn rows_that_end_early_or_are_wrong_leave_nothing() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    let columns: Vec<TableColumn> = it.stored().cloned().collect();
    for (lines, stops, expected) in
        [("2\n", true, "did not travel"), ("2\nx\n", false, "invalid input syntax"), ("2\n1\n", false, "duplicate key")]
    {
        let mut loading = session.load(&[&it]).await.unwrap();
        let mut given = Given::all(lines.as_bytes());
        given.stops = stops;
        let error =
            loading.rows(Rows { table: &it, columns: &columns }, Placing::Insert, &mut given).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        loading.abort().await.unwrap();
    }
    assert_eq!(target.one("SELECT count(*) FROM t"), "1");
    session.close().await.unwrap();
}

#[tokio::test]
async fn partitions_are_saved_and_made_one_by_one() {
    let (source, target) = (Target::new(), Target::new());
    source.sql(
        "CREATE TABLE p (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
         CREATE TABLE p_2 PARTITION OF p DEFAULT;
         INSERT INTO p VALUES (1, '2026-02-02'), (2, '2027-01-01');
         CREATE TABLE base (a int); CREATE TABLE heir (b int) INHERITS (base); INSERT INTO base VALUES (1); INSERT INTO heir VALUES (2, 3);",
    );
    let mut session = source.read().await;
    let all = tables(&mut session).await;
    let names: Vec<&str> = all.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["base", "heir", "p", "p_1", "p_2"]);
    assert_eq!(all[2].children.iter().map(ToString::to_string).collect::<Vec<_>>(), ["public.p_1", "public.p_2"]);
    assert_eq!(text(&rows(&mut session, &all[0]).await), "1\n");
    assert_eq!(text(&rows(&mut session, &all[4]).await), "2\t2027-01-01\n");
    assert_eq!(text(&rows(&mut session, &all[2]).await), "");
    // In any order: they are joined when all are there.
    let mut other = target.locked().await;
    let mut loading = other.load(&[]).await.unwrap();
    for table in all.iter().rev() {
        loading.run(&table.create).await.unwrap();
    }
    loading.commit(None, &VersionChange::default()).await.unwrap();
    for table in &all {
        let saved = rows(&mut session, table).await;
        let columns: Vec<TableColumn> = table.stored().cloned().collect();
        let mut loading = other.load(&[]).await.unwrap();
        loading.rows(Rows { table, columns: &columns }, Placing::Insert, &mut Given::all(&saved)).await.unwrap();
        loading.commit(None, &VersionChange::default()).await.unwrap();
    }
    let mut loading = other.load(&[]).await.unwrap();
    for statements in [|table: &Table| table.complete.clone(), |table: &Table| table.connect.clone()] {
        for table in &all {
            loading.run(&statements(table)).await.unwrap();
        }
    }
    loading.commit(None, &VersionChange::default()).await.unwrap();
    assert_eq!(target.one("SELECT count(*) FROM base"), "2");
    assert_eq!(target.query("SELECT id::text FROM p ORDER BY id"), ["1", "2"]);
    target.sql("INSERT INTO p VALUES (3, '2026-03-03')");
    assert_eq!(target.one("SELECT count(*) FROM p_1"), "2");
    session.close().await.unwrap();
    other.close().await.unwrap();
}
