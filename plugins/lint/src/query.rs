//! Queries and changes of rows, parsed by `sqlparser`, to find what the database would refuse.
//!
//! What is parsed is bounded: its depth by `sqlparser` itself, the length of its chains of operators here, because the tree of
//! `1 + 1 + 1 + …` is as deep as it is long, and is taken apart recursively. Longer statements hold data rather than thoughts; their outline is
//! read all the same. Statements that differ in their literals alone are parsed once.

use std::any::TypeId;
use std::collections::BTreeMap;

use runner_policy_sdk::Dialect;
use sqlparser::ast::BinaryOperator;
use sqlparser::ast::Expr;
use sqlparser::dialect::Dialect as Grammar;
use sqlparser::dialect::MySqlDialect;
use sqlparser::dialect::Precedence;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::Token;

use crate::cursor::Unread;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;

/// Bytes of a statement that is parsed.
const LENGTH: usize = 128 << 10;
/// Lexemes of an expression: between two commas, at one depth of parentheses.
const CHAIN: usize = 600;
/// `UNION` and the like in a statement.
const UNIONS: usize = 100;
/// Parentheses within each other, and whatever else `sqlparser` counts.
const DEPTH: usize = 40;

/// Parses statements of one revision.
pub(crate) struct Queries {
    dialect: Dialect,
    /// By the shape of a statement: why it was not understood.
    seen: BTreeMap<u64, Option<Unread>>,
}

impl Queries {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Queries { dialect, seen: BTreeMap::new() }
    }

    /// What is wrong with a query or a change of rows, if that can be told.
    pub(crate) fn check(&mut self, text: &str, lexemes: &[Lexeme], from: usize) -> Option<Unread> {
        match extent(text, lexemes) {
            Extent::Deep(span) => {
                let expected = format!("expected at most {DEPTH} levels of parentheses");
                return Some(Unread { span, expected });
            }
            Extent::Long => return None,
            Extent::Modest => {}
        }
        if self.is_beyond(text, lexemes) {
            return None;
        }
        let key = shape(text, lexemes);
        if let Some(known) = self.seen.get(&key) {
            return known.clone();
        }
        let problem = self.parse(text.get(from..)?).err().map(|error| unread(text, from, &error));
        self.seen.insert(key, problem.clone());
        problem
    }

    fn parse(&self, sql: &str) -> Result<(), ParserError> {
        let dialect: &dyn Grammar = match self.dialect {
            Dialect::Sqlite => &Lite(SQLiteDialect {}),
            Dialect::Mysql => &MySqlDialect {},
            // Its own policy parses PostgreSQL, with the grammar of PostgreSQL.
            Dialect::Postgres => return Ok(()),
        };
        let mut parser = Parser::new(dialect).with_recursion_limit(DEPTH).try_with_sql(sql)?;
        // What follows `WITH` may change rows, so a query is more than a SELECT. Definitions are not asked for, which leaves
        // the larger half of `sqlparser` out of the component.
        if parser.parse_keyword(Keyword::REPLACE) {
            let replace = parser.get_current_token().clone();
            parser.parse_insert(replace)?;
        } else {
            parser.parse_query()?;
        }
        match parser.peek_token().token {
            Token::EOF | Token::SemiColon => Ok(()),
            found => Err(ParserError::ParserError(format!(
                "Expected: the end of the statement, found: {found}{}",
                parser.peek_token().span.start
            ))),
        }
    }

    /// What the database understands and `sqlparser` does not.
    fn is_beyond(&self, text: &str, lexemes: &[Lexeme]) -> bool {
        let [first, second, ..] = lexemes else { return false };
        if self.dialect != Dialect::Mysql {
            // `FROM t INDEXED BY i`, `FROM t NOT INDEXED`
            if lexemes.iter().any(|lexeme| lexeme.is_word(text, "INDEXED")) {
                return true;
            }
            // `WITH r AS NOT MATERIALIZED (…)`, `INSERT INTO t AS c`
            let is_alias = |four: &[Lexeme]| four[0].is_word(text, "INTO") && four[2].is_word(text, "AS");
            let is_hint = |pair: &[Lexeme]| pair[0].is_word(text, "MATERIALIZED") && pair[1].is_symbol(text, b'(');
            return lexemes.windows(2).any(is_hint) || lexemes.windows(4).take(6).any(is_alias);
        }
        // `a MOD 2`, which is no call.
        let calls = |next: &Lexeme| next.is_symbol(text, b'(');
        if lexemes.windows(2).any(|pair| pair[0].is_word(text, "MOD") && !calls(&pair[1])) {
            return true;
        }
        const BEYOND: [&[&str]; 3] =
            [&["WITH", "CHECK", "OPTION"], &["LOCK", "IN", "SHARE", "MODE"], &["NEXT", "VALUE", "FOR"]];
        let has = |words: &&[&str]| {
            let is = |found: &[Lexeme]| found.iter().zip(*words).all(|(lexeme, word)| lexeme.is_word(text, word));
            lexemes.windows(words.len()).any(is)
        };
        let is_checked = ["LOCAL", "CASCADED"].iter().any(|kind| has(&&["WITH", kind, "CHECK", "OPTION"][..]));
        if is_checked || BEYOND.iter().any(has) {
            return true;
        }
        // `UPDATE LOW_PRIORITY IGNORE`, `DELETE QUICK`, `INSERT DELAYED`
        const MODIFIERS: [&str; 5] = ["LOW_PRIORITY", "QUICK", "IGNORE", "DELAYED", "HIGH_PRIORITY"];
        if MODIFIERS.iter().any(|word| second.is_word(text, word)) {
            return true;
        }
        // `UPDATE t, u SET`
        let is_set = |lexeme: &&Lexeme| !lexeme.is_word(text, "SET");
        first.is_word(text, "UPDATE") && lexemes.iter().take_while(is_set).any(|lexeme| lexeme.is_symbol(text, b','))
    }
}

enum Extent {
    Modest,
    Long,
    Deep(std::ops::Range<usize>),
}

fn extent(text: &str, lexemes: &[Lexeme]) -> Extent {
    let mut chains = vec![0_usize];
    let (mut unions, mut long) = (0, text.len() > LENGTH);
    for lexeme in lexemes {
        if lexeme.kind == Kind::Symbol {
            match text.as_bytes().get(lexeme.start) {
                Some(b'(') if chains.len() > DEPTH => return Extent::Deep(lexeme.start..lexeme.end),
                Some(b'(') => chains.push(0),
                Some(b')') if chains.len() > 1 => {
                    chains.pop();
                }
                Some(b',') => chains.last_mut().into_iter().for_each(|chain| *chain = 0),
                _ => {}
            }
        } else if lexeme.kind == Kind::Word {
            let is_union = ["UNION", "EXCEPT", "INTERSECT"].iter().any(|word| lexeme.is_word(text, word));
            unions += usize::from(is_union);
        }
        if let Some(chain) = chains.last_mut() {
            *chain += 1;
            long = long || *chain > CHAIN;
        }
    }
    if long || unions > UNIONS { Extent::Long } else { Extent::Modest }
}

/// The same for statements that differ in literals, case and white space alone. FNV-1a.
fn shape(text: &str, lexemes: &[Lexeme]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for lexeme in lexemes {
        match lexeme.kind {
            Kind::Text => add(1),
            Kind::Number => add(2),
            Kind::Name => add(3),
            Kind::Word | Kind::Symbol | Kind::Comment => {
                lexeme.of(text).bytes().for_each(|byte| add(byte.to_ascii_uppercase()));
            }
        }
        add(0);
    }
    hash
}

/// `sqlparser` writes the place at the end of its message.
fn unread(text: &str, from: usize, error: &ParserError) -> Unread {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
        ParserError::RecursionLimitExceeded => {
            let expected = format!("expected at most {DEPTH} levels of nesting");
            return Unread { span: from..text.len(), expected };
        }
    };
    let (said, place) = message.rsplit_once(" at Line: ").unwrap_or((message, ""));
    let start = place.split_once(", Column: ").and_then(|(line, column)| {
        let (line, column) = (line.trim().parse::<usize>().ok()?, column.trim().parse::<usize>().ok()?);
        Some(from + offset(text.get(from..)?, line, column))
    });
    let start = start.unwrap_or(if said.ends_with("found: EOF") { text.len() } else { from });
    let end = text[start..].find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len() - start);
    let end = if end == 0 { text[start..].chars().next().map_or(0, char::len_utf8) } else { end };
    let said = said.split_once(", found: ").map_or(said, |(expected, _)| expected);
    let said = said.strip_prefix("Expected: ").map_or_else(|| said.to_owned(), |rest| format!("expected {rest}"));
    Unread { span: start..start + end, expected: said }
}

/// The byte at a line and a column, in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        start += text[start..].find('\n').map_or(0, |end| end + 1);
    }
    text[start..].char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| start + at)
}

/// SQLite as `sqlparser` has it, with what it lacks.
#[derive(Debug)]
struct Lite(SQLiteDialect);

impl Grammar for Lite {
    fn dialect(&self) -> TypeId {
        TypeId::of::<SQLiteDialect>()
    }

    fn is_delimited_identifier_start(&self, sign: char) -> bool {
        self.0.is_delimited_identifier_start(sign)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        self.0.identifier_quote_style(identifier)
    }

    fn is_identifier_start(&self, sign: char) -> bool {
        self.0.is_identifier_start(sign)
    }

    fn is_identifier_part(&self, sign: char) -> bool {
        self.0.is_identifier_part(sign)
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_in_empty_list(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_dollar_placeholder(&self) -> bool {
        true
    }

    fn supports_notnull_operator(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        is_null(&parser.peek_token_ref().token).then(|| Ok(self.prec_value(Precedence::Is)))
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        if is_null(&parser.peek_token_ref().token) {
            parser.next_token();
            return Some(Ok(Expr::IsNull(Box::new(left.clone()))));
        }
        // `a IS 1` and `a IS NOT b` compare, and take NULL for a value.
        const OF_ALL: [&str; 5] = ["NULL", "TRUE", "FALSE", "DISTINCT", "JSON"];
        let is_word =
            |token: &Token, word: &str| matches!(token, Token::Word(found) if found.value.eq_ignore_ascii_case(word));
        let [is, second, third] = parser.peek_tokens();
        let value = if is_word(&second, "NOT") { &third } else { &second };
        if is_word(&is, "IS") && !OF_ALL.iter().any(|word| is_word(value, word)) {
            let _is = parser.parse_keyword(Keyword::IS);
            let _not = parser.parse_keyword(Keyword::NOT);
            let right = parser.parse_subexpr(precedence);
            return Some(right.map(|right| Expr::BinaryOp {
                left: Box::new(left.clone()),
                op: BinaryOperator::Eq,
                right: Box::new(right),
            }));
        }
        self.0.parse_infix(parser, left, precedence)
    }
}

/// `a ISNULL`
fn is_null(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("ISNULL"))
}

#[cfg(test)]
mod tests;
