//! `runner plugin list`

use runner_policy::Pin;
use runner_policy::PluginReport;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::Source;
use runner_policy::printable;
use serde_json::Value;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::config::Member;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::policy_host;

/// List the plugins of the set in force: why they are in it, where they come from, what they are asked, what they are given
///
/// Also names the plugins that are configured and not in force, with the reason. Exits with 3 if a plugin of the set can't be
/// used: every run would be refused, or, if it is one that only notifies, nobody would hear of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin list
  runner plugin list --plugins strict-prod --json
  runner plugin list --plugins ci/strict-prod.toml --locked")]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let active = config.active_set()?;
        let (members, inactive, file) = (active.members.clone(), active.inactive.clone(), active.file.clone());
        let set = active.into_set();
        let policies = Policies::load(&policy_host(), &set, &Role::ALL).await;
        let reports = policies.reports();
        printer.say(format_args!("Plugin set {}", Style::Strong.paint(printable(&set.name))));
        let mut plugins = Vec::new();
        for report in &reports {
            let Some(member) = members.iter().find(|member| member.definition.name == report.name) else { continue };
            print(printer, report, member);
            plugins.push(document(report, member));
        }
        if !inactive.is_empty() {
            printer.line(format_args!("\nNot in force"));
        }
        for (name, reason) in &inactive {
            printer.line(format_args!("  {}: {}", Style::Strong.paint(printable(name)), printable(reason)));
        }
        let inactive: Vec<Value> =
            inactive.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect();
        printer.document(&json!({
            "set": set.name, "file": file, "locked": config.is_locked(), "plugins": plugins, "inactive": inactive,
        }));
        let is_usable = reports.iter().all(|report| report.error.is_none());
        Ok(if is_usable { exit::DONE } else { exit::REFUSED })
    }
}

fn print(printer: &Printer, report: &PluginReport, member: &Member) {
    let version = report.version.as_deref().unwrap_or("");
    printer.line(format_args!("\n{} {version}", Style::Strong.paint(printable(&report.name))));
    let roles: Vec<&str> = report.roles.iter().map(|role| role.name()).collect();
    let field = |name: &str, value: &str| {
        if !value.is_empty() {
            printer.line(format_args!("  {name:<8} {}", printable(value)));
        }
    };
    // Where something is said is worth a word only if it is not where the source is said.
    let said = |value: &str, place: &str| match value {
        "" => String::new(),
        value if place == member.source => value.to_owned(),
        value => format!("{value}    ({place})"),
    };
    field("about", report.summary.as_deref().unwrap_or(""));
    field("set", &member.sets.join(", extended by "));
    let source = match member.source.as_str() {
        "built in" => report.source.clone(),
        place => format!("{}    ({place})", report.source),
    };
    field("source", &source);
    field("digest", report.digest.as_deref().unwrap_or(""));
    field("pinned", &pinned(member));
    field("signed", &signed(report, member));
    field("roles", &roles.join(", "));
    field("mode", &said(&report.mode, &member.mode));
    let settings = member.settings.iter().map(|(key, place)| said(key, place));
    field("settings", &settings.collect::<Vec<_>>().join(", "));
    field("env", &said(&report.env.join(", "), &member.grants));
    field("read", &said(&report.read.join(", "), &member.grants));
    field("facts", &said(if report.facts { "of the target" } else { "" }, &member.grants));
    field("imports", &report.imports.join(", "));
    field("limits", &said(&report.limits.to_string(), &member.limits));
    if printer.is_verbose() {
        field("native", if report.cached { "in the cache" } else { "compiled just now" });
    }
    field("error", report.error.as_deref().unwrap_or(""));
}

fn pinned(member: &Member) -> String {
    match (&member.definition.trust.pin, &member.definition.source) {
        (Pin::Digest { file, .. }, _) => format!("in `{file}`"),
        (Pin::Refused { .. }, _) => "no, so it is refused".to_owned(),
        (Pin::None, Source::Builtin(_)) => "by this runner, which it ships with".to_owned(),
        (Pin::None, Source::Oci(source)) if source.manifest.is_some() => "by the digest in its source".to_owned(),
        (Pin::None, Source::Oci(_) | Source::File { .. }) => "no".to_owned(),
    }
}

fn signed(report: &PluginReport, member: &Member) -> String {
    match (&report.signed_by, &member.definition.source) {
        (Some(key), _) => format!("by {key}"),
        // It needs no signature.
        (None, Source::Builtin(_)) => String::new(),
        (None, _) if member.definition.trust.keys.is_empty() => "not looked at, because no key is trusted".to_owned(),
        (None, _) => "no".to_owned(),
    }
}

fn document(report: &PluginReport, member: &Member) -> Value {
    let mut document = json!(report);
    // The values of settings are left out: they may hold what variables held.
    let more = json!({
        "sets": member.sets,
        "settings": member.settings.keys().collect::<Vec<_>>(),
        "from": {
            "source": member.source, "settings": member.settings, "grants": member.grants,
            "limits": member.limits, "mode": member.mode,
        },
    });
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    document
}
