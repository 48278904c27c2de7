//! What a finding is recognised by when lines have moved: its rule, its revision and its statement.

use runner_chain::Dialect;
use runner_chain::Revision;
use runner_policy::LintFinding;
use sha2::Digest as _;

/// Hexadecimal digits of a fingerprint.
const LENGTH: usize = 16;

/// The statements of a revision, for recognising findings.
pub(crate) struct Statements {
    /// Those of the up section, by their index.
    up: Vec<String>,
    /// First line and column, last line, and fingerprint of each statement of both sections, in the order of the file.
    placed: Vec<((u32, u32), u32, String)>,
}

impl Statements {
    /// Reads the sections that a dialect runs. What can't be cut has no statements.
    pub(crate) fn of(revision: &Revision, dialect: Dialect) -> Self {
        let mut placed = Vec::new();
        let mut up = Vec::new();
        let number = super::places::number;
        for (section, is_up) in [(revision.up(dialect), true), (revision.down(dialect), false)] {
            for statement in section.iter().flat_map(|section| section.statements(dialect)).flatten() {
                let fingerprint = digest(&[&statement.canonical()]);
                let last = statement.line + statement.text.matches('\n').count();
                placed.push(((number(statement.line), number(statement.column)), number(last), fingerprint.clone()));
                if is_up {
                    up.push(fingerprint);
                }
            }
        }
        placed.sort();
        Statements { up, placed }
    }

    /// The fingerprint of the statement that a finding is about; `file` if it is about none.
    pub(crate) fn fingerprint(&self, finding: &LintFinding) -> String {
        let of_index = finding.statement.and_then(|index| self.up.get(usize::try_from(index).ok()?));
        let of_place = || {
            let line = finding.verdict.line?;
            let place = (line, finding.verdict.column.unwrap_or(u32::MAX));
            let behind = self.placed.partition_point(|(start, _, _)| *start <= place);
            let (_, last, fingerprint) = self.placed.get(behind.checked_sub(1)?)?;
            (line <= *last).then_some(fingerprint)
        };
        of_index.or_else(of_place).cloned().unwrap_or_else(|| "file".to_owned())
    }
}

/// A digest over some texts, as few hexadecimal digits.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut hasher = sha2::Sha256::new();
    for text in texts {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    }
    let mut hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(LENGTH);
    hex
}

#[cfg(test)]
mod tests {
    use runner_policy::Severity;

    use super::super::own_rules;
    use super::*;

    fn statements(body: &str) -> Statements {
        let text = format!("-- T\n-- Revision ID: a\n-- Revises: base\n{body}");
        Statements::of(&runner_chain::parse_revision("a.sql", text.as_bytes()).unwrap(), Dialect::Sqlite)
    }

    fn at(line: u32, column: Option<u32>, statement: Option<u32>) -> LintFinding {
        let mut finding = own_rules::finding("r", Severity::Error, "");
        (finding.verdict.line, finding.verdict.column, finding.statement) = (Some(line), column, statement);
        finding
    }

    #[test]
    fn a_statement_is_recognised_wherever_it_stands() {
        let before = statements("-- migrate:up\nDROP TABLE a;\n-- migrate:down\nX;\n");
        let after = statements("-- more\n-- migrate:up\nY;\n\nDROP   TABLE -- gone\n  a;\n-- migrate:down\nX;\n");
        assert_eq!(before.fingerprint(&at(5, Some(1), None)), after.fingerprint(&at(9, Some(3), None)));
        assert_eq!(before.fingerprint(&at(1, None, Some(0))), after.fingerprint(&at(8, Some(1), None)));
        assert_eq!(before.fingerprint(&at(7, Some(1), None)), after.fingerprint(&at(11, Some(1), None)));
        assert_ne!(before.fingerprint(&at(5, Some(1), None)), after.fingerprint(&at(6, Some(1), None)));
    }

    #[test]
    fn what_is_about_no_statement_is_about_the_file() {
        let found = statements("-- migrate:up\nA;\n\nB;\n");
        for finding in [at(2, Some(1), None), at(6, Some(1), None), at(6, None, None)] {
            assert_eq!(found.fingerprint(&finding), "file");
        }
        assert_ne!(found.fingerprint(&at(5, None, None)), "file");
        assert_ne!(found.fingerprint(&at(5, Some(1), None)), found.fingerprint(&at(7, Some(1), None)));
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["a"]).len(), LENGTH);
    }
}
