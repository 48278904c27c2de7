//! A plan of any length, for measuring.

use std::path::Path;

use runner_policy::Request;

use super::CaseFile;
use super::plan::recorded_of;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A request with so many steps, each a small change of a schema as people write them.
///
/// # Errors
/// None that can be provoked: the text that it is made of is always a case.
pub(crate) fn made_up(steps: u32) -> Result<Request> {
    use std::fmt::Write as _;

    let mut text = String::from("environment = { name = \"development\", level = 10, production = false }\n");
    if steps == 0 {
        text.push_str("revisions = []\n");
    }
    text.push_str("expect = { outcome = \"allowed\" }\n");
    for number in 1..=steps {
        let (up, down) = match number % 4 {
            0 => (
                format!("CREATE INDEX patient_{number} ON patient (name, birthday);"),
                format!("DROP INDEX patient_{number};"),
            ),
            1 => (
                format!("CREATE TABLE note_{number} (id INTEGER PRIMARY KEY, patient INTEGER NOT NULL, text TEXT);"),
                format!("DROP TABLE note_{number};"),
            ),
            2 => (
                format!(
                    "ALTER TABLE patient ADD COLUMN field_{number} TEXT;\\nUPDATE patient SET field_{number} = name;"
                ),
                format!("ALTER TABLE patient DROP COLUMN field_{number};"),
            ),
            _ => (
                format!("-- for the report\\nINSERT INTO setting (name, value) VALUES ('s{number}', 'on');"),
                format!("DELETE FROM setting WHERE name = 's{number}';"),
            ),
        };
        let _ = write!(text, "[[revisions]]\nup = \"{up}\"\ndown = \"{down}\"\n");
    }
    let file = CaseFile::parse(Path::new("made up"), text)?;
    let none = || Error::new(ErrorKind::Io, "no plan can be made up");
    recorded_of(file.cases.first().ok_or_else(none)?).map(|recorded| recorded.request)
}
