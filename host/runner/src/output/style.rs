//! The few styles that are used, so that the output is of one piece.

use anstyle::AnsiColor;
use anstyle::Effects;

/// What a piece of text is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// A heading or a name that stands out.
    Strong,
    /// Less important text.
    Faint,
    /// It went well.
    Good,
    /// Worth a thought.
    Warning,
    /// Wrong.
    Bad,
}

impl Style {
    /// Wraps a text in the codes of the style. A stream that is not a terminal strips them again.
    pub(crate) fn paint(self, text: impl std::fmt::Display) -> String {
        let style = match self {
            Style::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Style::Faint => anstyle::Style::new().effects(Effects::DIMMED),
            Style::Good => AnsiColor::Green.on_default(),
            Style::Warning => AnsiColor::Yellow.on_default().effects(Effects::BOLD),
            Style::Bad => AnsiColor::Red.on_default().effects(Effects::BOLD),
        };
        format!("{style}{text}{style:#}")
    }
}
