//! Makes a case from the real project and its database.

use std::path::Path;
use std::path::PathBuf;

use runner_policy::Facts;
use runner_policy::Host;
use runner_policy::PluginDefinition;
use runner_policy::Request;
use runner_policy::Role;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use super::CaseFile;
use super::rewrite::expectation;
use super::trial;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// The file, as `plan --json` has it among other things.
#[derive(Serialize)]
struct Recorded<'a> {
    request: &'a Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<&'a Facts>,
}

/// What is recorded.
pub(crate) struct Recording<'a> {
    /// Name of the case.
    pub(crate) name: &'a str,
    /// Folder of the case files.
    pub(crate) folder: &'a Path,
    /// Settings that the case states; `None`: those that the plugin comes with.
    pub(crate) settings: Option<&'a Map<String, Value>>,
    /// What was asked.
    pub(crate) request: &'a Request,
    /// Facts about the target, if they belong to it.
    pub(crate) facts: Option<&'a Facts>,
}

/// Writes a case whose expectation is what the plugin says now, and gives the file. Values of variables are not written,
/// so the plugin is asked without them.
///
/// # Errors
/// There is such a case already, or it can't be written.
pub(crate) async fn record(host: &Host, plugin: &PluginDefinition, recording: &Recording<'_>) -> Result<PathBuf> {
    let Recording { name, folder, settings, request, facts } = *recording;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_plain) {
        return Err(Error::new(ErrorKind::Usage, format!("`{name}` can't be the name of a case file"))
            .help("take letters, digits, `-`, `_` and `.`"));
    }
    let path = folder.join(format!("{name}.toml"));
    let recorded = folder.join("recorded").join(format!("{name}.json"));
    for file in [&path, &recorded] {
        if file.exists() {
            return Err(Error::new(ErrorKind::Usage, format!("`{}` exists already", file.display()))
                .help("take another name, or remove it first"));
        }
    }
    let failed =
        |path: &Path, why: String| Error::new(ErrorKind::Io, format!("`{}` can't be written: {why}", path.display()));
    let json = Recorded { request, facts };
    let json = serde_json::to_string_pretty(&json).map_err(|error| failed(&recorded, error.to_string()))?;
    let write = |path: &Path, text: &str| {
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
        written.map_err(|error| failed(path, error.to_string()))
    };
    write(&recorded, &format!("{json}\n"))?;
    let mut text = format!("request = \"recorded/{name}.json\"\n");
    if let Some(settings) = settings {
        let inline = toml::Value::try_from(settings).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("the settings can't be written into a case: {error}"))
        })?;
        text.push_str(&format!("settings = {inline}\n"));
    }
    text.push_str("\n[expect]\n");
    let asked = CaseFile::parse(&path, format!("{text}outcome = \"allowed\"\n"))?;
    let Some(case) = asked.cases.first() else {
        return Err(failed(&path, "it would hold no case".to_owned()));
    };
    let ran = trial::run(host, plugin, case).await?;
    let says_environment = ran.report.as_ref().is_some_and(|report| report.roles.contains(&Role::Environment));
    text.push_str(&expectation(&ran.answer, says_environment));
    write(&path, &text)?;
    Ok(path)
}
