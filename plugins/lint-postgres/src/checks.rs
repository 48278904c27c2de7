//! Rules that the engine lacks.

mod conditions;
mod defaults;
mod dependents;
mod drops;
mod indexes;
mod outline;
mod privileges;
mod rows;
mod strong_locks;
mod tables;
mod transactions;

use std::ops::Range;

use runner_policy_sdk::Failure;
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::catalogue;
use crate::forecast::Forecast;
use crate::raw::Raw;
use crate::raw::RawFix;
use crate::review::Review;
use crate::statements::Statement;
use crate::statements::range_of;
use outline::Outline;

/// Collects what the rules find.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    pub(crate) review: &'a Review,
    pub(crate) forecast: &'a [Forecast],
    outline: Outline,
    found: Vec<Raw>,
}

/// Everything that the rules find, in no order that matters.
///
/// # Errors
/// Facts were needed and could not be had.
pub(crate) fn all(review: &Review, forecast: &[Forecast]) -> Result<Vec<Raw>, Failure> {
    let outline = Outline::new(&review.parsed.statements);
    let mut findings = Findings { review, forecast, outline, found: Vec::new() };
    for (position, statement) in review.parsed.statements.iter().enumerate().filter(|(_, statement)| statement.is_sound)
    {
        findings.rows(statement);
        findings.comparisons(statement);
        findings.drops(statement);
        findings.dependents(statement, position)?;
        findings.indexes(statement)?;
        findings.blocks(statement);
        findings.privileges(statement);
        findings.tables(statement);
        findings.transactions(statement);
    }
    findings.revision();
    findings.defaults();
    findings.strong_locks()?;
    Ok(findings.found)
}

impl Findings<'_> {
    /// Code that runs once and is a text to the parser.
    fn blocks(&mut self, statement: &Statement) {
        if matches!(statement.node, ast::Stmt::Do(_)) {
            self.add_whole("unparsed-statement", statement, "what this block does is not looked into")
                .helped("write plain statements where they do, and read the others twice");
        }
    }

    /// Adds a finding about a range of bytes.
    fn add(&mut self, rule: &str, range: Range<usize>, message: impl Into<String>) -> Option<&mut Raw> {
        let entry = catalogue::named(rule)?;
        self.found.push(Raw { entry, range, message: message.into(), help: None, fix: None });
        self.found.last_mut()
    }

    /// Adds a finding about a piece of SQL.
    fn add_at(&mut self, rule: &str, node: &SyntaxNode, message: impl Into<String>) -> Option<&mut Raw> {
        self.add(rule, range_of(node), message)
    }

    /// Adds a finding about a statement as a whole, without the semicolon after it.
    fn add_whole(&mut self, rule: &str, statement: &Statement, message: impl Into<String>) -> Option<&mut Raw> {
        self.add_at(rule, statement.node.syntax(), message)
    }
}

/// What is added to a finding.
trait Advised: Sized {
    /// What to do about it.
    fn helped(self, help: impl Into<String>) -> Self;
    /// How to do it.
    fn fixed(self, fix: RawFix) -> Self;
}

impl Advised for Option<&mut Raw> {
    fn helped(mut self, help: impl Into<String>) -> Self {
        if let Some(raw) = &mut self {
            raw.help = Some(help.into());
        }
        self
    }

    fn fixed(mut self, fix: RawFix) -> Self {
        if let Some(raw) = &mut self {
            raw.fix = Some(fix);
        }
        self
    }
}
