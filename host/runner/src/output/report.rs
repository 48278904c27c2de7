//! How a run looks to people: banner, verdicts, a line a revision, summary.

use std::io::BufRead as _;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::time::Duration;

use runner_delivery::Wording;
use runner_policy::Decision;
use runner_policy::Review;
use runner_policy::Severity;
use runner_policy::Verdict;

use super::Printer;
use super::Style;
use super::Table;
use super::locks::print_locks;
use super::progress::Progress;
use super::transfer::Transfer as _;
use super::transfer::TransferBar;
use super::validation::print_validation;
use crate::pipeline::BackupReport;
use crate::pipeline::Observer;
use crate::pipeline::Operation;
use crate::pipeline::Outcome;
use crate::pipeline::Report;
use crate::pipeline::StepReport;
use crate::pipeline::StepStatus;
use crate::project::refusal;

/// Further verdicts of one kind are counted, not listed.
const LISTED: usize = 8;
/// A longer title moves its own time to the right, not everybody's.
const WIDEST_TITLE: usize = 48;

/// Tells people on a terminal or in a log how a run goes.
pub(crate) struct TextObserver<'a> {
    printer: &'a Printer,
    yes: bool,
    progress: Progress,
    transfer: TransferBar,
    has_said_waiting: bool,
    /// Characters of the longest title of the plan, so that times line up.
    title_width: usize,
    id_width: usize,
}

impl<'a> TextObserver<'a> {
    /// `yes` answers every question of a policy.
    pub(crate) fn new(printer: &'a Printer, yes: bool) -> Self {
        TextObserver {
            printer,
            yes,
            progress: Progress::hidden(),
            transfer: TransferBar::new(printer, "copying"),
            has_said_waiting: false,
            title_width: 0,
            id_width: 0,
        }
    }

    /// Says how it ended, and gives the error to end with, if there is one.
    pub(crate) fn finish(&mut self, report: &Report, took: Duration) -> Option<crate::Error> {
        self.progress.clear();
        self.transfer.end();
        let summary = match report.outcome {
            Outcome::Applied if !report.restored.is_empty() => restored(report, took),
            Outcome::NothingToDo => "Nothing to do: the database is where it should be".to_owned(),
            Outcome::Applied => summary(report, took),
            Outcome::Denied if report.error.is_some() => return report.error.clone(),
            Outcome::Denied => return Some(refused(self.printer, report)),
            Outcome::Allowed | Outcome::Confirm if report.script.is_some() => {
                format!("The script is written; nothing was changed; the plan's hash is {}", report.plan_hash)
            }
            Outcome::Allowed | Outcome::Confirm => {
                format!("Dry run: nothing was changed; the plan's hash is {}", report.plan_hash)
            }
            Outcome::Failed | Outcome::Interrupted => return report.error.clone(),
        };
        self.printer.say(Style::Strong.paint(summary));
        None
    }
}

impl Observer for TextObserver<'_> {
    fn planned(&mut self, report: &Report, review: &Review) {
        banner(self.printer, report, review);
        print_verdicts(self.printer, &report.verdicts);
        let titles = report.steps.iter().map(|step| step.message.chars().count());
        self.title_width = titles.max().unwrap_or(0).min(WIDEST_TITLE);
        self.id_width = report.steps.iter().map(|step| step.revision.len()).max().unwrap_or(0);
        let is_dry = report.steps.iter().all(|step| step.status.is_none());
        if is_dry {
            print_steps(self.printer, report);
            if self.printer.is_verbose() {
                print_locks(self.printer, report);
            }
        }
        if !report.steps.is_empty() && !is_dry && report.outcome != Outcome::Denied {
            self.progress = Progress::new(self.printer, report.steps.len());
        }
    }

    fn warn(&mut self, message: &str) {
        let printer = self.printer;
        self.progress.aside(|| printer.warn(message));
    }

    fn confirm(&mut self, plugin: &str, prompt: &str) -> bool {
        self.progress.clear();
        if self.yes {
            self.printer.talk(format_args!("{plugin}: {prompt} [y/N] y (--yes)"));
            return true;
        }
        if !std::io::stdin().is_terminal() {
            self.printer.talk(format_args!("{plugin}: {prompt} [y/N] n (no terminal; `--yes` answers yes)"));
            return false;
        }
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{plugin}: {prompt} [y/N] ");
        let _ = stderr.flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    fn confirm_rollback(&mut self, question: &str) -> bool {
        self.progress.clear();
        match self.printer.ask(question) {
            Some(answer) => answer,
            None => {
                self.printer.talk(format_args!("{question} [y/N] n (no terminal; `--yes` answers yes)"));
                false
            }
        }
    }

    fn forecast(&mut self, report: &Report) {
        if report.data_loss.is_empty() {
            self.printer.say("  no data is destroyed");
            return;
        }
        let mut table = Table::new();
        for loss in &report.data_loss {
            let place = format!("{} statement {}", loss.revision, loss.statement);
            table.row(["  data loss".to_owned(), place, loss.message.clone()]);
        }
        for line in table.lines() {
            self.printer.say(Style::Warning.paint(line));
        }
    }

    fn validated(&mut self, report: &Report) {
        if let Some(validation) = &report.validation {
            print_validation(self.printer, validation);
        }
    }

    fn saved(&mut self, backup: &BackupReport) {
        let bytes = indicatif::HumanBytes(backup.bytes);
        self.printer.say(format_args!(
            "  saved     {} rows of {} tables ({bytes}) as `{}`",
            backup.rows, backup.tables, backup.name
        ));
    }

    fn transfer_started(&mut self, backup: &str, rows: u64) {
        self.transfer.begin(backup, rows);
    }

    fn transfer_at(&mut self, table: &str) {
        self.transfer.table(table);
    }

    fn transferred(&mut self, rows: u64, bytes: u64) {
        self.transfer.passed(rows, bytes);
    }

    fn transfer_ended(&mut self) {
        self.transfer.end();
    }

    fn told(&mut self, message: &Wording) {
        let printer = self.printer;
        self.progress.aside(|| printer.message(message));
    }

    fn waiting(&mut self, holder: Option<&str>, waited: Duration) {
        let holder = runner_policy::printable(holder.unwrap_or("another program"));
        if !self.has_said_waiting {
            self.has_said_waiting = true;
            let printer = self.printer;
            self.progress.aside(|| printer.talk(format_args!("waiting for the lock held by {holder}")));
        }
        self.progress.at(format!("waiting for the lock held by {holder} ({:.0} s)", waited.as_secs_f64()));
    }

    fn retrying(&mut self, step: &StepReport, attempt: u32, of: u32, pause: Duration) {
        let message = format!(
            "`{}` met a lock or a deadlock; try {attempt} of {of} follows in {:.0} ms",
            step.revision,
            pause.as_secs_f64() * 1000.0
        );
        self.warn(&message);
    }

    fn step_started(&mut self, step: &StepReport) {
        self.progress.at(format!("{} {}", step.revision, step.message));
    }

    fn statement_started(&mut self, step: &StepReport, statement: usize, total: usize) {
        if total > 1 {
            self.progress.at(format!("{} {} ({statement}/{total})", step.revision, step.message));
        }
    }

    fn step_finished(&mut self, step: &StepReport) {
        let printer = self.printer;
        let line = step_line(step, self.id_width, self.title_width);
        self.progress.advance();
        self.progress.aside(|| printer.say(line));
    }
}

fn step_line(step: &StepReport, id_width: usize, title_width: usize) -> String {
    let (style, word) = match step.status {
        Some(StepStatus::Applied) => (Style::Good, "applied"),
        Some(StepStatus::Reverted) => (Style::Good, "reverted"),
        Some(StepStatus::Stamped) => (Style::Good, "stamped"),
        Some(StepStatus::Unstamped) => (Style::Good, "unstamped"),
        Some(StepStatus::Skipped) => (Style::Warning, "skipped"),
        Some(StepStatus::Repaired) => (Style::Good, "repaired"),
        Some(StepStatus::Failed) => (Style::Bad, "failed"),
        Some(StepStatus::RolledBack) => (Style::Bad, "undone"),
        Some(StepStatus::Unknown) => (Style::Bad, "unknown"),
        Some(StepStatus::Pending) | None => (Style::Faint, "pending"),
    };
    let note = match (&step.skipped, step.duration_ms) {
        (Some(reason), _) => reason.clone(),
        (None, Some(duration)) => milliseconds(duration),
        (None, None) => String::new(),
    };
    let painted = format!("{}{}", style.paint(word), " ".repeat(8usize.saturating_sub(word.len())));
    format!("  {painted}  {:id_width$}  {:title_width$}  {}", step.revision, step.message, Style::Faint.paint(note))
}

fn milliseconds(duration: f64) -> String {
    if duration < 1000.0 { format!("{duration:.1} ms") } else { format!("{:.2} s", duration / 1000.0) }
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Upgrade => "Upgrade",
        Operation::Downgrade => "Downgrade",
        Operation::Rollback => "Rollback",
        Operation::Restore => "Restore",
        Operation::Stamp => "Stamp",
        Operation::Repair(_) => "Repair",
    }
}

fn banner(printer: &Printer, report: &Report, review: &Review) {
    let mut table = Table::new();
    table.row(["  target", report.target.name.as_str(), report.target.server.as_str()]);
    let level = report.environment.level.map_or_else(|| "level unknown".to_owned(), |level| format!("level {level}"));
    table.row(["  environment", &format!("{} ({level})", report.environment.name)]);
    let steps = report.steps.len();
    let noun = if steps == 1 { "step" } else { "steps" };
    table.row(["  plan", &format!("{steps} {noun}, {:.12}", report.plan_hash)]);
    printer.say(Style::Strong.paint(format_args!("{} · runner {}", verb(report.operation), env!("CARGO_PKG_VERSION"))));
    for line in table.lines() {
        printer.say(line);
    }
    for notice in &review.notices {
        printer.say(format_args!("  {}", Style::Warning.paint(format_args!("*** {} ***", notice.text))));
    }
}

/// The verdicts, one line each. Denials follow as the error at the end.
pub(crate) fn print_verdicts(printer: &Printer, verdicts: &[Verdict]) {
    let mut table = Table::new();
    for decision in [Decision::Allow, Decision::Warn, Decision::Skip, Decision::Confirm, Decision::Deny] {
        // A remark of a lint policy is worth a line to whoever asks for more.
        let is_told = |verdict: &&Verdict| printer.is_verbose() || verdict.severity != Some(Severity::Info);
        let of_kind = verdicts.iter().filter(|verdict| verdict.decision == decision).filter(is_told);
        let of_kind: Vec<&Verdict> = of_kind.collect();
        let shown = if printer.is_verbose() { of_kind.len() } else { LISTED };
        for verdict in of_kind.iter().take(shown) {
            let version = verdict.version.as_deref().unwrap_or("?");
            table.row([format!("  {}", decision.name()), format!("{} {version}", verdict.plugin), message(verdict)]);
        }
        if of_kind.len() > shown {
            table.row([
                format!("  {}", decision.name()),
                format!("and {} more (`-v` lists all)", of_kind.len() - shown),
            ]);
        }
    }
    for line in table.lines() {
        printer.say(line);
    }
}

fn message(verdict: &Verdict) -> String {
    let place = match (&verdict.file, verdict.line, verdict.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        (Some(file), Some(line), None) => format!("{file}:{line}: "),
        _ => verdict.revision.as_ref().map(|revision| format!("{revision} ")).unwrap_or_default(),
    };
    format!("{place}{}", verdict.message)
}

/// The steps of a plan, in the order in which they would run.
fn print_steps(printer: &Printer, report: &Report) {
    let mut table = Table::new();
    for step in &report.steps {
        let skipped = step.skipped.as_ref().map(|reason| format!("skipped: {reason}")).unwrap_or_default();
        table.row([format!("  {}", step.direction), step.revision.clone(), step.message.clone(), skipped]);
    }
    for line in table.lines() {
        printer.line(line);
    }
}

fn restored(report: &Report, took: Duration) -> String {
    let rows: u64 = report.restored.iter().map(|table| table.rows).sum();
    let tables = report.restored.len();
    format!("Done: {rows} rows of {tables} tables put back in {}", milliseconds(took.as_secs_f64() * 1000.0))
}

fn summary(report: &Report, took: Duration) -> String {
    let parts: Vec<String> = [
        (StepStatus::Applied, "applied"),
        (StepStatus::Reverted, "reverted"),
        (StepStatus::Stamped, "stamped"),
        (StepStatus::Unstamped, "unstamped"),
        (StepStatus::Repaired, "repaired"),
        (StepStatus::Skipped, "skipped"),
    ]
    .into_iter()
    .map(|(status, word)| (report.count(status), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    format!("Done: {} in {}", parts.join(", "), milliseconds(took.as_secs_f64() * 1000.0))
}

fn refused(printer: &Printer, report: &Report) -> crate::Error {
    let mut error = refusal(report);
    for verdict in report.verdicts.iter().filter(|verdict| verdict.decision == Decision::Deny) {
        if let Some(help) = &verdict.help {
            error = error.help(help.clone());
        }
    }
    if printer.is_verbose() {
        error = error.help(format!("the plan's hash is {}", report.plan_hash));
    }
    error.help("nothing was changed")
}
