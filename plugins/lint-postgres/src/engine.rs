//! The engine of the linter `squawk`: its rules, its names, its comments, its words.

use std::borrow::Cow;
use std::ops::Range;

use squawk_linter::Linter;
use squawk_linter::Rule;
use squawk_linter::Version as EngineVersion;
use squawk_linter::Violation;
use squawk_syntax::SourceFile;

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

/// Whether a function is one of those built in that have one value for a statement, as the engine knows them.
pub(crate) fn is_stable_function(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_plain {
        return false;
    }
    let text = format!("ALTER TABLE t ADD COLUMN c int DEFAULT {name}()");
    Linter::from([Rule::AddingFieldWithDefault]).lint(&SourceFile::parse(&text), &text).is_empty()
}

/// The version as the engine has it; unknown, it is the one that the engine assumes.
fn engine_version(version: Option<Version>) -> EngineVersion {
    let written = version.map(|version| format!("{}.{}", version.major, version.minor));
    written.and_then(|written| written.parse().ok()).unwrap_or_default()
}
