//! `runner plugin list`

use runner_policy::PluginReport;
use runner_policy::Policies;
use runner_policy::Role;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::policy_host;

/// List the plugins of the set in force: where they come from, what they are asked, what they are given
///
/// Exits with 3 if one of them can't be used, as every run would be refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin list
  runner plugin list --plugins strict-prod --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let set = config.plugin_set()?;
        let policies = Policies::load(&policy_host(), &set, &Role::ALL).await;
        let reports = policies.reports();
        printer.say(format_args!("Plugin set {}", Style::Strong.paint(&set.name)));
        for report in &reports {
            print(printer, report);
        }
        printer.document(&json!({ "set": set.name, "plugins": reports }));
        let is_usable = reports.iter().all(|report| report.error.is_none());
        Ok(if is_usable { exit::DONE } else { exit::REFUSED })
    }
}

fn print(printer: &Printer, report: &PluginReport) {
    let version = report.version.as_deref().unwrap_or("");
    printer.line(format_args!("\n{} {version}", Style::Strong.paint(&report.name)));
    let roles: Vec<&str> = report.roles.iter().map(|role| role.name()).collect();
    let field = |name: &str, value: &str| {
        if !value.is_empty() {
            printer.line(format_args!("  {name:<8} {value}"));
        }
    };
    field("about", report.summary.as_deref().unwrap_or(""));
    field("source", &report.source);
    field("digest", report.digest.as_deref().unwrap_or(""));
    field("roles", &roles.join(", "));
    field("mode", &report.mode);
    field("env", &report.env.join(", "));
    field("read", &report.read.join(", "));
    field("facts", if report.facts { "of the target" } else { "" });
    field("imports", &report.imports.join(", "));
    field("limits", &report.limits.to_string());
    field("error", report.error.as_deref().unwrap_or(""));
}
