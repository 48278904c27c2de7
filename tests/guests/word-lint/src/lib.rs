//! Words that a revision must not hold: a policy that is asked about one revision at a time, as its authors would write it,
//! and that can be told to answer against the rules. Compiled from source by the tests.

use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Policy;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts;
use runner_policy_sdk::revision_lint::Blocked;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Edit;
use runner_policy_sdk::revision_lint::Finding;
use runner_policy_sdk::revision_lint::Fix;
use runner_policy_sdk::revision_lint::FollowUp;
use runner_policy_sdk::revision_lint::Lock;
use runner_policy_sdk::revision_lint::Note;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Rule;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Span;
use runner_policy_sdk::revision_lint::Surroundings;

/// The policy.
#[derive(Debug)]
pub struct WordLint;

/// How it answers.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// As it should.
    #[default]
    Well,
    /// With a place that is not in the file.
    WrongPlace,
    /// With a place that ends before it begins.
    BackwardsPlace,
    /// With a rule that it does not have.
    UnknownRule,
    /// About a statement that the revision does not have.
    WrongStatement,
    /// About a lock of a statement that the revision does not have.
    WrongLock,
    /// Not at all, because it can't decide.
    Fail,
}

/// Its settings.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// The word.
    pub word: String,
    /// What its notes are about.
    pub about: String,
    /// How it answers.
    pub manner: Manner,
    /// Additions that it makes before it answers.
    pub work: u64,
    /// Whether it asks for facts, and says how many tables there are.
    pub facts: bool,
    /// What it says, in place of what it was told.
    pub message: Option<String>,
    /// What could take the place of the word.
    pub replacement: Option<String>,
    /// Whether that needs `Transaction: off`.
    pub transaction_off: bool,
    /// The SQL of a revision that has to follow then.
    pub follow_up: Option<String>,
}

impl Settings {
    fn fix(&self, span: Span) -> Option<Fix> {
        let text = self.replacement.clone()?;
        let follow_up = self.follow_up.clone().map(|up| FollowUp {
            title: "Finish what was begun".to_owned(),
            up,
            down: String::new(),
            transactional: true,
        });
        let edits = vec![Edit { span, text }];
        Some(Fix {
            summary: "puts another word there".to_owned(),
            edits,
            transaction_off: self.transaction_off,
            follow_up,
        })
    }
}

impl Policy for WordLint {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), "Words that a revision must not hold")
    }
}

impl RevisionLint for WordLint {
    fn rules() -> Vec<Rule> {
        vec![Rule {
            name: "no-such-word".to_owned(),
            severity: Severity::Warning,
            severity_in_production: Severity::Error,
            dialects: Vec::new(),
            aliases: vec!["W1".to_owned()],
            summary: "The word must not be used".to_owned(),
            explanation: String::new(),
        }]
    }

    fn check(
        settings: &Settings,
        circumstances: &Circumstances,
        source: &Source,
        surroundings: &Surroundings,
    ) -> Result<Report, Failure> {
        if matches!(settings.manner, Manner::Fail) {
            return Err(Failure { message: "no idea".to_owned(), help: None });
        }
        let sum = (0..settings.work).fold(0u64, |sum, number| std::hint::black_box(sum.wrapping_add(number)));
        let tables = if settings.facts { facts::relations()?.len() } else { 0 };
        let mut findings = Vec::new();
        for (line, text) in (1u32..).zip(source.text.lines()) {
            let Some(place) = text.find(&settings.word).filter(|_| !settings.word.is_empty()) else { continue };
            let column = u32::try_from(text[..place].chars().count() + 1).unwrap_or(u32::MAX);
            let end_column = column + u32::try_from(settings.word.chars().count()).unwrap_or(0);
            let span = match settings.manner {
                Manner::WrongPlace => Span { line: 1000, column: 1, end_line: 1000, end_column: 1 },
                Manner::BackwardsPlace => Span { line, column: 9, end_line: line, end_column: 3 },
                _ => Span { line, column, end_line: line, end_column },
            };
            let told = || format!("{tables} tables, {} notes, {sum}", surroundings.notes.len());
            let unknown = matches!(settings.manner, Manner::UnknownRule);
            findings.push(Finding {
                rule: if unknown { "made-up" } else { "no-such-word" }.to_owned(),
                severity: Self::rules()[0].severity_in(circumstances),
                message: settings.message.clone().unwrap_or_else(told),
                span: Some(span),
                statement: matches!(settings.manner, Manner::WrongStatement).then_some(99),
                help: None,
                fix: settings.fix(Span { line, column, end_line: line, end_column }),
            });
        }
        let lock = Lock {
            statement: if matches!(settings.manner, Manner::WrongLock) { 99 } else { 0 },
            object: "t".to_owned(),
            level: "TEA BREAK".to_owned(),
            blocked: Blocked::Writes,
            rewrites: false,
            scans: true,
            remark: None,
        };
        let has_statement = source.up.as_ref().is_some_and(|up| !up.is_empty());
        Ok(Report {
            findings,
            locks: if has_statement { vec![lock] } else { Vec::new() },
            notes: vec![Note::about(&settings.about, format!("saw {}", source.revision.id))],
        })
    }
}

runner_policy_sdk::export_policy!(WordLint: revision_lint);
