//! Advice: what is easier to live with later.

use super::ADVICE;
use super::CAUTION;
use super::Concern::Form;
use super::Entry;

pub(super) const RULES: [Entry; 15] = [
    Entry::new(
        "prefer-bigint-over-int",
        Form,
        ADVICE,
        &[],
        "A 32-bit number is full after 2.1 billion",
        r"
When a key is full, inserts fail, and the way out is to write the largest table anew. 64 bits cost four bytes a row, and
often none, because of alignment. Use `bigint`.",
    ),
    Entry::new(
        "prefer-bigint-over-smallint",
        Form,
        ADVICE,
        &[],
        "A 16-bit number is full after 32 767",
        "It saves space only beside another small column. Use `bigint`, or `integer` where the range is known.",
    ),
    Entry::new(
        "prefer-identity",
        Form,
        ADVICE,
        &[],
        "`serial` leaves a sequence with rights and an owner of its own",
        r"
An identity column belongs to its table in every respect, and with `ALWAYS` nobody writes a number by mistake:

```sql
id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
```",
    ),
    Entry::new(
        "prefer-text-field",
        Form,
        ADVICE,
        &[],
        "The length of a `varchar(n)` is hard to change later",
        r"
To make it smaller the table is read under ACCESS EXCLUSIVE. `text` takes as much space, and a check constraint can be
replaced without stopping anybody:

```sql
name text CHECK (char_length(name) <= 80)
```",
    ),
    Entry::new(
        "prefer-timestamp-tz",
        Form,
        CAUTION,
        &["prefer-timestamptz"],
        "`timestamp` drops the offset of what is written to it",
        r"
The same moment written by clients in two time zones becomes two values, and nobody can tell later which was meant.
`timestamptz` takes no more space, keeps the moment and shows it in the session's time zone.",
    ),
    Entry::new(
        "ban-char-field",
        Form,
        CAUTION,
        &[],
        "`char(n)` fills values up with spaces, which comparisons then ignore",
        "It is no faster than `text`, and surprises in `LIKE`, in concatenation and in indexes. Use `text` or `varchar`.",
    ),
    Entry::new(
        "prefer-robust-stmts",
        Form,
        ADVICE,
        &[],
        "A statement outside of a transaction can't be run again after a failure",
        r"
The runner goes on with the first statement that is not recorded as done. Where it can't know whether one was done, as
after a lost connection, a statement that may run twice saves the question:

```sql
CREATE INDEX CONCURRENTLY IF NOT EXISTS visit_day ON visit (day);
```",
    ),
    Entry::new(
        "prefer-jsonb",
        Form,
        CAUTION,
        &["add_column_json"],
        "A column of type `json` can't be compared",
        r"
`json` keeps the text and has no `=`, so `SELECT DISTINCT`, `UNION` and `GROUP BY` over the row fail, in applications
that did well before. Use `jsonb`, which can also be indexed.",
    ),
    Entry::new(
        "require-enum-value-ordering",
        Form,
        ADVICE,
        &[],
        "A new value of an enum goes to its end",
        "`ORDER BY` and comparisons follow the order of the values. Say `BEFORE` or `AFTER`, so that it is meant.",
    ),
    Entry::new(
        "require-table-schema",
        Form,
        ADVICE,
        &[],
        "A table is named without its schema",
        r"
Where it is made depends on `search_path`, which differs between roles and environments. Write `clinic.visit`. This rule
is asked for with the setting `opt-in`; it does not suit projects that run the same chain in several schemas.",
    ),
    Entry::new(
        "identifier-too-long",
        Form,
        CAUTION,
        &[],
        "PostgreSQL cuts names after 63 bytes",
        "Two names that only differ later are the same, and tools that look for the long name do not find it.",
    ),
    Entry::new(
        "ban-create-domain-with-constraint",
        Form,
        ADVICE,
        &[],
        "A domain with constraints is hard to change later",
        "A change checks all columns of it in all tables at once. Constraints of columns can be changed one by one.",
    ),
    Entry::new(
        "missing-primary-key",
        Form,
        CAUTION,
        &["RX013"],
        "A table has no primary key",
        r"
Rows can be there twice and can't be told apart, logical replication refuses updates and deletes, and tools that repack
or copy the table in pieces need one. Tables of one transaction and partitions are left out.",
    ),
    Entry::new(
        "wide-index",
        Form,
        ADVICE,
        &["add_index_columns"],
        "An index of more than three columns is seldom worth its price",
        r"
It is large, slows down each write, and only helps queries that name its first columns. Often the first two or three
columns do as well, and `INCLUDE` carries what is only to be read. Unique indexes are a guarantee and are left out.",
    ),
    Entry::new(
        "column-alignment",
        Form,
        ADVICE,
        &["PG110", "AR101"],
        "Another order of columns makes each row smaller",
        r"
PostgreSQL fills up with empty bytes before columns of eight or four bytes. Columns of eight bytes first, then those of
four, of two and of one, then text and the like, need none. It is told when it saves eight bytes a row or more, and only
for new tables, where it costs nothing.",
    ),
];
