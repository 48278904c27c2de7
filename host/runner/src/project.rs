//! The library's way in.

use std::path::PathBuf;

use runner_policy::Decision;

use crate::config::Config;
use crate::config::Overrides;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline;
use crate::pipeline::Ended;
use crate::pipeline::Interrupt;
use crate::pipeline::Observer;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::Outcome;
use crate::pipeline::Report;
use crate::pipeline::Silent;

/// A project: its configuration, its chain and its database.
#[derive(Debug)]
pub struct Project {
    config: Config,
}

impl Project {
    /// Reads the configuration file. Variables of the process environment count as on the command line.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`].
    pub fn open(config: impl Into<PathBuf>) -> Result<Self> {
        Project::with(&Overrides { config: Some(config.into()), ..Overrides::default() })
    }

    /// Reads the configuration with some of it overridden.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`].
    pub fn with(overrides: &Overrides) -> Result<Self> {
        Ok(Project { config: Config::load(overrides)? })
    }

    /// Applies everything up to `target`, usually `"heads"`. A policy that wants a question answered hears no. Must be
    /// called within a tokio runtime with time enabled.
    ///
    /// # Errors
    /// Everything that keeps the database from being at the target: the error of the failed step, or
    /// [`ErrorKind::Refused`] with the reasons of the policies.
    pub async fn upgrade(&self, target: &str) -> Result<Report> {
        let order = Order::new(Operation::Upgrade, vec![target.to_owned()], false);
        self.run(&order, &mut Silent).await
    }

    /// Carries out any order, with an observer that hears of it and answers questions.
    ///
    /// # Errors
    /// As for [`Project::upgrade`].
    pub async fn run(&self, order: &Order, observer: &mut dyn Observer) -> Result<Report> {
        let Ended { result, mail } = pipeline::execute(&self.config, order, observer, Interrupt::new()).await;
        for complaint in &mail.deliver().await.complaints() {
            observer.warn(complaint);
        }
        let report = result?;
        match (&report.error, report.outcome) {
            (Some(error), _) => Err(error.clone()),
            (None, Outcome::Denied) if !order.dry_run => Err(refusal(&report)),
            _ => Ok(report),
        }
    }
}

/// Why a plan was refused, a line each.
pub(crate) fn reasons(report: &Report) -> Vec<String> {
    let reasons: Vec<String> = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.decision == Decision::Deny)
        .map(|verdict| match (&verdict.revision, &verdict.file, verdict.line) {
            (_, Some(file), Some(line)) => {
                let column = verdict.column.map(|column| format!(":{column}")).unwrap_or_default();
                format!("refused by `{}`: {file}:{line}{column}: {}", verdict.plugin, verdict.message)
            }
            (Some(revision), ..) => format!("refused by `{}`: `{revision}` {}", verdict.plugin, verdict.message),
            (None, ..) => format!("refused by `{}`: {}", verdict.plugin, verdict.message),
        })
        .collect();
    if reasons.is_empty() {
        return vec!["refused: a policy wanted a confirmation that was not given".to_owned()];
    }
    reasons
}

/// A denied report as an error.
pub(crate) fn refusal(report: &Report) -> Error {
    Error::new(ErrorKind::Refused, reasons(report).join("\n       "))
}
