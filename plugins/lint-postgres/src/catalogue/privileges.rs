//! Who may do what.

use super::CAUTION;
use super::Concern::Form;
use super::DANGER;
use super::Entry;

pub(super) const RULES: [Entry; 5] = [
    Entry::new(
        "grant-all",
        Form,
        CAUTION,
        &["RX009"],
        "A role gets all rights on something",
        r"
`ALL` includes `TRUNCATE`, `REFERENCES` and `TRIGGER`, with which an application can destroy data or have code run as
others. Name what it needs:

```sql
GRANT SELECT, INSERT, UPDATE, DELETE ON visit TO app;
```",
    ),
    Entry::new(
        "grant-to-public",
        Form,
        DANGER,
        &["RX005"],
        "Every role gets a right, also those that come later",
        r"
`PUBLIC` is everybody who can connect, monitoring and reporting accounts included. Grant to a role, and make members of
those who need it.",
    ),
    Entry::new(
        "grant-with-grant-option",
        Form,
        CAUTION,
        &["RX006", "RX007"],
        "A role may hand on what it gets",
        r"
With `WITH GRANT OPTION` or `WITH ADMIN OPTION` others get rights that no revision knows of, and revoking has to cascade.
Grant to each role in a revision instead.",
    ),
    Entry::new(
        "changing-role",
        Form,
        CAUTION,
        &["RX008", "RX010", "RX011"],
        "A role is created, changed or dropped, which is about the whole server",
        r"
Roles belong to all databases of a server, so the revision does something else where the database is restored or several
share a server, and needs rights that a migration should not have. Let whoever runs the server make roles, and grant
rights here.",
    ),
    Entry::new(
        "role-password",
        Form,
        DANGER,
        &["RX002"],
        "A password is written into a revision",
        r"
It is in the history of the repository and in the server's log from then on, and the same in every environment. Set it
outside: `\password app` in psql, or by what manages your secrets. `PASSWORD NULL` is fine.",
    ),
];
