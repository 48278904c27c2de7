//! Transactions and time-outs.

use super::ADVICE;
use super::CAUTION;
use super::Concern::Form;
use super::Entry;
use super::FAULT;
use super::LATER;

pub(super) const RULES: [Entry; 12] = [
    Entry::new(
        "transaction-nesting",
        Form,
        FAULT,
        &[],
        "The revision begins or ends a transaction by itself, which is the runner's business",
        r"
`COMMIT` would make half of the revision permanent without its row in the version table; `BEGIN` does nothing but warn.
Leave both out: each revision runs in one transaction. With `-- Transaction: off` statements run one by one, and each is
recorded.",
    ),
    Entry::new(
        "ban-uncommitted-transaction",
        Form,
        FAULT,
        &[],
        "A transaction is begun and never ended",
        "What follows `BEGIN` is undone when the connection closes. Leave `BEGIN` out, the runner makes the transaction.",
    ),
    Entry::new(
        "ban-concurrent-index-creation-in-transaction",
        Form,
        FAULT,
        &["PG103"],
        "An index is built concurrently inside of a transaction, which PostgreSQL refuses",
        r"
`CREATE INDEX CONCURRENTLY` has transactions of its own. Put it into a revision with the header line
`-- Transaction: off`, best alone.",
    ),
    Entry::new(
        "missing-transaction-off",
        Form,
        FAULT,
        &["PG103"],
        "A statement refuses to run inside of a transaction",
        r"
`CREATE INDEX CONCURRENTLY`, `VACUUM`, `REINDEX DATABASE`, `CREATE DATABASE`, `ALTER SYSTEM`, `DETACH … CONCURRENTLY` and
some more fail in a transaction. Put them into a revision of their own, with the header line

```sql
-- Transaction: off
```",
    ),
    Entry::new(
        "non-atomic-revision",
        Form,
        ADVICE,
        &[],
        "Several statements run without a transaction, so a failure leaves the first ones done",
        r"
With `Transaction: off` each statement commits by itself. If one fails, the next run goes on with that one, and undoing
is left to you. Keep such revisions to the one statement that refuses a transaction, and move the others to a revision
of their own.",
    ),
    Entry::new(
        "new-enum-value-used",
        Form,
        CAUTION,
        &[],
        "A text that is a new value of an enum is used in the transaction that adds it, which PostgreSQL refuses",
        r"
A value that `ALTER TYPE … ADD VALUE` adds can be used after the commit. Add it in one revision and use it in the next:

```sql
ALTER TYPE state ADD VALUE IF NOT EXISTS 'cancelled';
-- in a later revision
UPDATE visit SET state = 'cancelled' WHERE …;
```",
    ),
    Entry::new(
        "require-lock-timeout",
        Form,
        LATER,
        &["require-timeout-settings"],
        "Nothing bounds how long a statement waits for its lock, while all others wait behind it",
        r"
A statement that waits for a strong lock makes every later query on the table wait as well, even readers. With a limit it
gives up, and the runner tries again.

```toml
[database]
lock-timeout = '2s'
```

With this setting of the runner the rule keeps quiet; `SET lock_timeout = '2s'` in the revision does it as well.",
    ),
    Entry::new(
        "require-statement-timeout",
        Form,
        ADVICE,
        &["require-timeout-settings"],
        "Nothing bounds how long a statement runs",
        r"
A statement that holds a strong lock and takes longer than thought is an outage. A limit ends it, and the transaction is
undone. Set `statement-timeout` in `[database]` of the runner's configuration, or `SET statement_timeout` in the revision.",
    ),
    Entry::new(
        "unused-ignore",
        Form,
        CAUTION,
        &[],
        "A `squawk-ignore` comment names a rule that does not exist",
        "It suppresses nothing. Correct the name; `runner lint --explain` knows all of them.",
    ),
    Entry::new(
        "syntax-error",
        Form,
        CAUTION,
        &["unparsed-statement"],
        "A statement is not understood, so nothing is said about it",
        r"
Either PostgreSQL will refuse it, too, or the parser does not know the syntax yet. The other rules are silent about a
statement that holds such a piece. What is nested too deeply is not parsed at all.",
    ),
    Entry::new(
        "unparsed-statement",
        Form,
        LATER,
        &[],
        "What a `DO` block does is not looked into",
        r"
Its code is a text to the parser, so no rule speaks up about what it drops, locks or changes, and the forecast of locks
lacks it. Write plain statements where they do; read the others twice, and say so:

```sql
-- lint:ignore unparsed-statement reviewed by …
DO $$ BEGIN … END $$;
```",
    ),
    Entry::new(
        "concurrent-index-on-partitioned-table",
        Form,
        FAULT,
        &[],
        "An index of a partitioned table can't be built concurrently",
        r"
PostgreSQL refuses it. Make the index for the parent alone, which is over at once, build those of the partitions
concurrently, and attach them; with the last one the index of the parent becomes valid.

```sql
CREATE INDEX log_day ON ONLY log (day);
-- in revisions with the line `-- Transaction: off`, for each partition
CREATE INDEX CONCURRENTLY log_1_day ON log_1 (day);
ALTER INDEX log_day ATTACH PARTITION log_1_day;
```

It is told where facts about the target say that the table is partitioned.",
    ),
];
