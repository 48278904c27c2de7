//! What is gone afterwards.

use super::CAUTION;
use super::Concern::Loss;
use super::DANGER;
use super::Entry;

pub(super) const RULES: [Entry; 21] = [
    Entry::new(
        "ban-drop-table",
        Loss,
        DANGER,
        &["DS102", "destructive", "RX001", "drop-table"],
        "A table is dropped, with all that it holds",
        r"
The rows are gone at commit, and applications that still use the table fail. First deploy what no longer uses it; then
take rights or the name away for a while, which can be undone:

```sql
ALTER TABLE visit RENAME TO visit_unused;
```

Drop it in a later revision, with a backup.",
    ),
    Entry::new(
        "ban-drop-column",
        Loss,
        DANGER,
        &["DS103", "destructive", "RX004", "remove_column", "drop-column"],
        "A column is dropped, with all that it holds",
        r"
The values are gone at commit. Applications that read or write the column fail at once; some keep a list of columns and
fail at `SELECT *`, too.

1. Deploy a version that neither reads nor writes the column.
2. If it is NOT NULL without a default, take that away first, so that the new version can insert rows.
3. Drop it in a later revision.",
    ),
    Entry::new(
        "ban-drop-database",
        Loss,
        DANGER,
        &["drop-database"],
        "A database is dropped",
        r"
This is hardly ever what a migration is for: everything is gone, and a copy of the project's configuration with another
URL drops another one. It also refuses a transaction. Do it by hand, after a backup.",
    ),
    Entry::new(
        "ban-drop-schema",
        Loss,
        DANGER,
        &["DS101", "destructive", "drop-schema"],
        "A schema is dropped",
        r"
With `CASCADE` all its tables go as well, without being named in the revision. Drop what is in it by name first, in
revisions whose findings can be read one by one; then drop the empty schema without `CASCADE`.",
    ),
    Entry::new(
        "ban-drop-view",
        Loss,
        DANGER,
        &["drop-view"],
        "A view is dropped that others may read",
        r"
Reports and applications that read it fail at once; rights on it are gone even if it is made again. To change a view
keep its name:

```sql
CREATE OR REPLACE VIEW visits_per_day AS SELECT …;  -- new columns only at the end
```",
    ),
    Entry::new(
        "ban-drop-function",
        Loss,
        DANGER,
        &[],
        "A function, a procedure or an aggregate is dropped that others may call",
        r"
Whatever calls it fails when it is next called: PostgreSQL does not know what the bodies of functions use. Replace it
(`CREATE OR REPLACE FUNCTION`) if its signature stays, or drop it after the last caller is gone.",
    ),
    Entry::new(
        "ban-drop-type",
        Loss,
        DANGER,
        &[],
        "A type, an operator or a cast is dropped that others may use",
        r"
Drivers look types up when they connect, and functions name them in their bodies, where nothing keeps them from being
dropped. With `CASCADE` all columns of the type go as well. Drop it after the last use of it is gone.",
    ),
    Entry::new(
        "ban-drop-sequence",
        Loss,
        DANGER,
        &[],
        "A sequence is dropped that others may draw numbers from",
        r"
The next number is lost with it: a new sequence of the same name begins at 1 and gives out numbers that are in use.
Keep it, or note its last value and begin the new one behind that.",
    ),
    Entry::new(
        "ban-drop-domain",
        Loss,
        DANGER,
        &[],
        "A domain is dropped that others may use",
        r"
With `CASCADE` the columns of the domain go as well. Change the columns to the type that the domain stands for first,
then drop it without `CASCADE`.",
    ),
    Entry::new(
        "ban-drop-extension",
        Loss,
        DANGER,
        &[],
        "An extension is dropped, with its types and functions",
        r"
Its functions, operators and types go with it; with `CASCADE` also the columns and indexes that use them. Remove these
by name first, so that the revision says what is lost.",
    ),
    Entry::new(
        "ban-drop-constraint",
        Loss,
        CAUTION,
        &["CD101", "constraint_drop", "drop-foreign-key", "drop-constraint"],
        "A constraint is dropped that others may rely on",
        r"
From now on rows can be written that readers do not expect: duplicates, orphans, values out of range. The way back has to
check all rows again. If the constraint is to be replaced, add the new one (`NOT VALID`, then validate it) before the old
one goes.",
    ),
    Entry::new(
        "ban-drop-default",
        Loss,
        CAUTION,
        &["change_column_default"],
        "A default is dropped, so rows that are written without a value get NULL or are refused",
        r"
Versions of the application that run now may leave the column out. Deploy one that always states a value first.",
    ),
    Entry::new(
        "ban-drop-not-null",
        Loss,
        CAUTION,
        &[],
        "A column may hold NULL from now on, which readers may not expect",
        r"
Code that was written for values gets NULL in comparisons, sums and mappings. Deploy a version that copes with NULL
first, and let nobody write one before.",
    ),
    Entry::new(
        "ban-drop-generated-expression",
        Loss,
        CAUTION,
        &[],
        "A generated column becomes an ordinary one, and nobody keeps it up to date any longer",
        r"
Its values stay as they are, new rows get NULL. Let a version of the application write the column before, or a trigger.",
    ),
    Entry::new(
        "ban-drop-trigger",
        Loss,
        CAUTION,
        &[],
        "A trigger is dropped, and what it did is no longer done",
        r"
Nothing fails: audit rows, computed columns and checks are just missing from now on. Make sure that something else does
it. This rule is asked for with the setting `opt-in`.",
    ),
    Entry::new(
        "ban-drop-index",
        Loss,
        CAUTION,
        &[],
        "An index is dropped that queries or a guarantee may need",
        r"
A unique index is a guarantee; others make the difference between milliseconds and minutes. Look at
`pg_stat_user_indexes.idx_scan` first, on every replica. This rule is asked for with the setting `opt-in`.",
    ),
    Entry::new(
        "ban-drop-policy",
        Loss,
        CAUTION,
        &[],
        "A policy or a rule is dropped, so others see or change other rows than before",
        r"
Without its last permissive policy a table with row security shows nothing; without a restrictive one it shows more.
Create the new policy in the same transaction. This rule is asked for with the setting `opt-in`.",
    ),
    Entry::new(
        "ban-truncate-cascade",
        Loss,
        DANGER,
        &["destructive"],
        "TRUNCATE empties other tables as well, without naming them",
        r"
`CASCADE` follows foreign keys from table to table. Which ones that are depends on the database, not on the revision.
Name each table that is to be emptied:

```sql
TRUNCATE visit, prescription;
```",
    ),
    Entry::new(
        "truncate-table",
        Loss,
        DANGER,
        &["destructive", "RX003"],
        "All rows of a table are deleted",
        r"
`TRUNCATE` takes ACCESS EXCLUSIVE, fires no row triggers, and the rows are gone at commit. Open snapshots see an empty
table afterwards. Move what may be needed elsewhere first, or delete by condition and in batches.",
    ),
    Entry::new(
        "drop-cascade",
        Loss,
        DANGER,
        &[],
        "Others that depend on what is dropped are dropped with it, without being named",
        r"
What `CASCADE` takes depends on the database: views, foreign keys, defaults, columns of a type. A reader of the revision
can't see it, and the down section can't bring it back. Drop what depends on it by name first; without `CASCADE`
PostgreSQL then says what was forgotten.",
    ),
    Entry::new(
        "dropping-what-is-used",
        Loss,
        DANGER,
        &[],
        "Something is dropped that a view, a trigger or a foreign key of the target uses",
        r"
Found with facts about the target. Without `CASCADE` the statement fails; with it the other goes as well. Triggers only
fail when they next fire. Change or drop the other by name first, in the same revision.",
    ),
];
