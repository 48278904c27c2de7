//! What comes before the body of a routine.

/// The part of a `CREATE` or `ALTER` statement that a token is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// After `CREATE`.
    Create,
    /// After `ALTER`.
    Alter,
    /// Between `DEFINER` and the kind of what is created.
    Definer,
    /// The name of a procedure or function, up to its parameters.
    Name,
    /// In so many parentheses of the parameters.
    Parameters(usize),
    /// What a function returns, and what is said about a routine.
    Characteristics,
    /// So many words that belong to the characteristic before, whatever they are.
    Words(usize),
    /// A trigger, after so many words of `FOR EACH ROW`.
    Trigger(usize),
    /// After `FOR EACH ROW`.
    TriggerOrder,
    /// After `FOLLOWS` or `PRECEDES`.
    OtherTrigger,
    /// An event, up to its `DO`.
    Event,
}

/// What a token is followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// More of the header.
    Header(Header),
    /// The body.
    BodyFollows,
    /// The token itself begins the body.
    Body,
    /// There is no body: a `;` ends the statement.
    Rest,
}

impl Header {
    /// `word` is in upper case, and empty for what is not a bare word.
    pub(super) fn after(self, word: &str, text: &str) -> Next {
        Next::Header(match self {
            Self::Create if matches!(word, "OR" | "REPLACE" | "AGGREGATE") => self,
            Self::Create | Self::Alter if word == "DEFINER" => Self::Definer,
            Self::Create | Self::Definer if matches!(word, "PROCEDURE" | "FUNCTION") => Self::Name,
            Self::Create | Self::Definer if word == "TRIGGER" => Self::Trigger(0),
            Self::Create | Self::Definer | Self::Alter if word == "EVENT" => Self::Event,
            Self::Definer if !matches!(word, "VIEW" | "SQL") => self,
            Self::Create | Self::Alter | Self::Definer => return Next::Rest,
            Self::Name if text == "(" => Self::Parameters(1),
            Self::Parameters(depth) if text == "(" => Self::Parameters(depth + 1),
            Self::Parameters(1) if text == ")" => Self::Characteristics,
            Self::Parameters(depth) if text == ")" => Self::Parameters(depth - 1),
            Self::Name | Self::Parameters(_) => self,
            Self::Words(count) if !word.is_empty() && count > 1 => Self::Words(count - 1),
            Self::Words(_) => Self::Characteristics,
            Self::Characteristics => match characteristic(word) {
                Some(0) => Self::Characteristics,
                Some(words) => Self::Words(words),
                None => return Next::Body,
            },
            Self::Trigger(0) if word == "FOR" => Self::Trigger(1),
            Self::Trigger(1) if word == "EACH" => Self::Trigger(2),
            Self::Trigger(2) if word == "ROW" => Self::TriggerOrder,
            Self::Trigger(_) => Self::Trigger(0),
            Self::TriggerOrder if matches!(word, "FOLLOWS" | "PRECEDES") => Self::OtherTrigger,
            Self::TriggerOrder => return Next::Body,
            Self::OtherTrigger => return Next::BodyFollows,
            Self::Event if word == "DO" => return Next::BodyFollows,
            Self::Event => self,
        })
    }
}

/// How many words belong to a word between the parameters and the body; none if it begins the body.
fn characteristic(word: &str) -> Option<usize> {
    match word {
        // What a function returns is a type, of which the first word may be any.
        "RETURNS" | "CHARSET" | "COLLATE" | "LANGUAGE" | "OF" => Some(1),
        "CHARACTER" => Some(2),
        "COMMENT" | "SQL" | "NOT" | "DETERMINISTIC" | "CONTAINS" | "NO" | "READS" | "MODIFIES" | "DATA"
        | "SECURITY" | "DEFINER" | "INVOKER" | "UNSIGNED" | "SIGNED" | "ZEROFILL" | "PRECISION" | "VARYING"
        | "CHAR" | "VARCHAR" | "BINARY" | "VARBINARY" | "ASCII" | "UNICODE" | "TYPE" => Some(0),
        // Quotes, parentheses and the numbers in them.
        _ if word.is_empty() || word.starts_with(|first: char| first.is_ascii_digit()) => Some(0),
        _ => None,
    }
}
