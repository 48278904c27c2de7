//! Changes of rows.

use super::CAUTION;
use super::Concern::Form;
use super::Concern::Loss;
use super::DANGER;
use super::Entry;
use super::FAULT;

pub(super) const RULES: [Entry; 4] = [
    Entry::new(
        "update-without-where",
        Loss,
        DANGER,
        &[],
        "All rows of a table are changed",
        r"
The old values are gone, every row is locked until the commit, and the table doubles in size for a while. Say which rows
are meant, and change many in batches:

```sql
UPDATE visit SET state = 'open' WHERE state IS NULL AND id <= 50000;
```",
    ),
    Entry::new(
        "delete-without-where",
        Loss,
        DANGER,
        &["destructive"],
        "All rows of a table are deleted",
        r"
If that is meant, say so with a condition that a reader can check, as `WHERE true` with a comment does not. Often a
condition was forgotten. Move what may be needed elsewhere first.",
    ),
    Entry::new(
        "ban-duplicate-column-assignments",
        Form,
        FAULT,
        &[],
        "A column is assigned or defined twice in one statement, which PostgreSQL refuses",
        "Keep one of the two: `UPDATE visit SET state = 'a', state = 'b'` fails before it changes anything.",
    ),
    Entry::new(
        "comparison-with-null",
        Form,
        CAUTION,
        &[],
        "A comparison with NULL holds for no row",
        r"
`= NULL` and `<> NULL` are neither true nor false, so the statement finds nothing and says nothing.

```sql
UPDATE visit SET state = 'open' WHERE closed = NULL;
```

Write `IS NULL` or `IS NOT NULL`.",
    ),
];
