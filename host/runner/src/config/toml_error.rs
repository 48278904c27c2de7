//! Errors of `runner.toml` with file, line, column and the line shown.

use std::ops::Range;
use std::path::Path;

use runner_chain::Problem;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::output::mask;
use crate::suggest::nearest;

/// Turns what the TOML parser says of the configuration into our error.
pub(super) fn explain(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    explain_as("configuration", path, text, error)
}

/// Turns what the TOML parser says of a file into our error. `what` is what the file should be.
pub(crate) fn explain_as(what: &str, path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let message = error.message().trim().lines().collect::<Vec<_>>().join(", ");
    let suggestion = suggestion(&message);
    let file = path.display().to_string();
    let Some(span) = error.span() else {
        return Error::new(ErrorKind::Configuration, format!("`{file}`: {message}")).maybe_help(suggestion);
    };
    Error::new(ErrorKind::Configuration, format!("`{file}` is not a valid {what}"))
        .at(vec![problem(&file, text, span, &message, suggestion)])
}

/// A problem at a place of a text.
pub(crate) fn problem(file: &str, text: &str, span: Range<usize>, message: &str, help: Option<String>) -> Problem {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let source_line = text[line_start..].lines().next().unwrap_or("");
    let shown_length =
        span.end.saturating_sub(start).min(source_line.len() - (start - line_start).min(source_line.len()));
    Problem {
        file: file.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        length: shown_length.max(1),
        source_line: Some(mask(source_line)),
        lines_before: 0,
        message: mask(message),
        label: None,
        help,
    }
}

/// serde says "unknown field `x`, expected one of `a`, `b`"; the nearest one is probably meant.
fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field ").or_else(|| message.strip_prefix("unknown variant "))?;
    let mut names = rest.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let known: Vec<&str> = names.collect();
    Some(format!("did you mean `{}`?", nearest(unknown, &known)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_shown_with_the_nearest_known_one() {
        let text = "environment = \"test\"\n\n[databse]\nurl = \"sqlite://a.db\"\n";
        let error = toml::from_str::<super::super::file::File>(text).unwrap_err();
        let explained = explain(Path::new("runner.toml"), text, &error);
        let problem = &explained.problems()[0];
        assert_eq!((problem.line, problem.column), (3, 2));
        assert_eq!(problem.help.as_deref(), Some("did you mean `database`?"));
    }

    #[test]
    fn a_broken_line_is_shown_without_its_password() {
        let text = "[database]\nurl = \"postgres://app:hunter2@db/app\n";
        let error = toml::from_str::<super::super::file::File>(text).unwrap_err();
        let explained = explain(Path::new("runner.toml"), text, &error);
        assert!(!format!("{explained:?}").contains("hunter2"));
    }
}
