//! Templates: `{name}` is replaced, `{{` and `}}` stand for braces.

/// The names that a template may hold. One that does not fit the event is empty.
pub(crate) const NAMES: [&str; 17] = [
    "actor",
    "duration",
    "environment",
    "error",
    "event",
    "host",
    "level",
    "operation",
    "override",
    "plan",
    "reasons",
    "revision",
    "revision-title",
    "revisions",
    "skipped",
    "steps",
    "target",
];

/// Fills a template.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> String) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '}' if letters.peek() == Some(&letter) => {
                letters.next();
                filled.push(letter);
            }
            '{' => {
                let mut name = String::new();
                loop {
                    match letters.next() {
                        Some('}') => break,
                        Some(letter) if letter != '{' => name.push(letter),
                        _ => return Err(format!("`{{{name}` has no closing `}}`")),
                    }
                }
                if !NAMES.contains(&name.as_str()) {
                    return Err(format!("there is no placeholder `{{{name}}}`; known are {}", known()));
                }
                filled.push_str(&value(&name));
            }
            '}' => return Err("`}` without `{`; `}}` stands for the sign itself".to_owned()),
            letter => filled.push(letter),
        }
    }
    Ok(filled)
}

/// Whether a template is well-formed.
///
/// # Errors
/// As [`fill`].
pub(crate) fn check(template: &str) -> Result<(), String> {
    fill(template, |_| String::new()).map(drop)
}

fn known() -> String {
    NAMES.map(|name| format!("`{{{name}}}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, String> {
        fill(template, |name| format!("<{name}>"))
    }

    #[test]
    fn names_are_replaced() {
        assert_eq!(filled("{actor} in {environment}: {{{error}}}").unwrap(), "<actor> in <environment>: {<error>}");
        assert_eq!(filled("").unwrap(), "");
    }

    #[test]
    fn what_is_no_name_is_an_error() {
        assert!(
            filled("{nobody}").unwrap_err().starts_with("there is no placeholder `{nobody}`; known are `{actor}`,")
        );
        assert_eq!(filled("a {actor").unwrap_err(), "`{actor` has no closing `}`");
        assert_eq!(filled("a {ac{tor}").unwrap_err(), "`{ac` has no closing `}`");
        assert!(filled("a } b").unwrap_err().contains("without"));
    }
}
