//! `${VARIABLE}` and `${VARIABLE:-default}` in the texts of `runner.toml`.

use std::fmt;

use serde::Deserialize;

/// A text with variables still in it. It may hold a secret, so `Debug` does not show it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Template(String);

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Template(…)")
    }
}

/// Why a template has no value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// Neither set nor defaulted.
    #[error("the variable `{0}` is not set")]
    Unset(String),
    /// Set to something that is not UTF-8.
    #[error("the variable `{0}` is not UTF-8 text")]
    NotText(String),
    /// `${` without `}`.
    #[error("`${{` without a closing `}}`")]
    Open,
    /// `${…}` around something that is no name.
    #[error("`{0}` is not the name of a variable")]
    Name(String),
}

impl Template {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Template(text.into())
    }

    /// Fills in variables. An empty variable counts as not set, as `:-` has it in a shell. `$${` stands for `${`.
    pub(crate) fn fill(
        &self,
        variable: &dyn Fn(&str) -> Result<Option<String>, TemplateError>,
    ) -> Result<String, TemplateError> {
        let mut filled = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                filled.push_str(&rest[..start]);
                filled.push('{');
                rest = &rest[start + 2..];
                continue;
            }
            filled.push_str(&rest[..start]);
            let inner = &rest[start + 2..];
            let end = inner.find('}').ok_or(TemplateError::Open)?;
            let (name, default) = match inner[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&inner[..end], None),
            };
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(TemplateError::Name(name.to_owned()));
            }
            match variable(name)?.filter(|value| !value.is_empty()) {
                Some(value) => filled.push_str(&value),
                None => filled.push_str(default.ok_or_else(|| TemplateError::Unset(name.to_owned()))?),
            }
            rest = &inner[end + 1..];
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, TemplateError> {
        Template::new(text).fill(&|name| match name {
            "SET" => Ok(Some("value".to_owned())),
            "EMPTY" => Ok(Some(String::new())),
            "GARBLED" => Err(TemplateError::NotText(name.to_owned())),
            _ => Ok(None),
        })
    }

    #[test]
    fn variables_and_defaults_are_filled_in() {
        assert_eq!(fill("a ${SET} b ${UNSET:-c:-d} ${EMPTY:-}"), Ok("a value b c:-d ".to_owned()));
        assert_eq!(fill("plain $SET }"), Ok("plain $SET }".to_owned()));
        assert_eq!(fill("$${SET}"), Ok("${SET}".to_owned()));
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        assert_eq!(fill("${UNSET}"), Err(TemplateError::Unset("UNSET".to_owned())));
        assert_eq!(fill("${GARBLED:-default}"), Err(TemplateError::NotText("GARBLED".to_owned())));
        assert_eq!(fill("${SET"), Err(TemplateError::Open));
        assert_eq!(fill("${A B}"), Err(TemplateError::Name("A B".to_owned())));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert!(!format!("{:?}", Template::new("postgres://u:secret@h/d")).contains("secret"));
    }
}
