//! Transactions, and switches of a session or a database that change what statements do.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::FAULT;
use crate::rule::MYSQL;
use crate::rule::Rule;
use crate::rule::SQLITE;

static NESTING: Rule = Rule::new(
    "transaction-nesting",
    FAULT,
    BOTH,
    &[],
    "A transaction is begun or ended inside of the one that the runner makes",
    r"
The runner applies a revision, its version and its record in one transaction. A `BEGIN` in it fails or commits what
was done, a `COMMIT` ends it too early: half of the revision may stay without a record. The runner refuses such a
revision.

```sql
BEGIN;
UPDATE visit SET state = 'open' WHERE state IS NULL;
COMMIT;
```

Leave both out. If the statements need transactions of their own, say `Transaction: off` in the header. MySQL and
MariaDB have no transaction around a whole revision, so there a `START TRANSACTION` with its `COMMIT` is left alone.",
);

static UNCOMMITTED: Rule = Rule::new(
    "ban-uncommitted-transaction",
    FAULT,
    BOTH,
    &[],
    "A transaction is begun and not committed",
    r"
In a revision with `Transaction: off` statements run one by one, and transactions are its own business. What is
begun and not committed is rolled back when the session ends, although the statements count as done.

```sql
-- Transaction: off
BEGIN;
UPDATE visit SET state = 'open' WHERE state IS NULL;
```

End with `COMMIT`.",
);

static PRAGMA: Rule = Rule::new(
    "pragma-foreign-keys",
    FAULT,
    SQLITE,
    &[],
    "`PRAGMA foreign_keys` does nothing inside of a transaction",
    r"
SQLite ignores it there without a word; the runner refuses the revision. Foreign keys are off while migrations run,
unless `foreign-keys = true` is configured, so it is not needed for rebuilding a table.

```sql
PRAGMA foreign_keys = OFF;
```

Leave it out. In a revision with `Transaction: off` it works, and this rule warns where it is not switched back.",
);

static UNSAFE: Rule = Rule::new(
    "unsafe-pragma",
    DANGER,
    SQLITE,
    &[],
    "A PRAGMA takes away what keeps the database whole",
    r"
`writable_schema` lets a statement write the definitions themselves, where one mistake makes the database
unreadable. `synchronous = OFF` and `journal_mode = OFF` or `MEMORY` may destroy it when the machine stops.
`ignore_check_constraints` lets in rows that can't be there. Writing to `sqlite_schema` is the same.

```sql
PRAGMA writable_schema = ON;
```

Rebuild the table instead: create a new one, copy the rows, drop the old one, rename the new one.",
);

static CHECKS: Rule = Rule::new(
    "disabling-foreign-key-checks",
    CAUTION,
    MYSQL,
    &[],
    "Checks of foreign keys or of duplicates are switched off",
    r"
What is written meanwhile is never checked, not even when the switch is turned on again: rows may refer to nothing
for ever. An empty `sql_mode` lets the server cut values off and make dates of zeros.

```sql
SET FOREIGN_KEY_CHECKS = 0;
```

Put statements into an order in which the keys hold, or drop the key and add it again, which checks all rows.",
);

static GLOBAL: Rule = Rule::new(
    "setting-global-variable",
    CAUTION,
    MYSQL,
    &[],
    "A variable of the whole server is set",
    r"
It changes the server for all its databases and everybody who connects from now on, needs privileges that migrations
should not have, and is gone after a restart, or (`PERSIST`) stays on this server alone.

```sql
SET GLOBAL innodb_lock_wait_timeout = 5;
```

Set it for the session (`SET SESSION …`), or in the server's own configuration.",
);

static LOCK: Rule = Rule::new(
    "explicit-lock",
    DANGER,
    MYSQL,
    &[],
    "Tables are locked by a statement",
    r"
`LOCK TABLES` makes everybody else wait until `UNLOCK TABLES` or the end of the session, commits what was done
before, and lets the session touch no other table, not even the runner's own.

```sql
LOCK TABLES visit WRITE;
```

Leave it out: changes of a table take the locks that they need.",
);

pub(super) static RULES: &[&Rule] = &[&NESTING, &UNCOMMITTED, &PRAGMA, &UNSAFE, &CHECKS, &GLOBAL, &LOCK];

/// What only the order of all statements shows.
pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    if case.source.revision.transactional {
        nesting(case, findings);
        return;
    }
    let (mut begun, mut keys_off) = (None, None);
    for (index, stated) in case.up.statements.iter().enumerate() {
        match &stated.deed {
            Deed::Begin => begun = Some(Here { index, stated }),
            Deed::Commit | Deed::Rollback => begun = None,
            Deed::Pragma { name, value: Some(value) } if name == "foreign_keys" => {
                keys_off = is_off(value).then_some(Here { index, stated });
            }
            _ => {}
        }
    }
    if let Some(here) = begun {
        findings.add(&UNCOMMITTED, here.verb(), "begins a transaction that is not committed").help("end with `COMMIT`");
    }
    if let Some(here) = keys_off {
        let message = "switches foreign keys off and not on again";
        let added = findings.add(&PRAGMA, here.verb(), message).help("end with `PRAGMA foreign_keys = ON`");
        added.at_most(runner_policy_sdk::Severity::Warning);
    }
}

/// Transactions in a revision that the runner applies in one, or, on MySQL and MariaDB, those that are not ended where they should.
fn nesting(case: &Case<'_>, findings: &mut Findings<'_>) {
    let may_pair = case.circumstances.dialect == runner_policy_sdk::Dialect::Mysql;
    let mut found: Vec<Here<'_>> = Vec::new();
    // The place in `found` of what was begun last.
    let mut begun = None;
    for (index, stated) in case.up.statements.iter().enumerate() {
        let here = Here { index, stated };
        match &stated.deed {
            Deed::Begin => {
                let is_ordinary = !here.text(&stated.verb).eq_ignore_ascii_case("XA");
                begun = (may_pair && is_ordinary).then_some(found.len());
                found.push(here);
            }
            Deed::Commit => match begun.take() {
                Some(begun) => {
                    found.remove(begun);
                }
                None => found.push(here),
            },
            Deed::Rollback => {
                begun = None;
                found.push(here);
            }
            _ => {}
        }
    }
    for here in found {
        let message = "ends or begins a transaction inside of the one that the runner makes";
        findings.add(&NESTING, here.verb(), message).help("leave it out, or say `Transaction: off` in the header");
    }
}

fn is_off(value: &str) -> bool {
    ["0", "off", "false", "no"].iter().any(|off| value.trim_matches(['\'', '"']).eq_ignore_ascii_case(off))
}

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::Pragma { name, value: Some(_) } if name == "foreign_keys" && case.source.revision.transactional => {
            let message = "has no effect inside of a transaction";
            findings.add(&PRAGMA, here.verb(), message).help("leave it out: foreign keys are off while migrations run");
        }
        Deed::Pragma { name, value: Some(value) } => pragma(here, name, value, findings),
        Deed::Update { table: Some(table), .. }
        | Deed::Delete { table: Some(table), .. }
        | Deed::Insert { table, .. }
            if table.is("sqlite_master") || table.is("sqlite_schema") =>
        {
            let message = format!("writes to `{}`, where the definitions are", table.name);
            findings.add(&UNSAFE, here.verb(), message).help("rebuild the table instead");
        }
        Deed::Set(settings) => {
            for setting in settings {
                set(here, setting, findings);
            }
        }
        Deed::LockTables if !here.text(&here.stated.verb).eq_ignore_ascii_case("UNLOCK") => {
            findings.add(&LOCK, here.verb(), "locks tables for everybody else").help("leave it out");
        }
        _ => {}
    }
}

fn pragma(here: Here<'_>, name: &str, value: &str, findings: &mut Findings<'_>) {
    let is_unsafe = match name {
        "writable_schema" | "ignore_check_constraints" => !is_off(value),
        "synchronous" => is_off(value),
        "journal_mode" => is_off(value) || value.trim_matches(['\'', '"']).eq_ignore_ascii_case("memory"),
        _ => false,
    };
    if is_unsafe {
        let message = format!("`{name} = {value}` takes away what keeps the database whole");
        findings.add(&UNSAFE, here.verb(), message).help("leave it out");
    }
}

fn set(here: Here<'_>, setting: &crate::deed::Setting, findings: &mut Findings<'_>) {
    if setting.global {
        let message = format!("sets `{}` for the whole server", setting.name);
        findings.add(&GLOBAL, here.place(&setting.span), message).help("set it for the session alone");
    }
    let is_switched_off = match setting.name.as_str() {
        "foreign_key_checks" | "unique_checks" | "check_constraint_checks" => is_off(&setting.value),
        "sql_mode" => matches!(setting.value.as_str(), "''" | "\"\""),
        _ => false,
    };
    if is_switched_off {
        let message = format!("what is written with `{} = {}` is never checked", setting.name, setting.value);
        findings
            .add(&CHECKS, here.place(&setting.span), message)
            .help("put statements into an order in which the keys hold");
    }
}
