//! Names of what is new.

use super::Case;
use super::Here;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::Constraint;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::Index;
use crate::deed::Name;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::ALL;
use crate::rule::Rule;
use crate::settings::NamingStyle;

static NAMING: Rule = Rule::new(
    "naming",
    ADVICE,
    ALL,
    &["NM101", "NM102", "NM103", "NM104", "NM105", "NM106", "name_case"],
    "A new name is not written as the others",
    r"
Names in one style can be guessed, need no quotes and mean the same on every database: PostgreSQL folds `UserName`
to `username`, and MySQL tells `Visit` from `visit` on Linux and not on other systems.

```sql
CREATE TABLE UserAccount (userId INTEGER PRIMARY KEY);
```

By default names are asked to be `snake_case` and nothing else. The settings `naming.style` (`snake-case`,
`camel-case`, `pascal-case`, `any`) and `naming.table-prefix`, `index-prefix`, `foreign-key-prefix` … say otherwise.
Only names that a revision makes are looked at.",
);

pub(super) static RULES: &[&Rule] = &[&NAMING];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    let naming = &case.settings.naming;
    let mut check = |what: &str, name: &Name, prefix: &str| {
        let is_good = fits(&name.name, naming.style) && name.name.starts_with(prefix);
        if !is_good {
            let wanted = suggestion(&name.name, naming.style, prefix);
            let message = format!("the name of the {what} `{}` is not {}", name.name, asked(naming.style, prefix));
            findings.add(&NAMING, here.place(&name.span), message).help(format!("call it `{wanted}`"));
        }
    };
    let column = |column: &Column| Name { schema: None, name: column.name.clone(), span: column.span.clone() };
    let index = |index: &Index, check: &mut dyn FnMut(&str, &Name, &str)| {
        if let Some(name) = &index.name {
            check("index", name, &naming.index_prefix);
        }
    };
    let constraint = |constraint: &Constraint, check: &mut dyn FnMut(&str, &Name, &str)| {
        let Some(name) = &constraint.name else { return };
        match constraint.what {
            ConstraintKind::ForeignKey { .. } => check("foreign key", name, &naming.foreign_key_prefix),
            ConstraintKind::Check { .. } => check("check", name, &naming.check_prefix),
            ConstraintKind::Unique(_) => check("constraint", name, &naming.index_prefix),
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Other => {}
        }
    };
    match &here.stated.deed {
        Deed::CreateTable { name, table } => {
            // A table that is rebuilt has another name for a moment.
            if case.rebuilds.iter().all(|rebuild| rebuild.created != here.index || rebuild.wrong_order) {
                check("table", name, &naming.table_prefix);
            }
            table.columns.iter().for_each(|new| check("column", &column(new), &naming.column_prefix));
            table.indexes.iter().for_each(|new| index(new, &mut check));
            table.constraints.iter().for_each(|new| constraint(new, &mut check));
        }
        Deed::AlterTable { changes, .. } => {
            for change in changes {
                match &change.what {
                    ChangeKind::AddColumn { column: new, .. } => check("column", &column(new), &naming.column_prefix),
                    ChangeKind::Redefine { old, column: new, .. } if !old.is(&new.name) => {
                        check("column", &column(new), &naming.column_prefix);
                    }
                    ChangeKind::RenameColumn { new, .. } => check("column", new, &naming.column_prefix),
                    ChangeKind::RenameTable(new) if case.rebuild_at(here.index).is_none() => {
                        check("table", new, &naming.table_prefix);
                    }
                    ChangeKind::AddIndex(new) => index(new, &mut check),
                    ChangeKind::AddConstraint(new) => constraint(new, &mut check),
                    _ => {}
                }
            }
        }
        Deed::RenameTables(pairs) => pairs.iter().for_each(|(_, new)| check("table", new, &naming.table_prefix)),
        Deed::CreateIndex { index: new, .. } => index(new, &mut check),
        Deed::CreateDatabase(Some(name)) => check("schema", name, &naming.schema_prefix),
        Deed::CreateView { name, .. } => check("view", name, &naming.table_prefix),
        _ => {}
    }
}

fn fits(name: &str, style: NamingStyle) -> bool {
    let first = name.chars().next().unwrap_or('_');
    let plain = |extra: fn(char) -> bool| name.chars().all(|sign| sign.is_alphanumeric() || extra(sign));
    match style {
        NamingStyle::Any => true,
        NamingStyle::SnakeCase => plain(|sign| sign == '_') && !name.chars().any(char::is_uppercase),
        NamingStyle::CamelCase => plain(|_| false) && !first.is_uppercase(),
        NamingStyle::PascalCase => plain(|_| false) && first.is_uppercase(),
    }
}

fn asked(style: NamingStyle, prefix: &str) -> String {
    let style = match style {
        NamingStyle::SnakeCase => "`snake_case`",
        NamingStyle::CamelCase => "`camelCase`",
        NamingStyle::PascalCase => "`PascalCase`",
        NamingStyle::Any => "as agreed",
    };
    if prefix.is_empty() { style.to_owned() } else { format!("{style} with `{prefix}` in front") }
}

/// The name as it is asked for.
fn suggestion(name: &str, style: NamingStyle, prefix: &str) -> String {
    let rest = name.strip_prefix(prefix).unwrap_or(name);
    let words = words(rest);
    let capital = |word: &String| {
        let mut signs = word.chars();
        signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
    };
    let styled = match style {
        NamingStyle::Any => rest.to_owned(),
        NamingStyle::SnakeCase => words.join("_"),
        NamingStyle::PascalCase => words.iter().map(capital).collect(),
        NamingStyle::CamelCase => {
            let mut words = words.iter();
            words.next().cloned().unwrap_or_default() + &words.map(capital).collect::<String>()
        }
    };
    format!("{prefix}{styled}")
}

/// The words of a name in lower case: `userID` has `user` and `id`, `HTTPPort` has `http` and `port`.
fn words(name: &str) -> Vec<String> {
    let signs: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for (at, sign) in signs.iter().enumerate() {
        if !sign.is_alphanumeric() {
            is_open = false;
            continue;
        }
        let before_is_lower = at > 0 && !signs[at - 1].is_uppercase();
        let ends_capitals = signs.get(at + 1).is_some_and(|next| next.is_lowercase());
        if sign.is_uppercase() && (before_is_lower || ends_capitals) {
            is_open = false;
        }
        if !is_open {
            words.push(String::new());
            is_open = true;
        }
        if let Some(word) = words.last_mut() {
            word.extend(sign.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        for (name, snake, camel, pascal) in [
            ("UserAccount", "user_account", "userAccount", "UserAccount"),
            ("userID", "user_id", "userId", "UserId"),
            ("HTTPPort", "http_port", "httpPort", "HttpPort"),
            ("home address", "home_address", "homeAddress", "HomeAddress"),
            ("Straße", "straße", "straße", "Straße"),
        ] {
            assert_eq!(suggestion(name, NamingStyle::SnakeCase, ""), snake);
            assert_eq!(suggestion(name, NamingStyle::CamelCase, ""), camel);
            assert_eq!(suggestion(name, NamingStyle::PascalCase, ""), pascal);
            assert!(fits(snake, NamingStyle::SnakeCase));
        }
        assert_eq!(suggestion("VisitStarted", NamingStyle::SnakeCase, "ix_"), "ix_visit_started");
        assert!(!fits("a b", NamingStyle::SnakeCase) && fits("a b", NamingStyle::Any));
    }
}
