//! The engine of the linter `squawk`: its rules, its names, its comments, its words.

use std::borrow::Cow;
use std::ops::Range;

use squawk_linter::Linter;
use squawk_linter::Rule;
use squawk_linter::Version as EngineVersion;
use squawk_linter::Violation;
use squawk_syntax::SourceFile;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::catalogue;
use crate::raw::Raw;
use crate::raw::RawFix;
use crate::script::Script;
use crate::server::Version;
use crate::statements::Parsed;

/// What the engine is told.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// Whether the runner makes the transaction.
    pub(crate) is_transactional: bool,
    pub(crate) version: Option<Version>,
    /// Rules that have to be asked for.
    pub(crate) opt_in: &'a [String],
    /// Rules that do not apply.
    pub(crate) excluded: &'a [Rule],
}

/// Fixes that the engine offers and that need thought: a placeholder to be filled in, a transaction that is not the
/// revision's to end.
const NOT_MECHANICAL: [Rule; 2] = [Rule::RequireEnumValueOrdering, Rule::BanUncommittedTransaction];

/// What the engine finds, apart from what its comments suppress.
pub(crate) fn check(parsed: &Parsed, script: &Script, options: &Options<'_>) -> Vec<Raw> {
    let asked: Vec<Rule> = options.opt_in.iter().filter_map(|name| Rule::try_from(name.as_str()).ok()).collect();
    let mut linter = Linter::with_rules(&asked, options.excluded);
    linter.settings.assume_in_transaction = options.is_transactional;
    linter.settings.pg_version = engine_version(options.version);
    let violations = linter.lint(&parsed.parse, &with_plain_columns(script.text()));
    violations.into_iter().filter_map(|violation| raw(violation, options)).collect()
}

/// The same lines of the same bytes, in ASCII. The engine only wants to know on which line a byte is, and for that it goes
/// through all other characters of the line, for each finding again.
fn with_plain_columns(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '_' }).collect())
}

fn raw(violation: Violation, options: &Options<'_>) -> Option<Raw> {
    let entry = catalogue::named(&violation.code.to_string())?;
    let is_mechanical = !NOT_MECHANICAL.contains(&violation.code);
    let fix = violation.fix.filter(|_| is_mechanical).map(|fix| RawFix {
        summary: fix.title,
        edits: fix
            .edits
            .into_iter()
            .map(|edit| (Range::from(edit.text_range), within(edit.text.unwrap_or_default(), violation.code, options)))
            .collect(),
        transaction_off: false,
        follow_up: None,
    });
    let range = Range::from(violation.text_range);
    Some(Raw { entry, range, message: violation.message, help: violation.help, fix })
}

/// A setting that the engine would make for the session is made for the transaction, if there is one: the session goes on.
fn within(text: String, code: Rule, options: &Options<'_>) -> String {
    let is_setting = matches!(code, Rule::RequireLockTimeout | Rule::RequireStatementTimeout);
    match text.strip_prefix("set ") {
        Some(rest) if is_setting && options.is_transactional => format!("set local {rest}"),
        _ => text,
    }
}

/// Whether a default has another value in each row, as the engine sees it: an expression that it does not know may have.
pub(crate) fn is_computed_for_each_row(expression: &ast::Expr, version: Option<Version>) -> bool {
    if matches!(expression, ast::Expr::Literal(_)) {
        return false;
    }
    let tokens = expression.syntax().descendants_with_tokens().filter_map(squawk_syntax::SyntaxElement::into_token);
    // Comments are left out: one of them might tell the engine to keep quiet.
    let words: Vec<String> =
        tokens.filter(|token| !token.kind().is_trivia()).map(|token| token.text().to_owned()).collect();
    let text = format!("ALTER TABLE t ADD COLUMN c int DEFAULT {}", words.join(" "));
    let mut linter = Linter::from([Rule::AddingFieldWithDefault]);
    linter.settings.pg_version = engine_version(version);
    !linter.lint(&SourceFile::parse(&text), &text).is_empty()
}

/// The version as the engine has it; unknown, it is the one that the engine assumes.
fn engine_version(version: Option<Version>) -> EngineVersion {
    let written = version.map(|version| format!("{}.{}", version.major, version.minor));
    written.and_then(|written| written.parse().ok()).unwrap_or_default()
}
