//! Errors of `runner.toml` with file, line, column and the line shown.

use std::ops::Range;
use std::path::Path;

use runner_chain::Fault;
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
    let is_secret = error.span().is_none_or(|span| is_in_channels(text, span.start));
    let message = if is_secret { without_values(&message) } else { message };
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
    let is_secret = is_in_channels(text, start);
    Problem {
        file: file.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        length: shown_length.max(1),
        source_line: Some(if is_secret { without_value(source_line) } else { mask(source_line) }),
        lines_before: 0,
        message: mask(message),
        label: None,
        help,
        fault: Fault::Configuration,
    }
}

/// Whether a place is about channels, whose values are addresses and tokens.
fn is_in_channels(text: &str, place: usize) -> bool {
    let end = text.get(place..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| place + end);
    let mut is_about_channels = false;
    for line in text[..end].lines().map(str::trim_start) {
        let name = line.trim_start_matches('[').trim_start().trim_start_matches(['"', '\'']);
        if line.starts_with('[') {
            is_about_channels = name.starts_with("channels");
        } else if name.starts_with("channels") {
            return true;
        }
    }
    is_about_channels
}

/// A line up to the first `=`.
fn without_value(line: &str) -> String {
    match line.split_once('=') {
        Some((key, _)) => format!("{key}= ***"),
        None => "***".to_owned(),
    }
}

/// A message without what could be a value: it quotes values, and takes wrong ones for names.
fn without_values(message: &str) -> String {
    /// No key and no word of ours is longer.
    const LONGEST_NAME: usize = 20;
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        let (quote, inner) = quoted.split_at(1);
        shown.push_str(before);
        shown.push_str(quote);
        let end = inner.find(quote).unwrap_or(inner.len());
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        let is_name = quote == "`" && end <= LONGEST_NAME && inner[..end].chars().all(is_plain);
        shown.push_str(if is_name { &inner[..end] } else { "***" });
        rest = &inner[end..];
        if !rest.is_empty() {
            shown.push_str(quote);
            rest = &rest[1..];
        }
    }
    shown.push_str(rest);
    shown
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
    fn nothing_of_a_channel_is_shown_but_keys() {
        for text in [
            "[channels.team]\nurl = \"https://hooks.example/sEcReT\n",
            "[channels.team]\nkind = \"https://hooks.example/sEcReT\"\n",
            "[channels.team]\nport = \"sEcReT\"\n",
            "[channels.team]\nurrl = \"sEcReT\"\n",
            "[channels.team]\nkind = \"sEcReT-sEcReT-sEcReT-sEcReT\"\n",
            "[channels]\nteam = { kind = \"slack\", port = \"sEcReT\" }\n",
            "channels.team.port = \"sEcReT\"\n",
            "channels = { team = { port = \"sEcReT\" } }\n",
            "[ channels . team ]\nport = \"sEcReT\"\n",
            "[channels.team]\nto = \"\"\"\nsEcReT\n\"\"\"\n",
        ] {
            let error = toml::from_str::<super::super::file::File>(text).unwrap_err();
            let explained = explain(Path::new("runner.toml"), text, &error);
            assert!(!format!("{explained:?}").contains("sEcReT"), "{text}: {explained:?}");
        }
    }

    #[test]
    fn a_broken_line_is_shown_without_its_password() {
        let text = "[database]\nurl = \"postgres://app:hunter2@db/app\n";
        let error = toml::from_str::<super::super::file::File>(text).unwrap_err();
        let explained = explain(Path::new("runner.toml"), text, &error);
        assert!(!format!("{explained:?}").contains("hunter2"));
    }
}
