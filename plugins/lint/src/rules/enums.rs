//! Values of `ENUM` and `SET`, compared with the column as it is.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;
use crate::types;

static REMOVE: Rule = Rule::new(
    "removing-enum-value",
    DANGER,
    MYSQL,
    &["MY110", "MY120"],
    "A value of an ENUM or SET column is taken away",
    r"
Rows that hold the value make the change fail; without strict mode they get the empty string instead. The table is
copied, and nobody can write meanwhile. Without facts about the target the values as they are remain unknown, and
the worst is assumed.

```sql
ALTER TABLE visit MODIFY state ENUM('open', 'closed'); -- was ENUM('open', 'closed', 'lost')
```

Change the rows that hold the value first, in a revision before, and make sure that nothing writes it any longer.",
);

static REORDER: Rule = Rule::new(
    "reordering-enum-values",
    DANGER,
    MYSQL,
    &["MY111", "MY112", "MY121", "MY122"],
    "Values of an ENUM or SET column change their positions",
    r"
Rows hold the position of a value and not its text. If values are put before or between others, all rows are written
anew: the table is copied, and nobody can write meanwhile. Comparisons and `ORDER BY` of an ENUM follow the new
order.

```sql
ALTER TABLE visit MODIFY state ENUM('planned', 'open', 'closed'); -- was ENUM('open', 'closed')
```

Add new values at the end, which changes nothing but the definition. Found with facts about the target only.",
);

static GROW: Rule = Rule::new(
    "growing-enum-storage",
    DANGER,
    MYSQL,
    &["MY113", "MY123"],
    "An ENUM or SET column needs more bytes than before",
    r"
An ENUM of more than 255 values takes two bytes in place of one, and a SET one byte more for every eight values (and
eight from 33 on). Crossing such a limit writes all rows anew: the table is copied, and nobody can write meanwhile.

```sql
ALTER TABLE visit MODIFY tags SET('a', …, 'i'); -- was SET('a', …, 'h'), eight values
```

Keep values that grow in number in a table of their own. Found with facts about the target only.",
);

pub(super) static RULES: &[&Rule] = &[&REMOVE, &REORDER, &GROW];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    let Deed::AlterTable { table, changes, .. } = &here.stated.deed else { return };
    if !case.is_used(table) {
        return;
    }
    for change in changes {
        let ChangeKind::Redefine { old, column, .. } = &change.what else { continue };
        let new = &column.data_type;
        if !matches!(new.name.as_str(), "ENUM" | "SET") || case.target.is_added(table, &old.name) {
            continue;
        }
        let (name, size) = (format!("`{}.{}`", table.name, old.name), case.target.size(&table.name));
        let place = here.place(&new.span);
        let Some(known) = case.target.column(&table.name, &old.name) else {
            let message = format!("{name} gets another list of values; those that it has are unknown ({size})");
            findings.add(&REMOVE, place, message).help("keep all values that it has, and add new ones at the end");
            continue;
        };
        let before = types::read(&known.data_type);
        if before.name != new.name {
            let message =
                format!("{name} changes from {} to {}: rows may hold other values ({size})", known.data_type, new.name);
            findings.add(&REMOVE, place, message).help("add a column of the new type, and fill it in batches");
            continue;
        }
        let is_kept = |value: &&String| new.arguments.iter().any(|other| other.eq_ignore_ascii_case(value));
        let removed: Vec<&String> = before.arguments.iter().filter(|value| !is_kept(value)).collect();
        let in_place = before.arguments.iter().zip(&new.arguments).all(|(old, new)| old.eq_ignore_ascii_case(new));
        if let Some(value) = removed.first() {
            let more = if removed.len() > 1 { format!(" and {} more", removed.len() - 1) } else { String::new() };
            let message = format!("takes `{value}`{more} from the values of {name} ({size})");
            findings.add(&REMOVE, place, message).help("change the rows that hold it first, in a revision before");
        } else if !in_place {
            let message = format!("values of {name} change their positions: the table is copied ({size})");
            case.eased(findings.add(&REORDER, place, message), &table.name).help("add new values at the end");
        } else if bytes(&new.name, new.arguments.len()) > bytes(&new.name, before.arguments.len()) {
            let count = new.arguments.len();
            let message =
                format!("{name} has {count} values and needs more bytes than before: the table is copied ({size})");
            case.eased(findings.add(&GROW, place, message), &table.name)
                .help("keep the values in a table of their own");
        }
    }
}

/// What a row takes for a column of so many values.
fn bytes(name: &str, values: usize) -> usize {
    match (name, values) {
        ("ENUM", 0..=255) => 1,
        ("ENUM", _) => 2,
        (_, 33..) => 8,
        (_, values) => values.div_ceil(8),
    }
}
