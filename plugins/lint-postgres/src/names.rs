//! Names of tables and other objects, as the server understands them.

use std::fmt;

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode;

/// What kind of object a name stands for. Tables, views and sequences share their names, so they are one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Anything that can stand after `FROM`.
    Relation,
    Index,
    Type,
    Function,
    Schema,
}

/// A name, perhaps with its schema. Unquoted names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl Name {
    /// A name without a schema.
    pub(crate) fn bare(name: impl Into<String>) -> Self {
        Name { schema: None, name: name.into() }
    }

    /// The first name within a piece of SQL.
    pub(crate) fn first_in(node: &SyntaxNode) -> Option<Self> {
        node.descendants().find_map(Name::of)
    }

    /// The first name within a part of a statement.
    pub(crate) fn within(node: Option<impl AstNode>) -> Option<Self> {
        Name::first_in(node?.syntax())
    }

    /// The name that this piece is.
    fn of(node: SyntaxNode) -> Option<Self> {
        if let Some(path) = ast::PathRef::cast(node.clone()) {
            let schema = path.qualifier().and_then(|qualifier| qualifier.segment()).map(|segment| segment.text());
            return Some(Name { schema, name: path.segment()?.text() });
        }
        let path = ast::Path::cast(node)?;
        let schema = path.qualifier().and_then(|qualifier| qualifier.segment()).map(|segment| segment.text());
        Some(Name { schema, name: path.segment()?.text() })
    }

    /// Whether both may be the same object: a schema that is not written may be any.
    pub(crate) fn may_be(&self, other: &Name) -> bool {
        self.name == other.name
            && match (&self.schema, &other.schema) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
    }

    /// As [`to_string`](ToString::to_string) writes it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (first, rest) = unquoted(text)?;
        match rest.strip_prefix('.') {
            Some(rest) => {
                let (name, rest) = unquoted(rest)?;
                rest.is_empty().then_some(Name { schema: Some(first), name })
            }
            None => rest.is_empty().then_some(Name::bare(first)),
        }
    }
}

/// The first part of a written name, and what is after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{}.", Quoted(schema))?;
        }
        write!(formatter, "{}", Quoted(&self.name))
    }
}

/// A part of a name, in quotes if it needs them.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        let plain =
            characters.next().is_some_and(|first| first == '_' || first.is_alphabetic() && !first.is_uppercase())
                && characters.all(|next| next == '_' || next == '$' || next.is_alphanumeric() && !next.is_uppercase());
        if plain { formatter.write_str(self.0) } else { write!(formatter, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// An object that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) name: Name,
}

impl Object {
    pub(crate) fn new(kind: Kind, name: Name) -> Self {
        Object { kind, name }
    }
}
