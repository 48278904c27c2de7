//! Which findings are suppressed by comments, and what is wrong with the comments.

use std::collections::HashMap;

use runner_chain::Dialect;
use runner_chain::Revision;
use runner_policy::LintFinding;
use runner_policy::printable;

use super::catalogue::Catalogue;
use super::comments::Located;
use super::comments::directives;
use super::directive::Name;
use super::directive::Origin;
use super::directive::Scope;
use super::own_rules::OwnRule;
use super::own_rules::RUNNER;
use super::places::Place;
use super::places::Places;

/// The plugin that looks at squawk's comments itself, and knows better what they are about.
const OBEYS_SQUAWK: &str = "lint-postgres";

/// Why a finding is suppressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Suppression {
    /// By a comment of its file.
    Comment {
        /// The line of the comment.
        line: u32,
        /// What it says.
        reason: Option<String>,
    },
    /// By the baseline.
    Baseline {
        /// The file, as people call it.
        file: String,
    },
}

impl Suppression {
    /// Why, in words; empty if nobody has said.
    pub(crate) fn reason(&self) -> String {
        match self {
            Suppression::Comment { reason, .. } => reason.clone().unwrap_or_default(),
            Suppression::Baseline { file } => format!("accepted in {file}"),
        }
    }
}

/// The directives of one revision, and which of them were needed.
pub(crate) struct Comments<'a> {
    revision: &'a Revision,
    dialect: Dialect,
    places: Places<'a>,
    directives: Vec<Directive>,
    index: Index,
}

struct Directive {
    located: Located,
    /// Whether each name, or the directive without names, has suppressed something.
    used: Vec<bool>,
}

/// Whose comments suppress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Languages {
    /// Ours and those of other tools, which need no reason.
    All,
    /// Ours alone.
    Own,
}

impl<'a> Comments<'a> {
    /// Reads the comments of a revision.
    pub(crate) fn of(revision: &'a Revision, dialect: Dialect) -> Self {
        let used = |located: &Located| vec![false; located.directive.names.len().max(1)];
        let found = directives(revision, dialect).into_iter();
        let directives: Vec<Directive> = found.map(|located| Directive { used: used(&located), located }).collect();
        let index = Index::of(&directives);
        Comments { revision, dialect, places: Places::new(revision.source()), directives, index }
    }

    /// Whether there is nothing to look at.
    pub(crate) fn is_empty(&self) -> bool {
        self.directives.is_empty()
    }

    /// Why a finding of this revision is suppressed, if it is.
    pub(crate) fn suppress(
        &mut self,
        finding: &LintFinding,
        catalogue: &Catalogue,
        languages: Languages,
    ) -> Option<Suppression> {
        let verdict = &finding.verdict;
        if verdict.plugin == RUNNER || verdict.refusal {
            return None;
        }
        let rule = verdict.rule.as_deref()?;
        let place = verdict.line.map(|line| (line, verdict.column.unwrap_or(1)));
        let statement = finding.statement.and_then(|statement| usize::try_from(statement).ok());
        let mut suppression = None;
        for number in self.index.candidates(place, statement) {
            let Some(directive) = self.directives.get_mut(number) else { continue };
            let Located { directive: said, scope, base } = &directive.located;
            let is_own = said.origin == Origin::Own;
            let is_others =
                matches!(said.origin, Origin::Squawk | Origin::SquawkFile) && verdict.plugin == OBEYS_SQUAWK;
            let is_foreign = !is_own && languages == Languages::Own;
            if is_others || is_foreign || is_own && said.reason.is_none() || !scope.covers(place, statement) {
                continue;
            }
            let named = said.names.iter().position(|name| catalogue.means(&name.text, &verdict.plugin, rule));
            // What names nothing suppresses everything, in the languages of others.
            let Some(used) = named.or_else(|| (said.names.is_empty() && !is_own).then_some(0)) else { continue };
            directive.used[used] = true;
            let line = self.places.of(base + said.offset).0;
            suppression =
                suppression.or(Some(Suppression::Comment { line, reason: said.reason.as_deref().map(printable) }));
        }
        suppression
    }

    /// What is wrong with the comments themselves. `tells_unknown`: all rules are in the catalogue. `tells_unused`:
    /// everything that could be found was looked for, so that what suppresses nothing is superfluous.
    pub(crate) fn complaints(
        &self,
        catalogue: &Catalogue,
        tells_unknown: bool,
        tells_unused: bool,
    ) -> Vec<LintFinding> {
        let mut complaints = Vec::new();
        for directive in &self.directives {
            let said = &directive.located.directive;
            if said.origin == Origin::Own {
                if tells_unknown {
                    self.unknown(directive, catalogue, &mut complaints);
                }
                self.without_reason(directive, catalogue, &mut complaints);
            }
            if tells_unused {
                self.unused(directive, catalogue, &mut complaints);
            }
        }
        complaints
    }

    fn unknown(&self, directive: &Directive, catalogue: &Catalogue, complaints: &mut Vec<LintFinding>) {
        let Located { directive: said, .. } = &directive.located;
        if said.names.is_empty() {
            let complaint = self.at(directive, None, OwnRule::UnknownRule, "`lint:ignore` names no rule");
            complaints
                .push(help(complaint, "write `-- lint:ignore RULE reason`; `runner lint --rules` lists the rules"));
            return;
        }
        for name in said.names.iter().filter(|name| catalogue.named(&name.text).is_empty()) {
            let message = format!("no lint policy in force has a rule `{}`", name.text);
            let complaint = self.at(directive, Some(name), OwnRule::UnknownRule, &message);
            complaints.push(match catalogue.nearest(&name.text) {
                Some(nearest) => help(complaint, &format!("did you mean `{nearest}`?")),
                None => help(complaint, "`runner lint --rules` lists the rules"),
            });
        }
    }

    fn without_reason(&self, directive: &Directive, catalogue: &Catalogue, complaints: &mut Vec<LintFinding>) {
        let Located { directive: said, .. } = &directive.located;
        if said.names.is_empty() {
            return;
        }
        let is_rule = |word: &str| !catalogue.named(word).is_empty();
        let reason = said.reason.as_deref().unwrap_or_default();
        if reason.split([' ', ',']).filter(|word| !word.is_empty()).all(is_rule) {
            let message = "`lint:ignore` gives no reason, so it does not count";
            let complaint = self.at(directive, None, OwnRule::IgnoreWithoutReason, message);
            let names: Vec<&str> = said.names.iter().map(|name| name.text.as_str()).collect();
            let advice = match reason {
                "" => format!("say why: `-- lint:ignore {} nothing reads it since …`", names.join(", ")),
                _ => format!("separate rules by commas: `-- lint:ignore {}, {reason} because …`", names.join(", ")),
            };
            complaints.push(help(complaint, &advice));
        }
    }

    fn unused(&self, directive: &Directive, catalogue: &Catalogue, complaints: &mut Vec<LintFinding>) {
        let Located { directive: said, .. } = &directive.located;
        // squawk's own are its own business, and what has no reason is told of already.
        let is_silent = matches!(said.origin, Origin::Squawk | Origin::SquawkFile)
            || said.origin == Origin::Own && said.reason.is_none();
        if is_silent {
            return;
        }
        if said.names.is_empty() {
            if said.origin == Origin::Atlas && !directive.used[0] {
                let message = format!("`{}` suppresses nothing", said.word());
                complaints.push(help(self.at(directive, None, OwnRule::UnusedIgnore, &message), UNUSED));
            }
            return;
        }
        for (name, _) in said.names.iter().zip(&directive.used).filter(|(_, used)| !**used) {
            let rules = catalogue.named(&name.text);
            // Another dialect may need it.
            let is_for_here = rules.iter().any(|(_, rule)| serves(rule, self.dialect));
            if is_for_here {
                let message = format!("`{} {}` suppresses nothing", said.word(), name.text);
                complaints.push(help(self.at(directive, Some(name), OwnRule::UnusedIgnore, &message), UNUSED));
            }
        }
    }

    /// A finding at a directive, or at a name in it.
    fn at(&self, directive: &Directive, name: Option<&Name>, rule: OwnRule, message: &str) -> LintFinding {
        let Located { directive: said, base, .. } = &directive.located;
        let (offset, length) = match name {
            Some(name) => (name.offset, name.text.len()),
            None => (said.offset, said.length),
        };
        let mut finding = rule.finding(message);
        let (line, column) = self.places.of(base + offset);
        finding.verdict.revision = Some(self.revision.id.to_string());
        finding.verdict.file = Some(self.revision.file.clone());
        finding.verdict.line = Some(line);
        finding.verdict.column = Some(column);
        finding.end = Some(self.places.of(base + offset + length));
        finding
    }
}

const UNUSED: &str =
    "take it away, or put it on the lines directly before what it is about; in the header it is about the file";

fn help(mut finding: LintFinding, advice: &str) -> LintFinding {
    finding.verdict.help = Some(printable(advice));
    finding
}

/// The directives that may be about a place, so that a file with many of them and many findings takes no time that grows with
/// both.
#[derive(Default)]
struct Index {
    /// Those about the whole file.
    of_file: Vec<usize>,
    /// Those about a statement of the up section, by its index.
    of_statement: HashMap<usize, Vec<usize>>,
    /// Those about a part of the file, by where that begins. Parts do not overlap.
    by_place: Vec<(Place, usize)>,
}

impl Index {
    fn of(directives: &[Directive]) -> Self {
        let mut index = Index::default();
        for (number, directive) in directives.iter().enumerate() {
            match &directive.located.scope {
                Scope::File => index.of_file.push(number),
                Scope::Statement { index: statement, from, .. } => {
                    index.by_place.push((*from, number));
                    if let Some(statement) = statement {
                        index.of_statement.entry(*statement).or_default().push(number);
                    }
                }
                Scope::Comments { from, .. } => index.by_place.push((*from, number)),
            }
        }
        index.by_place.sort_unstable();
        index
    }

    fn candidates(&self, place: Option<Place>, statement: Option<usize>) -> Vec<usize> {
        let mut found = self.of_file.clone();
        match (statement, place) {
            (Some(statement), _) => found.extend(self.of_statement.get(&statement).into_iter().flatten()),
            (None, Some(place)) => {
                let behind = self.by_place.partition_point(|(from, _)| *from <= place);
                let before = self.by_place.get(..behind).unwrap_or_default();
                let part = before.last().map(|(from, _)| *from);
                found
                    .extend(before.iter().rev().take_while(|(from, _)| Some(*from) == part).map(|(_, number)| *number));
            }
            (None, None) => {}
        }
        // The first one of the file gives the reason.
        found.sort_unstable();
        found
    }
}

/// Whether a rule can report something on a dialect.
pub(crate) fn serves(rule: &runner_policy::data::RevisionRule, dialect: Dialect) -> bool {
    use runner_policy::data;
    let dialect = match dialect {
        Dialect::Sqlite => data::Dialect::Sqlite,
        Dialect::Postgres => data::Dialect::Postgres,
        Dialect::Mysql => data::Dialect::Mysql,
    };
    rule.dialects.is_empty() || rule.dialects.contains(&dialect)
}

#[cfg(test)]
#[path = "suppression_tests.rs"]
mod tests;
