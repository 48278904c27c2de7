//! The settings, each of which may be left out.

use runner_policy_sdk::JsonSchema;
use runner_policy_sdk::SettingProblem;
use serde::Deserialize;
use serde::Serialize;

/// Settings, all optional.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(crate = "runner_policy_sdk::schemars")]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Statements of a section from which on `large-revision` says that it is large.
    pub max_statements: u32,
    /// Bytes of a file from which on `large-revision` says that it is large.
    pub max_bytes: u32,
    /// Rows below which a table counts as small: locking and rewriting it is only a warning in production.
    pub small_table_rows: u64,
    /// What `missing-comment` asks for.
    pub comment_required: CommentRequired,
    /// How new things have to be named.
    pub naming: Naming,
}

/// What has to be commented.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(crate = "runner_policy_sdk::schemars")]
#[serde(rename_all = "kebab-case")]
pub enum CommentRequired {
    /// Nothing.
    Nothing,
    /// The revision needs a title.
    Title,
    /// The revision needs a title, and what destroys data a comment that says why.
    Dangerous,
}

/// How new things have to be named. What is left out may have any name.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(crate = "runner_policy_sdk::schemars")]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Naming {
    /// How words are joined in names of tables, columns, indexes and constraints.
    pub style: NamingStyle,
    /// What names of databases and schemas begin with.
    pub schema_prefix: String,
    /// What names of tables begin with.
    pub table_prefix: String,
    /// What names of columns begin with.
    pub column_prefix: String,
    /// What names of indexes begin with, as in `ix_`.
    pub index_prefix: String,
    /// What names of foreign keys begin with, as in `fk_`.
    pub foreign_key_prefix: String,
    /// What names of check constraints begin with, as in `ck_`.
    pub check_prefix: String,
}

/// How words are joined in names.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(crate = "runner_policy_sdk::schemars")]
#[serde(rename_all = "kebab-case")]
pub enum NamingStyle {
    /// `home_address`
    SnakeCase,
    /// `homeAddress`
    CamelCase,
    /// `HomeAddress`
    PascalCase,
    /// Any name is good.
    Any,
}

impl std::default::Default for Settings {
    fn default() -> Self {
        Settings {
            max_statements: 50,
            max_bytes: 256 << 10,
            small_table_rows: 10_000,
            comment_required: CommentRequired::Dangerous,
            naming: Naming::default(),
        }
    }
}

impl std::default::Default for Naming {
    fn default() -> Self {
        Naming {
            style: NamingStyle::SnakeCase,
            schema_prefix: String::new(),
            table_prefix: String::new(),
            column_prefix: String::new(),
            index_prefix: String::new(),
            foreign_key_prefix: String::new(),
            check_prefix: String::new(),
        }
    }
}

impl Settings {
    /// What is wrong and `serde` can't see.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let zero = |path: &str, is_zero: bool| {
            is_zero.then(|| SettingProblem::new(path, "is 0, so every revision would be too large; it counts from 1"))
        };
        [zero("max-statements", self.max_statements == 0), zero("max-bytes", self.max_bytes == 0)]
            .into_iter()
            .flatten()
            .collect()
    }
}

pub(crate) const SCHEMA: &str = include_str!("../settings.schema.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_type() {
        runner_policy_sdk::testing::assert_schema::<Settings>(SCHEMA);
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        let settings = Settings { max_statements: 0, ..Settings::default() };
        assert_eq!(settings.problems()[0].path, "max-statements");
        assert_eq!(Settings::default().problems(), []);
    }
}
