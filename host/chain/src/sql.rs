//! SQL as text: its tokens, its statements, and what is left of it without comments.
//!
//! How a dialect writes strings and comments is a small table (`lexical`) that `tokens` follows; where its statements end is
//! a state machine over the tokens (`split`, with one file a dialect).

mod canonical;
mod client_command;
mod comment;
mod effect;
mod lexeme;
mod lexical;
mod quotes;
mod split;
mod split_error;
mod statement;
mod tokens;

pub(crate) use canonical::{reads_alike_everywhere, without_comments};
pub use client_command::Client;
pub use comment::{Comment, comments};
pub use effect::{Effect, Mentions, ObjectName, Removal, RemovalKind, destroys, effects, mentions, removals};
pub use lexeme::{Lexeme, LexemeKind, lexemes};
pub use split::split;
pub use split_error::{DelimiterFault, SplitError};
pub use statement::Statement;
pub use tokens::Unclosed;
