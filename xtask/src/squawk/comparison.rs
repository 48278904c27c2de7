//! What both say, and what only one of them says.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use lint_postgres::PlainReport;

use super::cli::Said;

/// Differences that are listed one by one.
const LISTED: usize = 50;

/// How often a rule spoke up.
#[derive(Debug, Default)]
struct Row {
    both: usize,
    only_theirs: usize,
    only_ours: usize,
    /// Of those that both have: in a revision it would be excused, because the file has made what it is about.
    excused: usize,
    /// Only ours, in a file of whose statements `squawk` lints none because it does not understand one of them.
    beside_errors: usize,
}

/// A comparison of many files.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    files: usize,
    files_with_errors: usize,
    rows: BTreeMap<String, Row>,
    /// Findings of rules that the engine lacks.
    of_our_own: BTreeMap<String, usize>,
    unexplained: Vec<String>,
    pub(crate) ours: Duration,
    pub(crate) theirs: Duration,
}

impl Comparison {
    /// Compares a file.
    pub(crate) fn add(&mut self, file: &Path, report: &PlainReport, said: &[Said]) {
        self.files += 1;
        self.files_with_errors += usize::from(report.has_syntax_errors);
        let mut theirs = said.to_vec();
        theirs.sort();
        for finding in &report.findings {
            if !finding.is_engines {
                *self.of_our_own.entry(finding.rule.clone()).or_default() += 1;
                continue;
            }
            let ours = Said { rule: finding.rule.clone(), line: finding.line, message: finding.message.clone() };
            let row = self.rows.entry(ours.rule.clone()).or_default();
            if let Ok(same) = theirs.binary_search(&ours) {
                theirs.remove(same);
                row.both += 1;
                row.excused += usize::from(finding.withheld.is_some());
            } else if report.has_syntax_errors && ours.rule != "syntax-error" {
                row.beside_errors += 1;
            } else {
                row.only_ours += 1;
                self.unexplained.push(format!(
                    "{}:{}: {} only here: {}",
                    file.display(),
                    ours.line,
                    ours.rule,
                    ours.message
                ));
            }
        }
        for said in theirs {
            self.rows.entry(said.rule.clone()).or_default().only_theirs += 1;
            self.unexplained.push(format!(
                "{}:{}: {} only by squawk: {}",
                file.display(),
                said.line,
                said.rule,
                said.message
            ));
        }
    }

    /// Whether nobody has to look at anything.
    pub(crate) fn is_explained(&self) -> bool {
        self.unexplained.is_empty()
    }

    pub(crate) fn print(&self) {
        println!(
            "{:46} {:>7} {:>11} {:>9} {:>8} {:>14}",
            "rule", "both", "only squawk", "only here", "excused", "beside errors"
        );
        for (rule, row) in &self.rows {
            let Row { both, only_theirs, only_ours, excused, beside_errors } = row;
            println!("{rule:46} {both:>7} {only_theirs:>11} {only_ours:>9} {excused:>8} {beside_errors:>14}");
        }
        println!("\nexcused: both find it; a revision is not told, because the same file has made what it is about");
        println!(
            "beside errors: squawk lints nothing in a file that holds a syntax error; here the other statements are linted"
        );
        let own: usize = self.of_our_own.values().sum();
        println!("\n{own} findings of {} rules that squawk lacks", self.of_our_own.len());
        for (rule, count) in &self.of_our_own {
            println!("  {rule:44} {count:>7}");
        }
        println!("\n{} files, {} with syntax errors", self.files, self.files_with_errors);
        println!("squawk took {:?} with all its processors, the policy's code {:?} on one", self.theirs, self.ours);
        for line in self.unexplained.iter().take(LISTED) {
            println!("{line}");
        }
        println!("{} differences are not explained", self.unexplained.len());
    }
}
