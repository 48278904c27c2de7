//! Looks at one section of a revision as a whole.

use runner_policy_sdk::Direction;
use runner_policy_sdk::Failure;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Surroundings;
use squawk_linter::Rule as EngineRule;

use crate::checks;
use crate::engine;
use crate::exceptions;
use crate::fixes;
use crate::forecast;
use crate::forecast::Forecast;
use crate::judge;
use crate::judge::Judged;
use crate::knowledge::Knowledge;
use crate::novelty::Novelty;
use crate::proof::Proofs;
use crate::raw::Raw;
use crate::script::Script;
use crate::server::Version;
use crate::settings::Settings;
use crate::statements::Parsed;
use crate::subject::Subjects;

/// What is known beside the SQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) in_production: bool,
    /// Version of the server, if it is known.
    pub(crate) version: Option<Version>,
    /// Whether the runner makes the transaction.
    pub(crate) is_transactional: bool,
    /// Whether the runner limits how long a statement waits for locks.
    pub(crate) limits_locks: bool,
    /// Whether the runner limits how long a statement runs.
    pub(crate) limits_statements: bool,
}

/// A section that is looked at.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) script: Script,
    pub(crate) parsed: Parsed,
    pub(crate) novelty: Novelty,
    pub(crate) proofs: Proofs,
    pub(crate) knowledge: Knowledge,
    pub(crate) situation: Situation,
    /// Whether it is a file that is compared with the engine's command line, and no revision.
    pub(crate) is_plain: bool,
}

/// Answers the host.
pub(crate) fn check(
    settings: &Settings,
    circumstances: &Circumstances,
    source: &Source,
    surroundings: &Surroundings,
) -> Result<Report, Failure> {
    let direction = source.planned.unwrap_or(Direction::Up);
    let statements = match direction {
        Direction::Up => source.up.as_deref(),
        Direction::Down => source.down.as_deref(),
    };
    let nothing = Report { findings: Vec::new(), locks: Vec::new(), notes: Vec::new() };
    let Some(statements) = statements else { return Ok(nothing) };
    let Some(script) = Script::of_section(&source.text, &surroundings.sections, direction, statements) else {
        return Err(Failure::new("the revision has statements for PostgreSQL, and no section that holds them")
            .help("report this: it is a defect of the runner"));
    };
    let situation = Situation {
        in_production: circumstances.may_be_production(),
        version: Version::read(&circumstances.server_version),
        is_transactional: source.revision.transactional,
        limits_locks: circumstances.lock_timeout_ms.is_some(),
        limits_statements: circumstances.statement_timeout_ms.is_some(),
    };
    let review = Review::new(script, &surroundings.notes, Knowledge::new(circumstances.has_facts), situation);
    let forecast = forecast::of(&review)?;
    // What a way back destroys is what it is there for.
    let findings = match direction {
        Direction::Up => judge::reported(&review, review.judged(&settings.opt_in, &forecast)?),
        Direction::Down => Vec::new(),
    };
    let locks = forecast::reported(&review, &forecast);
    let mut notes = review.proofs.notes().to_vec();
    notes.extend(review.novelty.into_notes());
    Ok(Report { findings, locks, notes })
}

impl Review {
    pub(crate) fn new(script: Script, notes: &[String], knowledge: Knowledge, situation: Situation) -> Self {
        let parsed = Parsed::new(&script);
        let novelty = Novelty::new(notes, &parsed.statements);
        let proofs = Proofs::new(notes, &parsed.statements);
        Review { script, parsed, novelty, proofs, knowledge, situation, is_plain: false }
    }

    /// Everything that is wrong, and what excuses it, in the order of the script.
    ///
    /// # Errors
    /// Facts were needed and could not be had.
    pub(crate) fn judged(&self, opt_in: &[String], forecast: &[Forecast]) -> Result<Vec<Judged>, Failure> {
        let mut raws = self.engine(opt_in);
        raws.retain(|raw| self.is_sound_at(raw.range.start));
        if !self.is_plain {
            raws = exceptions::apply(self, raws)?;
        }
        raws.extend(checks::all(self, forecast)?);
        raws.extend(self.faults());
        raws.sort_by_key(|raw| raw.range.start);
        fixes::complete(self, &mut raws);
        let mut subjects = Subjects::default();
        raws.into_iter().map(|raw| judge::judge(self, forecast, &mut subjects, raw)).collect()
    }

    fn engine(&self, opt_in: &[String]) -> Vec<Raw> {
        let mut excluded = Vec::new();
        if self.situation.limits_locks {
            excluded.push(EngineRule::RequireLockTimeout);
        }
        if self.situation.limits_statements {
            excluded.push(EngineRule::RequireStatementTimeout);
        }
        let options = engine::Options {
            is_transactional: self.situation.is_transactional,
            version: self.situation.version,
            opt_in,
            excluded: &excluded,
        };
        engine::check(&self.parsed, &self.script, &options)
    }

    /// Whether the statement at a byte was understood. Nothing but that is said about one that was not.
    fn is_sound_at(&self, offset: usize) -> bool {
        self.parsed.at(offset).is_none_or(|position| self.parsed.statements[position].is_sound)
    }

    /// What was not understood.
    fn faults(&self) -> Vec<Raw> {
        let Some(entry) = crate::catalogue::named("syntax-error") else { return Vec::new() };
        let raw = |range, message: String, help: Option<String>| Raw { entry, range, message, help, fix: None };
        let faults = self.parsed.faults.iter().map(|fault| raw(fault.range.clone(), fault.message.clone(), None));
        let unparsed = self.script.unparsed().iter().map(|range| {
            let help = "write it in several statements, or with fewer brackets and operators".to_owned();
            raw(range.clone(), "the statement is nested too deeply to be looked at".to_owned(), Some(help))
        });
        faults.chain(unparsed).collect()
    }
}
