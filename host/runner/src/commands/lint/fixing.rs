//! `runner lint --fix`: the diff, the question, and the writing.

use std::sync::Arc;

use runner_chain::Chain;
use runner_chain::Revision;
use runner_policy::Severity;

use super::look::Look;
use super::look::Looker;
use crate::args::Global;
use crate::commands::init::new_id;
use crate::commands::init::now;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::lint::fix;
use crate::output::Printer;
use crate::output::Style;
use crate::output::lint::Format;
use crate::pipeline;

/// What is known of the database.
enum Known {
    /// Which revisions it has, and its name.
    Applied(runner_chain::Applied, String),
    /// Nothing, and why.
    Nothing(String),
}

/// Mends what was found. Gives what was done, a line each; `None`: whoever was asked said no.
pub(super) async fn fix(
    looker: &mut Looker<'_>,
    look: &Look,
    global: &Global,
    printer: &Printer,
    format: Format,
    dry_run: bool,
) -> Result<Option<Vec<String>>> {
    let Some(chain) = &look.chain else { return Ok(Some(Vec::new())) };
    // What is not shown is not mended.
    let is_shown = |finding: &&crate::lint::Finding| {
        printer.is_verbose() || finding.found.verdict.severity != Some(Severity::Info)
    };
    let findings: Vec<_> = look.assessed.findings.iter().filter(is_shown).cloned().collect();
    if findings.iter().all(|finding| finding.found.fix.is_none()) {
        note(printer, format, "Nothing can be mended without thinking");
        return Ok(Some(Vec::new()));
    }
    let config = looker.config;
    let known = known(config, chain).await?;
    let refused = |revision: &Revision| match &known {
        Known::Applied(applied, name) => {
            let is_applied = chain.index(revision.id.as_str()).is_some_and(|index| applied.contains(index));
            is_applied.then(|| format!("it is applied to `{name}`; make the change in a new revision"))
        }
        Known::Nothing(_) => None,
    };
    let birth = || Ok((new_id()?, now()));
    let fixes = fix::plan(&findings, chain, look.dialect, config, &refused, &birth)?;
    for line in fixes.diff() {
        // Whoever wants a document gets the diff beside it.
        match format {
            Format::Text => printer.line(painted(&line)),
            _ => printer.talk(&line),
        }
    }
    for left in &fixes.left {
        printer.warn(left);
    }
    if fixes.is_empty() {
        note(printer, format, "Nothing was mended");
        return Ok(Some(Vec::new()));
    }
    if dry_run {
        note(printer, format, &format!("Dry run: nothing was written; {} would change", files(fixes.changed.len())));
        return Ok(Some(Vec::new()));
    }
    if let Known::Nothing(why) = &known
        && !may_write(why, global, printer)?
    {
        note(printer, format, "Nothing was written");
        return Ok(None);
    }
    fixes.write(config)?;
    let done = fixes.summary();
    for line in &done {
        note(printer, format, &format!("mended {line}"));
    }
    Ok(Some(done))
}

/// What the configured database has. That it can't be asked is no reason to stop, but one to ask somebody else.
async fn known(config: &Config, chain: &Arc<Chain>) -> Result<Known> {
    Ok(match pipeline::lint::target(config, chain).await {
        Ok(target) => {
            let applied = target.applied.clone();
            target.close().await?;
            Known::Applied(applied, config.database_url()?.to_string())
        }
        Err(error) => Known::Nothing(error.to_string()),
    })
}

/// Nobody knows whether the files are applied somewhere; whoever does has to say so.
fn may_write(why: &str, global: &Global, printer: &Printer) -> Result<bool> {
    printer.warn(format_args!("whether these revisions are applied somewhere can't be told: {why}"));
    if global.yes {
        return Ok(true);
    }
    printer.ask("Are they applied nowhere?").ok_or_else(|| {
        Error::new(ErrorKind::Usage, "nobody can be asked whether these revisions are applied; nothing was written")
            .help("`--yes` says that they are applied nowhere")
    })
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn note(printer: &Printer, format: Format, text: &str) {
    match format {
        Format::Text => printer.say(text),
        _ => printer.note(text),
    }
}

fn painted(line: &str) -> String {
    match line.as_bytes().first() {
        Some(b'+') => Style::Good.paint(line),
        Some(b'-') => Style::Bad.paint(line),
        Some(b'@') => Style::Faint.paint(line),
        _ => line.to_owned(),
    }
}
