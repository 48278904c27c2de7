//! The rules, a file for each group. A group has its rules as a table, and a function that looks for what breaks them.

mod chain;
mod columns;
pub(crate) mod comments;
mod constraints;
mod design;
mod enums;
mod file;
mod indexes;
mod naming;
mod online;
mod privileges;
mod rebuild;
mod robust;
mod rows;
pub(crate) mod secrets;
mod syntax;
mod tables;
mod transactions;
mod unsupported;

use std::collections::BTreeSet;
use std::ops::Range;

use runner_policy_sdk::Severity;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Surroundings;

use crate::deed::Name;
use crate::findings::Added;
use crate::findings::Findings;
use crate::findings::Place;
use crate::rebuilding::Rebuild;
use crate::rule::Rule;
use crate::script::Script;
use crate::script::Stated;
use crate::settings::Settings;
use crate::target::Target;

/// The groups' tables.
pub(crate) const GROUPS: &[&[&Rule]] = &[
    chain::RULES,
    columns::RULES,
    comments::RULES,
    constraints::RULES,
    design::RULES,
    enums::RULES,
    file::RULES,
    indexes::RULES,
    naming::RULES,
    online::RULES,
    privileges::RULES,
    rebuild::RULES,
    robust::RULES,
    rows::RULES,
    secrets::RULES,
    syntax::RULES,
    tables::RULES,
    transactions::RULES,
    unsupported::RULES,
];

/// All that rules may look at.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) circumstances: &'a Circumstances,
    pub(crate) source: &'a Source,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) up: Script<'a>,
    pub(crate) down: Option<Script<'a>>,
    /// As it is before the statement that is looked at.
    pub(crate) target: Target<'a>,
    /// Tables that the up section rebuilds.
    pub(crate) rebuilds: Vec<Rebuild>,
    /// Of the file.
    pub(crate) lines: Vec<&'a str>,
    /// Lines and columns of statements that have a comment beside or above them.
    pub(crate) commented: BTreeSet<(u32, u32)>,
}

/// The statement of the up section that is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here<'a> {
    pub(crate) index: usize,
    pub(crate) stated: &'a Stated<'a>,
}

impl<'a> Here<'a> {
    pub(crate) fn place(&self, range: &Range<usize>) -> Place<'a> {
        Place::Up(self.stated.statement, self.index, range.clone())
    }

    /// The first word of the statement.
    pub(crate) fn verb(&self) -> Place<'a> {
        self.place(&self.stated.verb)
    }

    /// The file's place of bytes of the statement.
    pub(crate) fn span(&self, range: &Range<usize>) -> runner_policy_sdk::revision_lint::Span {
        crate::findings::span(self.stated.statement, range.clone())
    }

    /// What is written there.
    pub(crate) fn text(&self, range: &Range<usize>) -> &'a str {
        self.stated.statement.text.get(range.clone()).unwrap_or_default()
    }
}

impl Case<'_> {
    /// Whether the table is not one that the plan itself has made.
    pub(crate) fn is_used(&self, table: &Name) -> bool {
        !self.target.is_new(table)
    }

    /// A finding about work on a table, which does not hurt if the table is small.
    pub(crate) fn eased<'f>(&self, added: Added<'f>, table: &str) -> Added<'f> {
        if self.target.is_small(table) { added.at_most(Severity::Warning) } else { added }
    }

    /// The rebuild that a statement is a step of.
    pub(crate) fn rebuild_at(&self, index: usize) -> Option<&Rebuild> {
        self.rebuilds.iter().find(|rebuild| rebuild.steps.contains(&index))
    }
}

/// Looks at a revision; `case` is left as it is after the last statement.
pub(crate) fn check(case: &mut Case<'_>, findings: &mut Findings<'_>) {
    chain::check(case, findings);
    file::check(case, findings);
    comments::check(case, findings);
    transactions::check(case, findings);
    rebuild::judge(case);
    rebuild::check(case, findings);
    indexes::check(case, findings);
    // Each statement is looked at with the target as it is then.
    let statements = std::mem::take(&mut case.up.statements);
    for (index, stated) in statements.iter().enumerate() {
        let here = Here { index, stated };
        statement(case, here, findings);
        case.target.pass(&stated.deed);
        if here.text(&stated.verb).eq_ignore_ascii_case("USE") {
            case.target.leave_schema();
        }
        if let Some(rebuild) = case.rebuilds.iter().find(|rebuild| rebuild.steps.last() == Some(&index)) {
            case.target.is_filled(&rebuild.table);
        }
    }
    case.up.statements = statements;
}

fn statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    syntax::check_statement(here, findings);
    unsupported::check_statement(case, here, findings);
    naming::check_statement(case, here, findings);
    comments::check_statement(case, here, findings);
    tables::check_statement(case, here, findings);
    columns::check_statement(case, here, findings);
    enums::check_statement(case, here, findings);
    constraints::check_statement(case, here, findings);
    online::check_statement(case, here, findings);
    rows::check_statement(case, here, findings);
    privileges::check_statement(here, findings);
    robust::check_statement(case, here, findings);
    transactions::check_statement(case, here, findings);
    design::check_statement(case, here, findings);
    indexes::check_statement(case, here, findings);
}

/// What a rule that PostgreSQL's own policy has as well must not say twice.
pub(crate) fn is_elsewhere(case: &Case<'_>) -> bool {
    case.circumstances.dialect == runner_policy_sdk::Dialect::Postgres
}
