//! What must not stand in a file that everybody who reads the repository reads.

use crate::rule::ALL;
use crate::rule::FAULT;
use crate::rule::Rule;

pub(crate) static SECRET: Rule = Rule::new(
    "secret-in-migration",
    FAULT,
    ALL,
    &["RX002"],
    "A password, key or token is written in the file",
    r"
Whoever reads the repository, a backup of it or the log of a server has it, and it stays in the history after it was
removed from the file.

```sql
CREATE USER app IDENTIFIED BY 'hunter2';
```

Take it out, and replace it wherever it was used: it is known. Accounts and their passwords are for the operators'
tools. What looks like a placeholder (`${…}`, `<…>`, `***`) or a hash of a password is left alone. The finding does
not repeat the secret.",
);

pub(super) static RULES: &[&Rule] = &[&SECRET];
