//! Recorded requests: what `runner plan --json` leaves, and what is asked of a plugin later.

use runner_policy::Facts;
use runner_policy::Request;
use serde::Deserialize;
use serde_json::Value;

use crate::bounded;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const HOW: &str = "`runner plan --json > plan.json` records one";

/// What was asked, and what could be asked for meanwhile.
pub(crate) struct Recorded {
    /// What the policies were asked.
    pub(crate) request: Request,
    /// Facts about the target, if a policy asked for them.
    pub(crate) facts: Option<Facts>,
}

/// Reads a recorded request: the document of `runner plan --json`, or the request alone. `-` is stdin.
pub(crate) fn read(file: &str) -> Result<Recorded> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(ErrorKind::Usage, format!("there is no recorded request `{file}`")).help(HOW)
        }
        std::io::ErrorKind::InvalidData => {
            Error::new(ErrorKind::Usage, format!("the recorded request `{file}` is not UTF-8 text"))
        }
        _ => Error::new(ErrorKind::Usage, format!("the recorded request `{file}` can't be read: {error}")),
    };
    // A shell's `<(…)` is no ordinary file.
    let content = match file {
        "-" => bounded::all(std::io::stdin().lock()),
        file => std::fs::File::open(file).and_then(bounded::all),
    };
    let text = bounded::text(content);
    parse(if file == "-" { "stdin" } else { file }, &text.map_err(unreadable)?)
}

/// The document of `plan --json`, as far as it matters here.
#[derive(Deserialize)]
struct Document {
    request: Request,
    facts: Option<Facts>,
}

/// The request in a text; `shown` is where the text comes from.
pub(crate) fn parse(shown: &str, text: &str) -> Result<Recorded> {
    let wrong = |error: &serde_json::Error| {
        let message = format!("`{shown}` is not a recorded request: {error}");
        Error::new(ErrorKind::Usage, message).help(HOW)
    };
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    // From the text once more, because only that knows lines and columns.
    if value.get("request").is_some() {
        let recorded = |Document { request, facts }| Recorded { request, facts };
        return serde_json::from_str(text).map(recorded).map_err(|error| wrong(&error));
    }
    if value.get("context").is_some() {
        let recorded = |request| Recorded { request, facts: None };
        return serde_json::from_str(text).map(recorded).map_err(|error| wrong(&error));
    }
    let message = match value.get("plan_hash") {
        Some(_) => format!("`{shown}` holds a plan without its request"),
        None => format!("`{shown}` holds no recorded request"),
    };
    Err(Error::new(ErrorKind::Usage, message).help(HOW))
}
