//! Statements that can be run again.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::BOTH;
use crate::rule::Rule;

static ROBUST: Rule = Rule::new(
    "prefer-robust-stmts",
    ADVICE,
    BOTH,
    &[],
    "A statement outside of a transaction fails when it is run again",
    r"
In a revision with `Transaction: off` nothing takes back what was done before a failure. The runner goes on at the
first statement that is not recorded as done; if the process died just between, that one is run again and fails
because its work is there already.

```sql
-- Transaction: off
CREATE TABLE visit (id INTEGER PRIMARY KEY);
```

Say `IF NOT EXISTS`, or `IF EXISTS` where something is dropped. MySQL knows it for tables and views alone, MariaDB
for all.",
);

pub(super) static RULES: &[&Rule] = &[&ROBUST];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if case.source.revision.transactional || is_elsewhere(case) || case.rebuild_at(here.index).is_some() {
        return;
    }
    let server = case.target.server();
    // MySQL has it for neither indexes nor much else, and whether it is MySQL is not always known.
    let for_indexes = server.dialect == runner_policy_sdk::Dialect::Sqlite || server.is_mariadb;
    let (what, words, start) = match &here.stated.deed {
        Deed::CreateTable { table, .. } if !table.if_not_exists && table.replaces.is_none() => {
            ("a table", "IF NOT EXISTS ", table.name_start)
        }
        Deed::DropTable { if_exists: false, name_start, .. } => ("a table", "IF EXISTS ", *name_start),
        Deed::CreateIndex { if_not_exists: false, name_start, .. } if for_indexes => {
            ("an index", "IF NOT EXISTS ", *name_start)
        }
        Deed::DropIndex { if_exists: false, name_start, .. } if for_indexes => ("an index", "IF EXISTS ", *name_start),
        Deed::Drop { if_exists: false, name_start, .. } => ("what it names", "IF EXISTS ", *name_start),
        _ => return,
    };
    let verb = if words.contains("NOT") { "creates" } else { "drops" };
    let message = format!("{verb} {what}, and fails when it is run again");
    let words_alone = words.trim_end();
    findings.add(&ROBUST, here.verb(), message).help(format!("say `{words_alone}`")).fix(
        &format!("says `{words_alone}`"),
        here.span(&(start..start)),
        words,
    );
}
