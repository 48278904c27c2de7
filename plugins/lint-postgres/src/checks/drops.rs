//! `CASCADE`.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::statements::Statement;

impl Findings<'_> {
    /// Drops that take others along. `TRUNCATE … CASCADE` has a rule of the engine.
    pub(super) fn drops(&mut self, statement: &Statement) {
        let cascades = statement.node.syntax().descendants().filter_map(ast::Cascade::cast);
        // `ON DELETE CASCADE` and `ADD ATTRIBUTE … CASCADE` drop nothing.
        let dropping: Vec<ast::Cascade> =
            cascades.filter(|cascade| cascade.syntax().parent().is_some_and(|parent| is_drop(&parent))).collect();
        for cascade in dropping {
            self.add_at("drop-cascade", cascade.syntax(), "`CASCADE` also drops what depends on it, without naming it")
                .helped("drop what depends on it by name first; without `CASCADE` PostgreSQL says what was forgotten");
        }
    }
}

/// Whether a statement or an action begins with `DROP`.
fn is_drop(node: &SyntaxNode) -> bool {
    let first = node.children_with_tokens().find(|child| !child.kind().is_trivia());
    first
        .and_then(squawk_syntax::SyntaxElement::into_token)
        .is_some_and(|token| token.text().eq_ignore_ascii_case("drop"))
}
