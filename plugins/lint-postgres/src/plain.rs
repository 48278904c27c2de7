//! Files of SQL and nothing else, as the command line of `squawk` takes them. They are looked at as a revision would be, so
//! that both can be compared.

use crate::catalogue;
use crate::forecast;
use crate::knowledge::Knowledge;
use crate::review::Review;
use crate::review::Situation;
use crate::script::Script;
use crate::server::Version;

/// How a file is looked at.
#[derive(Clone, Debug, Default)]
pub struct PlainOptions {
    /// Whether a tool makes a transaction around it, as `--assume-in-transaction` says.
    pub in_transaction: bool,
    /// Version of the server, as `--pg-version` says.
    pub server_version: String,
    /// Rules that have to be asked for, as `--include` says.
    pub opt_in: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainFinding {
    /// Name of the rule.
    pub rule: String,
    /// Whether it is a rule of the engine, and not one of ours.
    pub is_engines: bool,
    /// Line of its first character, from 1.
    pub line: u32,
    /// Column of its first character, in characters, from 1.
    pub column: u32,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Why a revision would not be told; `none`: it would be.
    pub withheld: Option<Withheld>,
}

/// Why a finding of the engine is not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// It is about something that the file has made itself, or only such things are locked.
    New,
}

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub struct PlainReport {
    /// In the order of the file.
    pub findings: Vec<PlainFinding>,
    /// Whether the parser did not understand some of it.
    pub has_syntax_errors: bool,
}

/// Looks at a file. Its line ends may be any.
pub fn check_plain(text: &str, options: &PlainOptions) -> PlainReport {
    let situation = Situation {
        in_production: true,
        version: Version::read(&options.server_version),
        is_transactional: options.in_transaction,
        limits_locks: false,
        limits_statements: false,
    };
    let mut review = Review::new(Script::plain(text), &[], Knowledge::new(false), situation);
    review.is_plain = true;
    let judged = forecast::of(&review).and_then(|forecast| review.judged(&options.opt_in, &forecast));
    // Without facts nothing can fail.
    let judged = judged.unwrap_or_default();
    let findings = judged.into_iter().map(|judged| {
        let span = review.script.span(&judged.raw.range);
        PlainFinding {
            rule: judged.raw.entry.name.to_owned(),
            is_engines: catalogue::is_engines(judged.raw.entry.name),
            line: span.line,
            column: span.column,
            message: judged.raw.message,
            help: judged.raw.help,
            withheld: judged.excuse.map(|_| Withheld::New),
        }
    });
    PlainReport { findings: findings.collect(), has_syntax_errors: !review.parsed.faults.is_empty() }
}
