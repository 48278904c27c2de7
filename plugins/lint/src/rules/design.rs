//! How new tables and columns are made.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::Default;
use crate::deed::Name;
use crate::deed::Table;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::FAULT;
use crate::rule::MYSQL;
use crate::rule::Rule;
use crate::rule::SQLITE;

static NO_KEY: Rule = Rule::new(
    "missing-primary-key",
    CAUTION,
    BOTH,
    &["RX013"],
    "A table has no primary key",
    r"
Rows can't be told apart, so one of two equal ones can't be mended or deleted. Replicas of MySQL and MariaDB search
the whole table for each row that changes, and clusters refuse such a table.

```sql
CREATE TABLE visit (started DATETIME, notes TEXT);
```

Give it a key: a number of its own, or the columns that tell rows apart.",
);

static ENGINE: Rule = Rule::new(
    "storage-engine",
    CAUTION,
    MYSQL,
    &[],
    "A table is kept by an engine without transactions",
    r"
MyISAM, Aria, MEMORY, CSV and ARCHIVE know no transactions and no foreign keys: what a failed transaction wrote
stays, MEMORY forgets all rows with the next restart, and MyISAM lets one writer in at a time and may need repair
after a crash.

```sql
CREATE TABLE visit (id INT PRIMARY KEY) ENGINE=MyISAM;
```

Leave the option out or say `ENGINE=InnoDB`.",
);

static WIDTH: Rule = Rule::new(
    "deprecated-display-width",
    ADVICE,
    MYSQL,
    &[],
    "A whole number has a display width, or ZEROFILL",
    r"
`INT(5)` holds as many digits as `INT`; the number was for clients that pad with blanks. MySQL has deprecated both
since 8.0.17 and leaves the width out when it shows the table, so tools see a difference that is none. `TINYINT(1)`
is left alone: clients take it for a boolean.

```sql
CREATE TABLE visit (id INT(11) PRIMARY KEY, number INT ZEROFILL);
```

Write `INT`, and pad where numbers are shown.",
);

static FLOAT: Rule = Rule::new(
    "float-for-money",
    ADVICE,
    BOTH,
    &[],
    "Money is kept as a floating-point number",
    r"
`0.1 + 0.2` is not `0.3` there: sums drift, comparisons fail, and bookkeepers notice.

```sql
CREATE TABLE invoice (id INTEGER PRIMARY KEY, price FLOAT);
```

Use `DECIMAL(12, 2)` on MySQL and MariaDB. SQLite has no exact fractions: keep whole cents in an `INTEGER`.",
);

static CHARSET: Rule = Rule::new(
    "prefer-utf8mb4",
    CAUTION,
    MYSQL,
    &[],
    "A table or column can't hold all characters",
    r"
`utf8` (`utf8mb3`) of MySQL and MariaDB lacks everything beyond the first 65 536 characters, such as emoji and rare
Chinese characters, and `latin1` nearly everything. In strict mode such a text is refused, otherwise it is cut off.
Comparing columns of two character sets can't use indexes.

```sql
CREATE TABLE visit (id INT PRIMARY KEY, notes TEXT) DEFAULT CHARSET=utf8;
```

Write `utf8mb4`. `ascii` and `binary` are left alone, as somebody meant them.",
);

static ZERO: Rule = Rule::new(
    "zero-date",
    CAUTION,
    MYSQL,
    &[],
    "A date of zeros is the default",
    r"
`'0000-00-00'` is no date: strict mode, which is the default, refuses it, clients fail to read it or take it for
NULL, and so do other databases.

```sql
CREATE TABLE visit (id INT PRIMARY KEY, closed DATE NOT NULL DEFAULT '0000-00-00');
```

Let the column be NULL where there is no date.",
);

static BIGINT: Rule = Rule::new(
    "prefer-bigint-over-int",
    ADVICE,
    MYSQL,
    &[],
    "A counter ends at 2 147 483 647 or before",
    r"
A table that takes a hundred rows a second is full after eight months, and nothing can be inserted then. To change
the type, the table and all that refer to it are written anew. Rolled back and ignored inserts count as well.

```sql
CREATE TABLE visit (id INT AUTO_INCREMENT PRIMARY KEY);
```

Use `BIGINT`, for columns that refer to it as well. It costs four bytes a row.",
);

static AFFINITY: Rule = Rule::new(
    "misleading-type",
    CAUTION,
    SQLITE,
    &[],
    "SQLite understands a type otherwise than it reads",
    r"
SQLite looks for parts of the name. `STRING` holds none that it knows and becomes NUMERIC: the text `'007'` is kept
as the number 7. `FLOATING POINT` and `CHARINT` hold `INT` and keep whole numbers.

```sql
CREATE TABLE visit (id INTEGER PRIMARY KEY, number STRING);
```

Write `TEXT`, `INTEGER`, `REAL`, `BLOB` or `NUMERIC`, or make the table `STRICT`, which refuses all others.",
);

static LONG: Rule = Rule::new(
    "identifier-too-long",
    FAULT,
    MYSQL,
    &[],
    "A name is longer than the database takes",
    r"
MySQL and MariaDB take names of at most 64 characters and refuse the statement, after those before it are committed.

```sql
CREATE INDEX ix_of_all_visits_of_a_patient_by_their_room_and_the_time_when_they_began ON visit (room);
```

Choose a shorter name.",
);

static YEAR: Rule = Rule::new(
    "timestamp-2038",
    ADVICE,
    MYSQL,
    &[],
    "TIMESTAMP ends in January 2038",
    r"
MySQL keeps a `TIMESTAMP` as seconds since 1970 in four bytes: dates from 2038-01-19 on are refused, and contracts,
pensions and certificates reach there today. (MariaDB from 11.5 on reaches 2106.) It also shows another time in each
session's time zone.

```sql
CREATE TABLE contract (id INT PRIMARY KEY, valid_until TIMESTAMP);
```

Use `DATETIME` for times that are not about the row itself. Columns that are set by `CURRENT_TIMESTAMP` are left
alone.",
);

pub(super) static RULES: &[&Rule] =
    &[&NO_KEY, &ENGINE, &WIDTH, &FLOAT, &CHARSET, &ZERO, &BIGINT, &AFFINITY, &LONG, &YEAR];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::CreateTable { name, table } => {
            new_table(here, name, table, findings);
            for column in &table.columns {
                new_column(case, here, name, column, findings);
            }
            for name in table.indexes.iter().filter_map(|index| index.name.as_ref()) {
                long(here, name, findings);
            }
        }
        Deed::AlterTable { table, changes, .. } => {
            for change in changes {
                match &change.what {
                    ChangeKind::AddColumn { column, .. } | ChangeKind::Redefine { column, .. } => {
                        new_column(case, here, table, column, findings);
                    }
                    ChangeKind::AddIndex(index) => index.name.iter().for_each(|name| long(here, name, findings)),
                    ChangeKind::Engine(engine) => storage(here, engine, &change.span, findings),
                    ChangeKind::Convert(charset) => characters(here, charset, &change.span, findings),
                    ChangeKind::RenameTable(name) => long(here, name, findings),
                    _ => {}
                }
            }
        }
        Deed::CreateIndex { index, .. } => index.name.iter().for_each(|name| long(here, name, findings)),
        _ => {}
    }
}

fn new_table(here: Here<'_>, name: &Name, table: &Table, findings: &mut Findings<'_>) {
    long(here, name, findings);
    let has_key = own_primary_key(table);
    if !has_key && !table.temporary && !table.derived {
        let message = format!("`{}` has no primary key", name.name);
        findings
            .add(&NO_KEY, here.place(&name.span), message)
            .help("give it the columns that tell rows apart, or a number");
    }
    for option in &table.options {
        match option.name.as_str() {
            "ENGINE" if !table.temporary => storage(here, &option.value, &option.span, findings),
            "CHARSET" => characters(here, &option.value, &option.span, findings),
            _ => {}
        }
    }
}

fn own_primary_key(table: &Table) -> bool {
    table.columns.iter().any(|column| column.primary_key || column.data_type.name == "SERIAL")
        || table.constraints.iter().any(|constraint| matches!(constraint.what, ConstraintKind::PrimaryKey(_)))
}

fn storage(here: Here<'_>, engine: &str, span: &std::ops::Range<usize>, findings: &mut Findings<'_>) {
    const WITHOUT: [&str; 8] = ["MYISAM", "ARIA", "MEMORY", "HEAP", "CSV", "ARCHIVE", "BLACKHOLE", "MERGE"];
    if WITHOUT.iter().any(|name| engine.eq_ignore_ascii_case(name)) {
        findings
            .add(&ENGINE, here.place(span), format!("`{engine}` knows no transactions"))
            .help("say `ENGINE=InnoDB`");
    }
}

fn characters(here: Here<'_>, charset: &str, span: &std::ops::Range<usize>, findings: &mut Findings<'_>) {
    const ALL: [&str; 6] = ["UTF8MB4", "UTF16", "UTF32", "UTF16LE", "ASCII", "BINARY"];
    if !ALL.iter().any(|name| charset.eq_ignore_ascii_case(name)) && !charset.eq_ignore_ascii_case("DEFAULT") {
        findings
            .add(&CHARSET, here.place(span), format!("`{charset}` can't hold all characters"))
            .help("write `utf8mb4`");
    }
}

fn long(here: Here<'_>, name: &Name, findings: &mut Findings<'_>) {
    let length = name.name.chars().count();
    if length > 64 {
        let message = format!("the name has {length} characters, and at most 64 are taken");
        findings.add(&LONG, here.place(&name.span), message).help("choose a shorter name");
    }
}

fn new_column(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Column, findings: &mut Findings<'_>) {
    const WHOLE: [&str; 6] = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT"];
    let data_type = &column.data_type;
    let (name, place) = (data_type.name.as_str(), here.place(&data_type.span));
    long(here, &Name { schema: None, name: column.name.clone(), span: column.span.clone() }, findings);
    let is_boolean = name == "TINYINT" && data_type.arguments == ["1"];
    if WHOLE.contains(&name) && !is_boolean && (!data_type.arguments.is_empty() || data_type.zerofill) {
        let message = format!("the display width of `{}` limits nothing", column.name);
        let without =
            if data_type.unsigned || data_type.zerofill { format!("{name} UNSIGNED") } else { name.to_owned() };
        findings.add(&WIDTH, place.clone(), message).help(format!("write `{without}`"));
    }
    if is_money(&column.name) && ["FLOAT", "REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT4", "FLOAT8"].contains(&name) {
        let message = format!("`{}.{}` keeps money as a floating-point number", table.name, column.name);
        let is_lite = case.circumstances.dialect == runner_policy_sdk::Dialect::Sqlite;
        let help = if is_lite { "keep whole cents in an INTEGER" } else { "use DECIMAL(12, 2)" };
        findings.add(&FLOAT, place.clone(), message).help(help);
    }
    if let Some(charset) = &data_type.charset {
        characters(here, charset, &column.span, findings);
    }
    if let Some(Default::Constant(value)) = &column.default
        && value.contains("0000-00-00")
    {
        let message = format!("`{}` is a date of zeros by default", column.name);
        findings.add(&ZERO, here.place(&column.default_span), message).help("let the column be NULL");
    }
    if column.auto_increment && ["INT", "INTEGER", "MEDIUMINT", "SMALLINT", "TINYINT"].contains(&name) {
        let message = format!("`{}.{}` counts in {name}", table.name, column.name);
        findings.add(&BIGINT, place.clone(), message).help("use BIGINT");
    }
    if name == "TIMESTAMP" && column.default != Some(Default::Now) && !case.target.server().is_mariadb_from((11, 5, 0))
    {
        let message = format!("`{}.{}` ends in January 2038", table.name, column.name);
        findings.add(&YEAR, place.clone(), message).help("use DATETIME");
    }
    // Of two words the parser of SQLite takes any.
    let has = |part: &str| name.contains(part);
    let is_text = has("CHAR") || has("CLOB") || has("TEXT");
    let misleads = match name {
        "STRING" | "STR" => Some("NUMERIC: the text '007' is kept as 7"),
        _ if has("INT") && (is_text || has("POINT")) => Some("INTEGER"),
        _ => None,
    };
    if let Some(affinity) = misleads {
        let message = format!("SQLite takes the type {name} of `{}` for {affinity}", column.name);
        findings.add(&AFFINITY, place, message).help("write TEXT, INTEGER, REAL, BLOB or NUMERIC");
    }
}

fn is_money(name: &str) -> bool {
    const WORDS: [&str; 13] = [
        "price", "amount", "cost", "fee", "salary", "balance", "total", "tax", "payment", "discount", "wage",
        "revenue", "money",
    ];
    let name = name.to_lowercase();
    name.split('_')
        .any(|part| WORDS.contains(&part) || part.strip_suffix('s').is_some_and(|part| WORDS.contains(&part)))
}
