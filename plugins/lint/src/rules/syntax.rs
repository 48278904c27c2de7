//! What was not understood.

use super::Here;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::Rule;

static UNPARSED: Rule = Rule::new(
    "unparsed-statement",
    CAUTION,
    BOTH,
    &["syntax-error"],
    "A statement was not understood, so no other rule has looked into it",
    r"
Either the database will not understand it either, or it is something that this policy does not know. What it does
nobody has checked.

```sql
ALTER TABEL visit ADD COLUMN room TEXT;
```

Mend it if it is a mistake. Otherwise read it twice, and say so: `-- lint:ignore unparsed-statement reviewed by …`.
Bodies of triggers and procedures are not looked into, and rows of data are not parsed; neither is reported.",
);

pub(super) static RULES: &[&Rule] = &[&UNPARSED];

/// First words of what may do harm.
const DANGEROUS: [&str; 9] = ["DROP", "TRUNCATE", "ALTER", "DELETE", "UPDATE", "RENAME", "GRANT", "REPLACE", "MERGE"];

pub(super) fn check_statement(here: Here<'_>, findings: &mut Findings<'_>) {
    if let Some(unread) = &here.stated.unread {
        let verb = here.text(&here.stated.verb).to_ascii_uppercase();
        let mut message = format!("not understood: {}", unread.expected);
        if DANGEROUS.contains(&verb.as_str()) {
            message += &format!("; what this `{verb}` does was not looked into");
        }
        findings.add(&UNPARSED, here.place(&unread.span), message).help("mend it, or read it twice and say so");
    }
    if here.stated.deed == Deed::RunsOthers {
        let message = "runs statements of its own, which are not looked into";
        findings.add(&UNPARSED, here.verb(), message).help("write them out, or read them twice and say so");
    }
    let Deed::AlterTable { table, changes, .. } = &here.stated.deed else { return };
    for change in changes {
        if let ChangeKind::Unknown(expected) = &change.what {
            let message = format!("not understood: {expected}; what this does to `{}` was not looked into", table.name);
            findings.add(&UNPARSED, here.place(&change.span), message).help("mend it, or read it twice and say so");
        }
    }
}
