//! `runner branches`

use serde_json::json;

use super::revision_json;
use crate::args::Global;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::look_at_chain;

/// List the revisions at which the chain branches
///
/// Each with the revisions that build on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner branches
  runner branches -v
  runner branches --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let chain = look_at_chain(&config)?;
        let mut lines = Vec::new();
        for point in chain.branch_points() {
            if printer.is_verbose() {
                lines.push(revision_json::full(&chain, point, None));
            } else {
                lines.push(revision_json::line(&chain, point, None));
            }
            lines.extend(chain.children(point).map(|child| {
                let line = revision_json::line(&chain, child, None);
                let (_, line) = line.split_once(" -> ").unwrap_or(("", &line));
                format!("    -> {line}")
            }));
        }
        if lines.is_empty() {
            printer.say("the chain has no branches");
        } else {
            printer.line(lines.join("\n"));
        }
        let branches = chain.branch_points().map(|point| {
            let children = chain.children(point).map(|child| revision_json::document(&chain, child));
            let mut document = revision_json::document(&chain, point);
            if let Some(document) = document.as_object_mut() {
                document.insert("children".to_owned(), children.collect());
            }
            document
        });
        printer.document(&json!({ "branches": branches.collect::<Vec<_>>() }));
        Ok(exit::DONE)
    }
}
