//! Whether an expression has another value in each row. From PostgreSQL 11 on, the default of a new column is computed once
//! unless one of its functions is volatile; before, each row is written in any case.

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::engine;
use crate::server::Version;

/// What looks like a name and is computed once for a statement.
const WORDS: [&str; 11] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// What looks like a call of a function and is none, and functions that have a syntax of their own.
const CONSTRUCTS: [&str; 16] = [
    "array",
    "coalesce",
    "current_time",
    "current_timestamp",
    "greatest",
    "json_array",
    "json_object",
    "least",
    "localtime",
    "localtimestamp",
    "nullif",
    "overlay",
    "position",
    "row",
    "substring",
    "trim",
];

/// Whether the default of a new column makes the server write each row. Functions that are not built in may be volatile.
pub(crate) fn is_computed_for_each_row(expression: &ast::Expr, version: Option<Version>) -> bool {
    if !version.unwrap_or(Version::ASSUMED).has(11) {
        return true;
    }
    expression.syntax().descendants().any(|node| {
        if ast::Select::can_cast(node.kind()) || ast::OperatorCall::can_cast(node.kind()) {
            return true;
        }
        if let Some(call) = ast::CallExpr::cast(node.clone()) {
            return is_volatile(&call);
        }
        // A name that is neither a word of the language nor the name of a function can't be known.
        ast::NameRef::cast(node).is_some_and(|name| !is_part_of_call(&name) && !WORDS.contains(&name.text().as_str()))
    })
}

fn is_part_of_call(name: &ast::NameRef) -> bool {
    let mut parents = name.syntax().ancestors().skip(1);
    let parent = parents.next().filter(|parent| !ast::FieldExpr::can_cast(parent.kind())).or_else(|| parents.next());
    parent.is_some_and(|parent| ast::CallExpr::can_cast(parent.kind()) || !ast::Expr::can_cast(parent.kind()))
}

fn is_volatile(call: &ast::CallExpr) -> bool {
    let Some(function) = call.expr() else {
        // `EXTRACT(… FROM …)` and the like.
        return false;
    };
    let name = match &function {
        ast::Expr::NameRef(name) => name.text(),
        ast::Expr::FieldExpr(_) => {
            let written = function.syntax().to_string().to_lowercase();
            match written.strip_prefix("pg_catalog.") {
                Some(name) => name.to_owned(),
                None => return true,
            }
        }
        _ => return true,
    };
    !CONSTRUCTS.contains(&name.as_str()) && !engine::is_stable_function(&name)
}
