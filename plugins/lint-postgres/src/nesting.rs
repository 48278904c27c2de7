//! How deeply SQL is nested, found before it is parsed: the parser goes down a level for each bracket, and what it makes of a
//! chain of operators is taken apart link by link, so both end in an overflow of the stack if there is no bound.

use std::ops::Range;

use squawk_lexer::LiteralKind;
use squawk_lexer::TokenKind;
use squawk_lexer::tokenize;

/// What a bracket weighs, in words of a chain. It takes more stack than these.
const BRACKET: usize = 16;
/// Most that may be open at once: 375 brackets, or a condition of 1500 terms. Compiled to WebAssembly, the parser takes less than
/// 512 KiB of stack for these.
const MOST: usize = 6_000;
/// Words that are followed by a statement or an expression which may begin with the same word.
const OPENING: [&str; 8] = ["not", "case", "explain", "prepare", "atomic", "do", "declare", "operator"];
/// Texts within texts, as the body of a function that makes a function.
const WITHIN: usize = 2;

/// The statements that are nested too deeply to be parsed. They do not overlap.
pub(crate) fn too_deep(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut start, mut offset) = (Vec::new(), None, 0);
    let mut depth = Depth::default();
    for token in tokenize(text) {
        let piece = offset..offset + token.len as usize;
        offset = piece.end;
        if matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. }) {
            continue;
        }
        let first = *start.get_or_insert(piece.start);
        depth.add(token.kind, &text[piece.clone()], WITHIN);
        if token.kind == TokenKind::Semi {
            if depth.is_exceeded() {
                found.push(first..piece.end);
            }
            (depth, start) = (Depth::default(), None);
        }
    }
    if let (true, Some(first)) = (depth.is_exceeded(), start) {
        found.push(first..text.len());
    }
    found
}

/// What is open at a token of a statement.
#[derive(Default)]
struct Depth {
    /// Links of the chain that each open bracket interrupts.
    outer: Vec<usize>,
    /// The sum of these.
    below: usize,
    /// Links of the chain within the innermost bracket.
    chain: usize,
    /// Words that open something, in the whole statement.
    opened: usize,
    /// Operators in a row.
    signs: usize,
    /// Whether it makes a function or a procedure.
    is_routine: bool,
    /// Whether it names the language whose texts are parsed.
    is_sql: bool,
    /// Whether a text in it is nested too deeply.
    is_body_exceeded: bool,
    exceeded: bool,
}

impl Depth {
    fn add(&mut self, kind: TokenKind, text: &str, within: usize) {
        self.signs = if is_sign(kind) { self.signs + 1 } else { 0 };
        match kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenCurly => {
                self.outer.push(self.chain);
                self.below += self.chain;
                self.chain = 0;
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseCurly => {
                let chain = self.outer.pop().unwrap_or(self.chain);
                self.below = self.below.saturating_sub(chain);
                // It stands for a link, which takes two words elsewhere.
                self.chain = chain + 2;
            }
            TokenKind::Comma => self.chain = 0,
            TokenKind::Ident => {
                self.chain += 1;
                self.word(text);
            }
            TokenKind::Literal { kind } => {
                self.chain += 1;
                self.literal(kind, text, within);
            }
            _ => self.chain += 1,
        }
        let weight = self.below + self.chain + BRACKET * (self.outer.len() + self.opened + self.signs);
        self.exceeded |= weight > MOST;
    }

    /// Whether it can't be parsed. The text of a function counts if it is SQL, which may be said behind it.
    fn is_exceeded(&self) -> bool {
        self.exceeded || self.is_body_exceeded && self.is_sql
    }

    fn word(&mut self, text: &str) {
        if text.eq_ignore_ascii_case("end") || text.eq_ignore_ascii_case("null") {
            self.opened = self.opened.saturating_sub(1);
        } else if OPENING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            self.opened += 1;
        }
        self.is_routine |= text.eq_ignore_ascii_case("function") || text.eq_ignore_ascii_case("procedure");
        self.is_sql |= text.eq_ignore_ascii_case("sql");
    }

    /// A text may be the body of a function, which is parsed as well.
    fn literal(&mut self, kind: LiteralKind, text: &str, within: usize) {
        let is_text = !matches!(kind, LiteralKind::Int { .. } | LiteralKind::Numeric { .. });
        self.is_sql |= text.eq_ignore_ascii_case("'sql'");
        if !is_text || !self.is_routine || within == 0 || text.len() < MOST / BRACKET {
            return;
        }
        let mut depth = Depth::default();
        let mut offset = 0;
        let body = body(text);
        for token in tokenize(body) {
            let piece = offset..offset + token.len as usize;
            offset = piece.end;
            match token.kind {
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {}
                TokenKind::Semi => depth = Depth { exceeded: depth.is_exceeded(), ..Depth::default() },
                kind => depth.add(kind, &body[piece], within - 1),
            }
        }
        self.is_body_exceeded |= depth.is_exceeded();
    }
}

/// What a literal quotes, more or less: what is doubled or escaped in it stays so.
fn body(literal: &str) -> &str {
    let quote = match literal.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(tag) => tag + 2,
        None => literal.find('\'').map_or(0, |quote| quote + 1),
    };
    literal.get(quote..literal.len().saturating_sub(quote).max(quote)).unwrap_or_default()
}

/// Whether this may be an operator, or a part of one.
fn is_sign(kind: TokenKind) -> bool {
    !matches!(
        kind,
        TokenKind::Ident
            | TokenKind::QuotedIdent { .. }
            | TokenKind::Literal { .. }
            | TokenKind::PositionalParam { .. }
            | TokenKind::Comma
            | TokenKind::Dot
            | TokenKind::OpenParen
            | TokenKind::CloseParen
            | TokenKind::OpenBracket
            | TokenKind::CloseBracket
            | TokenKind::OpenCurly
            | TokenKind::CloseCurly
    )
}
