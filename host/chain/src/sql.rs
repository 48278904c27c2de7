//! SQL as text: its tokens, its statements, and what is left of it without comments.
//!
//! How a dialect writes strings and comments is a small table (`lexical`); everything else follows the tokens.

mod canonical;
mod lexical;
mod statement;
mod tokens;

pub(crate) use canonical::{reads_alike_everywhere, without_comments};
pub use statement::{SplitError, Statement, split};
pub use tokens::Unclosed;
