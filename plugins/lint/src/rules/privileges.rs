//! Privileges and accounts.

use super::Here;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;

static ALL: Rule = Rule::new(
    "grant-all",
    CAUTION,
    MYSQL,
    &["RX009"],
    "All privileges are granted",
    r"
`ALL` holds more than anybody needs: dropping tables, changing the schema, and on `*.*` the whole server.

```sql
GRANT ALL ON shop.* TO app;
```

Grant what the account does: `GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO app;`",
);

static PUBLIC: Rule = Rule::new(
    "grant-to-public",
    DANGER,
    MYSQL,
    &["RX005"],
    "A privilege is granted to everybody",
    r"
Since 10.11 MariaDB knows `PUBLIC`: all accounts that exist, and all that will.

```sql
GRANT SELECT ON shop.* TO PUBLIC;
```

Grant it to a role, and the role to those who need it.",
);

static OPTION: Rule = Rule::new(
    "grant-with-grant-option",
    CAUTION,
    MYSQL,
    &["RX006", "RX007"],
    "Whoever gets a privilege may pass it on",
    r"
From now on others decide who has the privilege, and revoking it from the first account leaves it with all those
that got it from there.

```sql
GRANT SELECT ON shop.* TO app WITH GRANT OPTION;
```

Leave the option out, and grant to each account that needs the privilege. `WITH ADMIN OPTION` of roles is the same.",
);

static ACCOUNT: Rule = Rule::new(
    "changing-role",
    CAUTION,
    MYSQL,
    &["RX002", "RX008", "RX010", "RX011"],
    "A user, role or password is made, changed or dropped",
    r"
Accounts belong to a server and not to a schema: the next environment has others, the revision can't be undone by
its down section, and passwords in files are read by everybody who reads the repository.

```sql
CREATE USER app IDENTIFIED BY 'secret';
```

Let the operators' tools make accounts, and grant privileges to roles that exist everywhere.",
);

static DEFINER: Rule = Rule::new(
    "definer",
    CAUTION,
    MYSQL,
    &[],
    "A view, trigger or routine runs with the rights of a named account",
    r"
`DEFINER` names an account of one server. Where it does not exist the object fails when it is used, after a restore
as well, and where it has more rights than the caller, so has everybody who may use the object.

```sql
CREATE DEFINER = 'root'@'localhost' VIEW open_visit AS SELECT id FROM visit;
```

Leave the clause out, so that the account of the migration is taken, or write `SQL SECURITY INVOKER`.",
);

pub(super) static RULES: &[&Rule] = &[&ALL, &PUBLIC, &OPTION, &ACCOUNT, &DEFINER];

pub(super) fn check_statement(here: Here<'_>, findings: &mut Findings<'_>) {
    match &here.stated.deed {
        Deed::Grant { all, public, option } => {
            if let Some(span) = all {
                findings.add(&ALL, here.place(span), "grants all privileges").help("grant what the account needs");
            }
            if let Some(span) = public {
                findings.add(&PUBLIC, here.place(span), "grants to everybody").help("grant it to a role");
            }
            if let Some(span) = option {
                let message = "lets the account pass the privilege on";
                findings.add(&OPTION, here.place(span), message).help("leave the option out");
            }
        }
        Deed::Account(what) => {
            let message = format!("`{what}` changes accounts of the server");
            findings.add(&ACCOUNT, here.verb(), message).help("let the operators' tools make and change accounts");
        }
        Deed::CreateTrigger { definer: Some(span), .. } | Deed::CreateRoutine { definer: Some(span) } => {
            let message = "runs with the rights of a named account";
            findings
                .add(&DEFINER, here.place(span), message)
                .help("leave `DEFINER` out, or write `SQL SECURITY INVOKER`");
        }
        Deed::CreateView { definer: Some(span), .. } => {
            let message = "runs with the rights of a named account";
            findings
                .add(&DEFINER, here.place(span), message)
                .help("leave `DEFINER` out, or write `SQL SECURITY INVOKER`");
        }
        _ => {}
    }
}
