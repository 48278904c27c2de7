//! Everything that people and scripts see. stdout is data, stderr is talk; a terminal gets colour, a pipe plain lines.

pub(crate) mod graph;
pub(crate) mod json;
pub(crate) mod lint;
mod locks;
mod mask;
pub(crate) mod preview;
mod printer;
mod problem;
mod progress;
pub(crate) mod rehearsal;
mod report;
mod style;
mod table;
mod transfer;
mod validation;
mod xml;

pub(crate) use mask::mask;
pub(crate) use printer::Color;
pub(crate) use printer::Printer;
pub(crate) use printer::Verbosity;
pub(crate) use report::TextObserver;
pub(crate) use report::print_verdicts;
pub(crate) use style::Style;
pub(crate) use table::Table;
pub(crate) use transfer::Transfer;
pub(crate) use transfer::TransferBar;
