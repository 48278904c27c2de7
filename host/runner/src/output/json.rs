//! The JSON documents that are not the serialised form of a type of their own.

use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::mask;
use crate::error::Error;

/// An error as it stands inside of a document.
#[derive(Serialize)]
pub(crate) struct ErrorObject {
    kind: &'static str,
    message: String,
    help: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Value>,
}

pub(crate) fn error_object(error: &Error) -> ErrorObject {
    let hints: Vec<String> = error.hints().iter().map(|hint| mask(hint)).collect();
    ErrorObject {
        kind: error.kind().name(),
        message: mask(&error.to_string()),
        help: (!hints.is_empty()).then(|| hints.join("\n")),
        problems: error
            .problems()
            .iter()
            .map(|problem| {
                json!({
                    "file": problem.file, "line": problem.line, "column": problem.column,
                    "message": mask(&problem.message), "help": problem.help,
                })
            })
            .collect(),
    }
}

/// The document of a command that failed.
pub(crate) fn error_document(error: &Error) -> Value {
    json!({ "error": error_object(error) })
}
