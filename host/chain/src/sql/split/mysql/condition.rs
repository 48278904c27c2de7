//! The condition of an `IF`, `CASE`, `WHILE`, `FOR` or `REPEAT`, up to the keyword that ends it.

/// Tells the keyword that ends a condition from the same word in a `CASE` expression, in parentheses or as a name.
#[derive(Debug, Default)]
pub(super) struct Condition {
    parentheses: usize,
    /// In how many parentheses each open `CASE` expression began.
    cases: Vec<usize>,
    /// The token before was an operand, so what follows is no operand.
    after_operand: bool,
}

impl Condition {
    /// Takes the next token: `word` is in upper case, and empty for what is not a bare word. Says whether a keyword here
    /// could end the condition.
    pub(super) fn may_end_at(&mut self, word: &str, text: &str) -> bool {
        let may_end = self.after_operand && self.parentheses == 0 && self.cases.is_empty();
        match (word, text) {
            ("CASE", _) => self.cases.push(self.parentheses),
            // `end` is a name where an operand has to follow.
            ("END", _) if self.after_operand && self.cases.last() == Some(&self.parentheses) => {
                self.cases.pop();
            }
            (_, "(") => self.parentheses += 1,
            (_, ")") => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        self.after_operand = match word {
            "" => text == ")" || text.len() > 1 || !text.starts_with(|sign: char| sign.is_ascii_punctuation()),
            _ => !is_operator(word),
        };
        may_end
    }
}

/// The words after which an operand of the same expression has to follow.
fn is_operator(word: &str) -> bool {
    matches!(
        word,
        "AND"
            | "BETWEEN"
            | "CASE"
            | "COLLATE"
            | "DIV"
            | "ELSE"
            | "IN"
            | "INTERVAL"
            | "IS"
            | "LIKE"
            | "MOD"
            | "NOT"
            | "OR"
            | "REGEXP"
            | "RLIKE"
            | "THEN"
            | "WHEN"
            | "XOR"
    )
}
