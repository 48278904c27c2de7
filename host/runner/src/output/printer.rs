//! The two streams, and how loud they are.

use std::io::BufRead as _;
use std::io::IsTerminal as _;
use std::io::Write as _;

use anstream::AutoStream;
use anstream::ColorChoice;
use anstream::adapter::strip_str;
use runner_delivery::Severity;
use runner_delivery::Wording;
use runner_policy::Facts;
use runner_policy::Request;

use super::mask;
use super::mask::mask_json;
use super::problem;
use super::style::Style;
use crate::error::Error;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// What happens.
    #[default]
    Normal,
    /// And why.
    Verbose,
}

/// Where output goes. Failing to write never stops a command: a migration must not end half-way because the reader of its
/// output has gone.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    color: ColorChoice,
    verbosity: Verbosity,
    json: bool,
    /// Whether lines of data go to stderr, because stdout is for something else.
    is_aside: bool,
    /// Whether lines of data are for nobody.
    is_silent: bool,
    stderr_color: bool,
}

impl Printer {
    pub(crate) fn new(color: Color, verbosity: Verbosity, json: bool) -> Self {
        let color = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let stderr_color = match color {
            ColorChoice::Auto => AutoStream::choice(&std::io::stderr()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        };
        Printer { color, verbosity, json, is_aside: false, is_silent: false, stderr_color }
    }

    /// The same for a command whose stdout is for something else: what it says goes to stderr.
    pub(crate) fn aside(&self) -> Self {
        Printer { is_aside: true, ..self.clone() }
    }

    /// The same for a command whose document says it all: nothing but warnings and errors.
    pub(crate) fn silent(&self) -> Self {
        Printer { verbosity: Verbosity::Quiet, is_silent: true, ..self.clone() }
    }

    /// Whether stdout takes one JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// Whether somebody may be watching, so that a progress bar makes sense.
    pub(crate) fn is_watched(&self) -> bool {
        !self.json && self.verbosity > Verbosity::Quiet && std::io::stderr().is_terminal()
    }

    /// A line of data on stdout. With `--json` it is left to the document.
    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        match (self.json || self.is_silent, self.is_aside) {
            (true, _) => {}
            (false, true) => self.talk(text),
            (false, false) => self.put(mask(&text.to_string())),
        }
    }

    /// Writes lines to stdout at once: asking whether it is a terminal and writing a piece after the other takes longer than
    /// what is said.
    fn put(&self, mut text: String) {
        text.push('\n');
        let mut stdout = std::io::stdout().lock();
        let _ = if self.colors_stdout() {
            AutoStream::new(stdout, self.color).write_all(text.as_bytes())
        } else {
            stdout.write_all(strip_str(&text).to_string().as_bytes())
        };
    }

    /// A line of what happens, on stdout, unless quiet.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.line(text);
        }
    }

    /// The one JSON document.
    pub(crate) fn document(&self, document: &impl serde::Serialize) {
        if self.json
            && let Ok(text) = serde_json::to_string_pretty(document)
        {
            let _ = writeln!(std::io::stdout(), "{}", mask_json(&text));
        }
    }

    /// A JSON document that is asked for in another way than by `--json`.
    pub(crate) fn any_document(&self, document: &impl serde::Serialize) {
        Printer { json: true, ..self.clone() }.document(document);
    }

    /// Asks a question on the terminal; `None`: there is none.
    pub(crate) fn ask(&self, question: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{question} [y/N] ");
        let _ = stderr.flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        Some(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Lines in a form that somebody else has defined, on stdout and without colour.
    pub(crate) fn lines(&self, lines: &[String]) {
        let lines: String = lines.iter().map(|line| mask(line) + "\n").collect();
        let _ = std::io::stdout().lock().write_all(lines.as_bytes());
    }

    /// Whether lines on stdout are coloured.
    pub(crate) fn colors_stdout(&self) -> bool {
        match self.color {
            ColorChoice::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        }
    }

    /// The same with a recorded request, and the facts that belong to it, as its last keys. They stay as it is: masked, the SQL of the revisions would be other
    /// SQL, and the runner's own secrets are not in it.
    pub(crate) fn document_with_request(
        &self,
        document: &impl serde::Serialize,
        request: &Request,
        facts: Option<&Facts>,
    ) {
        let Ok(request) = serde_json::to_string_pretty(request) else { return };
        let facts = facts.and_then(|facts| serde_json::to_string_pretty(facts).ok());
        self.document_with(document, [("request", Some(request)), ("facts", facts)]);
    }

    /// A script and nothing else; with `--json` the document with the script as its last key.
    ///
    /// # Errors
    /// It can't be written as a whole: half a script must not look like one.
    pub(crate) fn script(&self, document: &impl serde::Serialize, script: &str) -> std::io::Result<()> {
        let mut stdout = std::io::stdout().lock();
        if self.json {
            let text = self.text_with(document, [("sql", serde_json::to_string(script).ok())]);
            writeln!(stdout, "{}", text.unwrap_or_default())?;
        } else {
            stdout.write_all(script.as_bytes())?;
        }
        stdout.flush()
    }

    /// A script that says why it does nothing.
    pub(crate) fn comment(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stdout(), "-- {text}");
        }
    }

    /// The JSON document with last keys, given as JSON, that are not masked.
    fn document_with<const N: usize>(&self, document: &impl serde::Serialize, last: [(&str, Option<String>); N]) {
        if let Some(text) = self.text_with(document, last) {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    fn text_with<const N: usize>(
        &self,
        document: &impl serde::Serialize,
        last: [(&str, Option<String>); N],
    ) -> Option<String> {
        let text = serde_json::to_string_pretty(document).ok().filter(|_| self.json)?;
        let open = text.trim_end().strip_suffix('}')?;
        let last: String = last
            .into_iter()
            .filter_map(|(key, value)| Some(format!(",\n  \"{key}\": {}", value?.replace('\n', "\n  "))))
            .collect();
        Some(format!("{}{last}\n}}", mask_json(open.trim_end())))
    }

    /// A line on stderr, whatever the verbosity.
    pub(crate) fn talk(&self, text: impl std::fmt::Display) {
        let _ = writeln!(AutoStream::new(std::io::stderr(), self.color), "{}", mask(&text.to_string()));
    }

    /// What is being done that takes its time, on stderr, unless quiet.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.talk(text);
        }
    }

    /// A warning on stderr, unless quiet.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.talk(format_args!("{}: {text}", Style::Warning.paint("warning")));
        }
    }

    /// A message that a policy has for people who watch, on stderr; if quiet, only what is wrong.
    pub(crate) fn message(&self, message: &Wording) {
        let (style, word) = match message.severity {
            Severity::Info => (Style::Good, "notice"),
            Severity::Warning => (Style::Warning, "notice, warning"),
            Severity::Error => (Style::Bad, "notice, error"),
        };
        if self.verbosity > Verbosity::Quiet || message.severity == Severity::Error {
            self.talk(format_args!("{}: {}", style.paint(word), message.title));
            for line in message.text.lines() {
                self.talk(format_args!("  {line}"));
            }
        }
    }

    /// A hint that belongs to what was just said on stderr.
    pub(crate) fn hint(&self, text: impl std::fmt::Display) {
        self.talk(format_args!("  {}: {text}", Style::Good.paint("help")));
    }

    /// An error: its places in files, the message, and after a blank line what to do. With `--json` it is also the document.
    pub(crate) fn error(&self, error: &Error) {
        self.document(&super::json::error_document(error));
        self.error_text(error);
    }

    /// The places of an error in files, on stderr.
    pub(crate) fn problems(&self, error: &Error) {
        for found in error.problems() {
            self.talk(problem::render(found, self.stderr_color));
        }
    }

    /// An error on stderr.
    pub(crate) fn error_text(&self, error: &Error) {
        self.problems(error);
        self.talk(format_args!("{}: {error}", Style::Bad.paint("error")));
        if !error.hints().is_empty() {
            self.talk("");
            for hint in error.hints() {
                self.hint(hint);
            }
        }
    }
}
