//! A plan as a script: the run writes down what it would send.

use runner_chain::Dialect;
use runner_chain::Direction;
use runner_chain::Section;
use runner_database::Action;
use runner_database::Beginning;
use runner_database::Headings;
use runner_database::RunInfo;
use runner_database::Session;
use runner_database::StepDirection;
use runner_database::StepHeading;
use runner_database::StepScript;
use runner_database::TransactionMode;

use super::Order;
use super::ScriptStart;
use super::report::Outcome;
use super::report::Report;
use super::situation::Database;
use super::steps::Places;
use crate::config::Config;
use crate::error::Result;

/// A plan that is written down.
pub(super) struct Written<'a> {
    pub(super) config: &'a Config,
    pub(super) order: &'a Order,
    pub(super) start: &'a ScriptStart,
    pub(super) database: &'a Database,
    pub(super) info: RunInfo,
    pub(super) scripts: &'a [StepScript],
    pub(super) places: &'a Places,
}

impl Written<'_> {
    /// The report with the script of its steps. `session` is the one that the state was read with.
    pub(super) async fn script(self, session: &Session, report: Report, mode: TransactionMode) -> Result<Report> {
        let is_read = *self.start == ScriptStart::Database;
        let runs_down = |script: &&StepScript| script.direction == StepDirection::Down && script.action == Action::Run;
        let reverts = self.scripts.iter().filter(runs_down).map(|script| script.revision.clone()).collect();
        let beginning = Beginning { state: self.database.state.clone(), is_read, reverts };
        let url = self.config.database_url()?;
        let mut writer = Session::transcript(url, self.config.database_options(), Some(session.server()), beginning)?;
        // The client may not take what the database does.
        super::run::check(&writer, self.scripts, self.places, mode)?;
        let headings = Headings { script: self.heading(&report), steps: self.step_headings(&report) };
        writer.start_script(&self.info, headings)?;
        let mut run = writer.start_run(self.info, mode).await?;
        for script in self.scripts {
            run.step(script, &mut |_| {}).await?;
        }
        run.finish().await?;
        Ok(Report { script: writer.take_script(), ..report })
    }

    fn heading(&self, report: &Report) -> Vec<String> {
        let from = self.database.versions.to_string();
        let begins = match self.start {
            ScriptStart::Database => format!("{from}, as read from the database"),
            ScriptStart::At(_) => from,
        };
        let steps = report.steps.len();
        let noun = if steps == 1 { "step" } else { "steps" };
        vec![
            format!(
                "{} {}, written by runner {}",
                self.order.operation.name(),
                self.order.targets.join(" "),
                self.info.tool_version
            ),
            String::new(),
            format!("Begins at:   {begins}"),
            format!("Target:      {}", report.target.name),
            format!("Environment: {}", report.environment.name),
            format!("Plan:        {steps} {noun}, {}", report.plan_hash),
            format!("Policies:    {}, {}", report.plugin_set, verdict(report)),
        ]
    }

    fn step_headings(&self, report: &Report) -> Vec<StepHeading> {
        let total = report.steps.len();
        let steps = report.steps.iter().enumerate().map(|(index, step)| {
            let arrow = match step.direction {
                Direction::Up => "up to",
                Direction::Down => "down from",
            };
            let mut lines = vec![format!("Step {} of {total}: {arrow} {}: {}", index + 1, step.revision, step.message)];
            let revision = self.database.chain.get(&step.revision);
            if let Some(revision) = revision {
                lines.push(revision.file.clone());
                lines.extend(revision.description.lines().map(str::to_owned));
            }
            lines.extend(step.skipped.as_ref().map(|reason| format!("Skipped: {reason}")));
            if self.scripts.get(index).is_some_and(|script| !script.transactional && script.action == Action::Run) {
                lines.push("Without a transaction: each statement is recorded when it is done".to_owned());
            }
            let section = revision.and_then(|revision| revision.run(step.direction, self.database.dialect));
            StepHeading {
                lines,
                comments: section.map_or_else(Vec::new, |section| comments(section, self.database.dialect)),
            }
        });
        steps.collect()
    }
}

/// The lines of comments above the statements of a section.
fn comments(section: Section<'_>, dialect: Dialect) -> Vec<(String, Vec<String>)> {
    let mut from = 0;
    let mut comments = Vec::new();
    for statement in section.statements(dialect).unwrap_or_default() {
        let before = section.text.get(from..statement.offset).unwrap_or_default();
        // The rest of the line on which the statement before ended is about that one.
        let skipped = usize::from(from > 0);
        let lines: Vec<String> = before
            .lines()
            .skip(skipped)
            .filter_map(|line| line.trim().strip_prefix("--").map(|comment| comment.trim().to_owned()))
            .collect();
        if !lines.is_empty() {
            comments.push((statement.text.to_owned(), lines));
        }
        from = statement.offset + statement.text.len();
    }
    comments
}

fn verdict(report: &Report) -> &'static str {
    match report.outcome {
        Outcome::Confirm => "confirmed",
        _ => "allowed",
    }
}
