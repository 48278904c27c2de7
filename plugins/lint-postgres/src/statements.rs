//! The statements of a script as the parser has them.

use std::ops::Range;

use squawk_syntax::Parse;
use squawk_syntax::SourceFile;
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode;

use crate::script::Script;

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) node: ast::Stmt,
    /// Its bytes in the script, without the comments before it.
    pub(crate) range: Range<usize>,
    /// Its index among the runner's statements.
    pub(crate) index: Option<u32>,
    /// Whether the parser understood all of it.
    pub(crate) is_sound: bool,
}

/// A piece that the parser does not understand.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) range: Range<usize>,
}

/// What the parser makes of a script.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) parse: Parse<SourceFile>,
    /// In the order of the script.
    pub(crate) statements: Vec<Statement>,
    pub(crate) faults: Vec<Fault>,
}

impl Parsed {
    pub(crate) fn new(script: &Script) -> Self {
        let parse = SourceFile::parse(script.text());
        let faults: Vec<Fault> = parse
            .errors()
            .into_iter()
            .map(|error| Fault { message: error.message().to_owned(), range: bytes(error.range()) })
            .collect();
        let mut statements = Vec::new();
        for node in parse.tree().stmts().filter(|node| !matches!(node, ast::Stmt::EmptyStmt(_))) {
            let range = range_of(node.syntax());
            let index = script.statement_at(range.start);
            statements.push(Statement { node, range, index, is_sound: true });
        }
        let mut parsed = Parsed { parse, statements, faults };
        parsed.mark_unsound();
        parsed
    }

    /// The statement that a byte belongs to, by its position in `statements`.
    pub(crate) fn at(&self, offset: usize) -> Option<usize> {
        self.statements.partition_point(|statement| statement.range.start <= offset).checked_sub(1)
    }

    fn mark_unsound(&mut self) {
        let hit: Vec<usize> = self.faults.iter().filter_map(|fault| self.at(fault.range.start)).collect();
        for statement in hit {
            self.statements[statement].is_sound = false;
        }
    }
}

/// The bytes of a node, without comments and white space before it.
pub(crate) fn range_of(node: &SyntaxNode) -> Range<usize> {
    let whole = bytes(node.text_range());
    let first = node.children_with_tokens().find(|child| !child.kind().is_trivia());
    first.map_or(whole.start, |child| bytes(child.text_range()).start)..whole.end
}

/// A range of the parser as a range of bytes.
fn bytes(range: impl Into<Range<usize>>) -> Range<usize> {
    range.into()
}
