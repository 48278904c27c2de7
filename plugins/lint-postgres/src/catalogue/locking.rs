//! Locks that others wait for, and tables that are read or written as a whole meanwhile.

use super::CAUTION;
use super::Concern::Lock;
use super::DANGER;
use super::Entry;

pub(super) const RULES: [Entry; 21] = [
    Entry::new(
        "require-concurrent-index-creation",
        Lock,
        DANGER,
        &["PG101", "concurrent_index", "add_index", "add_reference"],
        "An index is built while nobody can write to its table",
        r"
`CREATE INDEX` holds a SHARE lock until the whole index is built: reading goes on, every write waits. On a large table
that is minutes.

```sql
CREATE INDEX CONCURRENTLY IF NOT EXISTS visit_day ON visit (day);
```

`CONCURRENTLY` refuses a transaction, so the revision needs the line `-- Transaction: off`. If it fails it leaves an
invalid index, which has to be dropped before the next try.",
    ),
    Entry::new(
        "require-concurrent-index-deletion",
        Lock,
        DANGER,
        &["PG102", "concurrent_index", "remove_index"],
        "An index is dropped under a lock that keeps everybody from its table",
        r"
`DROP INDEX` takes ACCESS EXCLUSIVE on the table. The drop itself is quick, but it waits for every running query, and all
that comes after it waits behind it.

```sql
DROP INDEX CONCURRENTLY IF EXISTS visit_day;
```

`CONCURRENTLY` refuses a transaction: write `-- Transaction: off` into the header.",
    ),
    Entry::new(
        "require-concurrent-reindex",
        Lock,
        DANGER,
        &["concurrent_index"],
        "An index is built anew while its table can't be written, and while queries that would use it wait",
        r"
`REINDEX` keeps writers out of the table and readers out of the index until it is done. Since PostgreSQL 12 there is a
form that swaps the new index in when it is ready:

```sql
REINDEX INDEX CONCURRENTLY visit_day;
```

It refuses a transaction: write `-- Transaction: off` into the header.",
    ),
    Entry::new(
        "require-concurrent-partition-detach",
        Lock,
        DANGER,
        &[],
        "A partition is detached under a lock that keeps everybody from the partitioned table",
        r"
`DETACH PARTITION` takes ACCESS EXCLUSIVE on the parent, so all queries on all partitions wait. Since PostgreSQL 14:

```sql
ALTER TABLE visit DETACH PARTITION visit_2019 CONCURRENTLY;
```

This refuses a transaction (`-- Transaction: off`) and a parent that has a default partition.",
    ),
    Entry::new(
        "constraint-missing-not-valid",
        Lock,
        DANGER,
        &[
            "PG305",
            "add_check_constraint",
            "validate_check_constraint",
            "validate_foreign_key",
            "change_column_constraint",
        ],
        "A constraint is checked against all rows while the table is locked",
        r"
A new constraint is checked at once, which reads the whole table under a lock that stops writes (a foreign key) or
everything (a check). `NOT VALID` skips that for the rows that are there and holds for all new ones; validating later
takes a lock that lets readers and writers through.

```sql
ALTER TABLE visit ADD CONSTRAINT visit_day_check CHECK (day > '2000-01-01') NOT VALID;
-- in a later revision
ALTER TABLE visit VALIDATE CONSTRAINT visit_day_check;
```

Both in one transaction gain nothing: the first lock is kept until its end.",
    ),
    Entry::new(
        "adding-field-with-default",
        Lock,
        DANGER,
        &["PG302", "add_column_default", "add_column_default_callable", "add_column_generated_stored"],
        "A new column gets a value of its own in every row, so the table is written anew",
        r"
A default that is the same for all rows is only noted in the catalogue (since PostgreSQL 11). One that is computed for
each row, as `gen_random_uuid()`, `clock_timestamp()` or a stored generated column, rewrites table and indexes under
ACCESS EXCLUSIVE.

```sql
ALTER TABLE visit ADD COLUMN token uuid;
ALTER TABLE visit ALTER COLUMN token SET DEFAULT gen_random_uuid();
-- then fill the rows that are there in batches, outside of this transaction
```",
    ),
    Entry::new(
        "adding-foreign-key-constraint",
        Lock,
        DANGER,
        &["add_foreign_key", "add_reference"],
        "A foreign key locks both tables against writing while all rows are checked",
        r"
`ADD FOREIGN KEY` takes SHARE ROW EXCLUSIVE on the table and on the one it refers to, and keeps both while it looks up
every row.

```sql
ALTER TABLE visit ADD CONSTRAINT visit_patient_fkey FOREIGN KEY (patient_id) REFERENCES patient (id) NOT VALID;
-- in a later revision
ALTER TABLE visit VALIDATE CONSTRAINT visit_patient_fkey;
```

The first statement is over at once, the second lets others read and write both tables.",
    ),
    Entry::new(
        "changing-column-type",
        Lock,
        DANGER,
        &["PG301", "change_column"],
        "A column gets another type, which may write the table anew and breaks what relies on the old one",
        r"
Most changes of a type rewrite table and indexes under ACCESS EXCLUSIVE. A few do not: `varchar(n)` to a larger `n` or to
`text`, `numeric` to a larger precision of the same scale. The lock is taken even then.

```sql
ALTER TABLE visit ADD COLUMN amount_new numeric(12, 2);
-- write both columns, fill the old rows in batches, switch readers, drop the old column
```",
    ),
    Entry::new(
        "adding-not-nullable-field",
        Lock,
        DANGER,
        &["PG303", "MF104", "change_column_null", "change_column_null_postgresql", "change_column_with_not_null"],
        "A column becomes NOT NULL, for which all rows are read while nobody can use the table",
        r"
`SET NOT NULL` reads the whole table under ACCESS EXCLUSIVE. From PostgreSQL 12 on it trusts a valid check constraint
instead:

```sql
ALTER TABLE visit ADD CONSTRAINT visit_day_set CHECK (day IS NOT NULL) NOT VALID;
-- in a later revision
ALTER TABLE visit VALIDATE CONSTRAINT visit_day_set;
ALTER TABLE visit ALTER COLUMN day SET NOT NULL;
ALTER TABLE visit DROP CONSTRAINT visit_day_set;
```

If a row holds NULL the statement fails, so fill these first.",
    ),
    Entry::new(
        "adding-serial-primary-key-field",
        Lock,
        DANGER,
        &["PG104", "add_column_auto_incrementing"],
        "A primary key is added to a table that exists, and its index is built while nobody can use the table",
        r"
The index is built under ACCESS EXCLUSIVE, and a new `serial` or identity column rewrites the table as well. Build the
index first:

```sql
CREATE UNIQUE INDEX CONCURRENTLY visit_pkey_new ON visit (id);  -- Transaction: off
-- in a later revision
ALTER TABLE visit ADD CONSTRAINT visit_pkey PRIMARY KEY USING INDEX visit_pkey_new;
```

The columns should be NOT NULL before, or the second statement reads the table to make them so.",
    ),
    Entry::new(
        "disallowed-unique-constraint",
        Lock,
        DANGER,
        &["PG105", "MF101", "add_unique_constraint"],
        "A unique constraint builds its index while nobody can use the table",
        r"
`ADD UNIQUE` holds ACCESS EXCLUSIVE until the index is built, and fails at the first value that is there twice. Build the
index first:

```sql
CREATE UNIQUE INDEX CONCURRENTLY patient_email_new ON patient (email);  -- Transaction: off
-- in a later revision
ALTER TABLE patient ADD CONSTRAINT patient_email_key UNIQUE USING INDEX patient_email_new;
```",
    ),
    Entry::new(
        "ban-alter-domain-with-add-constraint",
        Lock,
        DANGER,
        &[],
        "A domain gets a constraint, for which all tables that use it are read under a lock",
        r"
Every column of the domain, in every table, is checked while writers wait. `NOT VALID` skips the rows that are there:

```sql
ALTER DOMAIN email_address ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID;
-- in a later revision
ALTER DOMAIN email_address VALIDATE CONSTRAINT has_at;
```

Constraints of columns are easier to change than those of domains.",
    ),
    Entry::new(
        "prefer-repack",
        Lock,
        DANGER,
        &[],
        "A table is packed with VACUUM FULL or CLUSTER, while PostgreSQL 19 can do it without stopping others",
        r"
Both write the table anew under ACCESS EXCLUSIVE. From PostgreSQL 19 on:

```sql
REPACK (CONCURRENTLY) visit;
```",
    ),
    Entry::new(
        "rewriting-table",
        Lock,
        DANGER,
        &[],
        "A table is written anew while nobody can use it",
        r"
`VACUUM FULL`, `CLUSTER`, `SET LOGGED`, `SET UNLOGGED`, `SET ACCESS METHOD`, `SET TABLESPACE`, a new column of type
`serial` and a new generation expression copy every row under ACCESS EXCLUSIVE. That takes as long as the table is large, and as much disk again.

Do it in a maintenance window, or with a tool that copies beside the running table (`pg_repack`, `pg_squeeze`, from
PostgreSQL 19 on `REPACK (CONCURRENTLY)`). Changes of a column's type have the rule `changing-column-type`, volatile
defaults `adding-field-with-default`.",
    ),
    Entry::new(
        "adding-exclusion-constraint",
        Lock,
        DANGER,
        &["add_exclusion_constraint"],
        "An exclusion constraint reads all rows and builds its index while nobody can use the table",
        r"
`ADD CONSTRAINT … EXCLUDE` holds ACCESS EXCLUSIVE until its index is built, and unlike other constraints it has neither
`NOT VALID` nor `USING INDEX`. On a large table:

- make a new table that has the constraint from its beginning, and move rows in batches, or
- do it in a maintenance window with a `lock_timeout`.",
    ),
    Entry::new(
        "refresh-not-concurrently",
        Lock,
        DANGER,
        &[],
        "A materialized view can't be read while it is refreshed",
        r"
`REFRESH MATERIALIZED VIEW` holds ACCESS EXCLUSIVE for as long as its query runs. With a unique index on the view:

```sql
REFRESH MATERIALIZED VIEW CONCURRENTLY visits_per_day;
```

Better still, let a job refresh it and not a revision.",
    ),
    Entry::new(
        "explicit-lock",
        Lock,
        DANGER,
        &[],
        "A table is locked by hand, until the end of the transaction",
        r"
`LOCK TABLE` without a mode is ACCESS EXCLUSIVE: everybody waits until the revision is done, also for statements that
would need far less. PostgreSQL takes the locks that a statement needs by itself. If a longer sequence must not be
disturbed, name the weakest mode that does it:

```sql
LOCK TABLE visit IN SHARE ROW EXCLUSIVE MODE;
```",
    ),
    Entry::new(
        "statements-after-strong-lock",
        Lock,
        CAUTION,
        &[],
        "More work is done in the transaction while a lock is held that keeps everybody from a table",
        r"
Locks are kept until the transaction ends. After `ALTER TABLE` on a table that is in use, each further statement that
reads, writes or builds something makes everybody wait longer.

Part it: what needs the strong lock last and alone, the rest in revisions of its own. Comments, new tables and further
changes of the same table are no matter, as they take no time.",
    ),
    Entry::new(
        "backfill-in-migration",
        Lock,
        DANGER,
        &["backfilling"],
        "Rows are changed in the transaction that changes a table under a strong lock",
        r"
The table stays locked until the last row is changed, rows stay locked as well, and a failure undoes all of it. Change
the schema in one revision and the data in another, in batches:

```sql
-- Transaction: off
UPDATE visit SET state = 'done' WHERE state IS NULL AND id BETWEEN 1 AND 50000;
UPDATE visit SET state = 'done' WHERE state IS NULL AND id BETWEEN 50001 AND 100000;
```

Where facts about the target know a table of 10 000 rows or more, it is also told, as a warning, of an `UPDATE` or `DELETE` whose
condition does not bound the key.",
    ),
    Entry::new(
        "primary-key-with-nullable-columns",
        Lock,
        DANGER,
        &["PG304"],
        "A primary key takes columns that may be NULL, so all rows are read to make them NOT NULL",
        r"
`PRIMARY KEY` makes its columns NOT NULL. If they are not yet, all rows are read under ACCESS EXCLUSIVE, even if the index
is there already (`USING INDEX`). Make them so before, as the rule `adding-not-nullable-field` explains.",
    ),
    Entry::new(
        "concurrent-index-corruption",
        Lock,
        DANGER,
        &["add_index_corruption"],
        "PostgreSQL 14.0 to 14.3 may leave rows out of an index that is built concurrently",
        r"
In these versions `CREATE INDEX CONCURRENTLY` and `REINDEX CONCURRENTLY` can miss rows that change meanwhile, so queries
don't find them. Update the server to 14.4 or later first. Indexes that were built so before are to be rebuilt.",
    ),
];
