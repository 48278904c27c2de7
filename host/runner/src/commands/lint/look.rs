//! One look at revisions: chain, policies, and what counts of what they find.

use std::collections::BTreeSet;
use std::sync::Arc;

use runner_chain::Chain;
use runner_chain::Dialect;
use runner_chain::Direction;
use runner_chain::Problem;
use runner_chain::Problems;
use runner_chain::directory;
use runner_policy::LintFinding;
use runner_policy::PluginRules;
use runner_policy::Verdict;

use super::unknown_rule;
use crate::config::Config;
use crate::config::lint::FailOn;
use crate::config::lint::LintLayer;
use crate::error::Result;
use crate::git::Trees;
use crate::lint::Assessed;
use crate::lint::Assessment;
use crate::lint::Catalogue;
use crate::lint::Here;
use crate::lint::Selection;
use crate::lint::Severities;
use crate::lint::baseline::Baseline;
use crate::lint::of_problem;
use crate::output::Printer;
use crate::pipeline;
use crate::pipeline::lint::Choice;
use crate::pipeline::lint::LintDesk;

/// The rule about notes such as TODO.
const UNFINISHED: &str = "todo-fixme";

/// Everything that looking needs.
pub(super) struct Looker<'a> {
    pub(super) config: &'a Config,
    pub(super) selection: Selection,
    pub(super) dialect: Option<Dialect>,
    pub(super) layers: Vec<LintLayer>,
    pub(super) baseline: Option<&'a Baseline>,
    pub(super) deny: Option<FailOn>,
    pub(super) denied_rules: Vec<String>,
    /// Whether the rules of all findings are wanted with them.
    pub(super) wants_rules: bool,
    /// Whether findings are wanted with fingerprints.
    pub(super) wants_fingerprints: bool,
    /// The policies, once they are loaded.
    pub(super) desk: Option<LintDesk<'a>>,
}

/// What the policies have said.
struct Asked {
    choice: Choice,
    looked_at: Vec<String>,
    findings: Vec<LintFinding>,
    rules: Vec<PluginRules>,
    refusals: Vec<Verdict>,
}

/// What was seen.
pub(super) struct Look {
    /// `None`: it can't be read.
    pub(super) chain: Option<Arc<Chain>>,
    pub(super) looked_at: Vec<String>,
    pub(super) assessed: Assessed,
    pub(super) refusals: Vec<Verdict>,
    pub(super) problems: Vec<Problem>,
    pub(super) catalogue: Catalogue,
    pub(super) environment: String,
    pub(super) dialect: Dialect,
}

impl<'a> Looker<'a> {
    /// Reads the chain, asks the policies about the selected revisions, and weighs what they find.
    pub(super) async fn look(&mut self, printer: &Printer) -> Result<Look> {
        let chain = match self.chain()? {
            Ok(chain) => Arc::new(chain),
            Err(problems) => return self.unreadable(problems).await,
        };
        let mut target = None;
        let revisions = match self.selection.choose(&chain, self.config, None)? {
            Some(revisions) => revisions,
            None => {
                let opened = pipeline::lint::target(self.config, &chain).await?;
                for warning in &opened.warnings {
                    printer.warn(warning);
                }
                target.insert(opened).pending.clone()
            }
        };
        if !revisions.is_empty() {
            self.open().await?;
        }
        let revisions = match (&self.desk, &target) {
            (Some(desk), Some(target)) => desk.running(target).await,
            _ => revisions,
        };
        let (false, Some(desk)) = (revisions.is_empty(), &mut self.desk) else {
            if let Some(target) = target {
                target.close().await?;
            }
            return Ok(self.nothing(chain));
        };
        let ids = revisions.iter().filter_map(|index| chain.revisions().get(*index));
        let looked_at: Vec<String> = ids.map(|revision| revision.id.to_string()).collect();
        let choice = Choice { revisions, planned: target.is_some() };
        let wants_rules = self.wants_rules;
        if !desk.has_lint() && desk.refusals().is_empty() {
            let set = desk.set();
            printer.warn(format_args!("no policy of the set `{set}` lints, so the chain alone was looked at"));
        }
        let linted = desk.lint(&chain, &choice, target.as_mut(), wants_rules).await;
        if let Some(target) = target {
            target.close().await?;
        }
        let mut refusals = desk.refusals();
        refusals.extend(linted.refusals);
        let asked = Asked { choice, looked_at, findings: linted.findings, rules: linted.rules, refusals };
        self.weigh(chain, asked).await
    }

    /// What counts of what the policies have found.
    async fn weigh(&self, chain: Arc<Chain>, asked: Asked) -> Result<Look> {
        let Asked { choice, looked_at, findings, rules, refusals } = asked;
        let severities = self.severities().await?;
        let Some(desk) = &self.desk else { return Ok(self.nothing(chain)) };
        let (dialect, audited, is_whole) = (desk.dialect(), desk.audited(), refusals.is_empty());
        let assessment = Assessment {
            chain: &chain,
            dialect,
            severities: &severities,
            baseline: self.baseline,
            looked_at: &looked_at,
            // With facts, or some of the policies, less is found than could be.
            is_complete: !choice.planned && is_whole && desk.has_lint(),
            knows_rules: is_whole,
            is_plan: false,
            wants_fingerprints: self.wants_fingerprints || self.baseline.is_some(),
            audited: &audited,
        };
        let rules = if assessment.names_rules() { desk.rules().await? } else { rules };
        let catalogue = Catalogue::new(&rules);
        let is_unknown = |name: &&String| is_whole && catalogue.named(name).is_empty();
        if let Some(unknown) = self.denied_rules.iter().find(is_unknown) {
            return Err(unknown_rule(unknown, &catalogue));
        }
        let problems = unreadable_sql(&chain, &choice.revisions, dialect);
        let mut own: Vec<LintFinding> = problems.iter().map(of_problem).collect();
        if severities.names_rules() && is_whole {
            let names = desk.environments().await?.into_iter();
            let names: Vec<String> = names.flat_map(|(name, aliases)| std::iter::once(name).chain(aliases)).collect();
            own.extend(severities.complaints(&catalogue, &names));
        }
        let assessed = assessment.weigh(findings, own, &catalogue);
        let environment = match desk.identity.level {
            Some(_) => desk.identity.name.clone(),
            None => self.config.environment.clone(),
        };
        Ok(Look { chain: Some(chain), looked_at, assessed, refusals, problems, catalogue, environment, dialect })
    }

    /// The chain of the folder, or of what is staged; or what is wrong with it.
    fn chain(&self) -> Result<std::result::Result<Chain, Problems>> {
        let config = self.config;
        if self.selection == Selection::Staged {
            let tree = Trees::of(config)?;
            // Nothing of it is in the commit, so it is not the commit's business.
            if tree.staged()?.iter().all(|name| !name.ends_with(".sql")) {
                return Ok(Ok(Chain::empty()));
            }
            return Ok(directory::assemble_texts(tree.staged_files()?));
        }
        match directory::load(&config.migrations) {
            Ok(chain) => Ok(Ok(chain)),
            Err(directory::LoadError::Problems(problems)) => Ok(Err(problems)),
            Err(error) => Err(error.into()),
        }
    }

    /// What there is to say of a chain that nobody can be asked about.
    async fn unreadable(&mut self, problems: Problems) -> Result<Look> {
        let problems: Vec<Problem> = problems.into_iter().collect();
        let own = problems.iter().map(of_problem).collect();
        let catalogue = Catalogue::new(&[]);
        let here = Here { dialect: Dialect::Sqlite, environment: String::new(), aliases: Vec::new(), production: None };
        // A problem of the chain is an error, whatever is configured.
        let severities = Severities::new(Vec::new(), here, BTreeSet::new());
        let assessment = Assessment {
            chain: &Chain::empty(),
            dialect: Dialect::Sqlite,
            severities: &severities,
            baseline: None,
            looked_at: &[],
            is_complete: false,
            knows_rules: true,
            is_plan: false,
            wants_fingerprints: false,
            audited: &[],
        };
        let assessed = assessment.weigh(Vec::new(), own, &catalogue);
        Ok(Look {
            chain: None,
            looked_at: Vec::new(),
            assessed,
            refusals: Vec::new(),
            problems,
            catalogue,
            environment: self.config.environment.clone(),
            dialect: Dialect::Sqlite,
        })
    }

    fn nothing(&self, chain: Arc<Chain>) -> Look {
        Look {
            chain: Some(chain),
            looked_at: Vec::new(),
            assessed: Assessed::default(),
            refusals: Vec::new(),
            problems: Vec::new(),
            catalogue: Catalogue::new(&[]),
            environment: self.config.environment.clone(),
            dialect: self.dialect.unwrap_or(Dialect::Sqlite),
        }
    }

    async fn open(&mut self) -> Result<()> {
        if self.desk.is_none() {
            self.desk = Some(LintDesk::open(self.config, self.dialect).await?);
        }
        Ok(())
    }

    async fn severities(&self) -> Result<Severities> {
        let mut here = Here {
            dialect: self.dialect.unwrap_or(Dialect::Sqlite),
            environment: self.config.environment.clone(),
            aliases: Vec::new(),
            production: None,
        };
        if let Some(desk) = &self.desk {
            here.dialect = desk.dialect();
            here.environment.clone_from(&desk.identity.name);
            here.production = desk.identity.production;
            if self.layers.iter().any(|layer| !layer.rules.is_empty()) {
                let all = desk.environments().await?;
                let own = all.into_iter().find(|(name, _)| *name == here.environment);
                here.aliases = own.map(|(_, aliases)| aliases).unwrap_or_default();
            }
        }
        let strict = self.config.active_set()?.strict().map(str::to_owned).collect();
        let severities = Severities::new(self.layers.clone(), here, strict);
        // What is not finished does not belong into a commit.
        let implied = (self.selection == Selection::Staged).then_some(UNFINISHED);
        Ok(severities.deny(self.deny, self.denied_rules.clone()).imply(implied))
    }
}

/// Sections that can't be cut into statements: nobody can lint those.
fn unreadable_sql(chain: &Chain, revisions: &[usize], dialect: Dialect) -> Vec<Problem> {
    let revisions = revisions.iter().filter_map(|index| chain.revisions().get(*index));
    let sections = revisions.flat_map(|revision| {
        [Direction::Up, Direction::Down].map(|direction| (revision, revision.run(direction, dialect)))
    });
    let wrong = sections.filter_map(|(revision, section)| {
        let error = section?.statements(dialect).err()?;
        let (line, column) = error.place();
        Some(pipeline::problem(revision, line, column, error.to_string(), error.help()))
    });
    wrong.collect()
}
