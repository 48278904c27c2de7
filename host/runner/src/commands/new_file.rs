//! What `revision` and `merge` have in common: a new file of the chain.

use std::path::PathBuf;

use runner_chain::Chain;
use runner_chain::EnvironmentTag;
use runner_chain::Label;
use runner_chain::RevisionId;
use runner_chain::Selector;
use runner_chain::directory;
use runner_chain::directory::Location;
use runner_chain::stub::NewRevision;
use runner_policy::Identity;
use runner_policy::LintMatter;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::StepFate;
use runner_policy::data;
use serde_json::json;

use super::init::new_id;
use super::init::now;
use super::revision_json;
use crate::args::Global;
use crate::chain_file;
use crate::config::Config;
use crate::config::Overrides;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::plugin_set;
use crate::pipeline::policy_context;
use crate::pipeline::policy_host;

/// Options of commands that write a revision file.
#[derive(Debug, clap::Args)]
pub(super) struct Header {
    /// Environment tags: the lowest environment in which it may run, or `=name` for exactly one
    // Takes the place of the global option, which is about where a command runs; these commands run nowhere.
    #[arg(id = "env", long = "env", value_name = "TAGS", value_delimiter = ',', allow_hyphen_values = true)]
    tags: Vec<String>,
    /// Its id, instead of a random one
    #[arg(long, value_name = "ID")]
    rev_id: Option<RevisionId>,
    /// Build on revisions that others build on already, which starts a branch
    #[arg(long)]
    splice: bool,
    /// A name for the branch that begins here; may be given several times
    #[arg(long = "branch-label", value_name = "LABEL")]
    labels: Vec<Label>,
    /// A revision that has to be applied before, on whatever branch it is: an id, a label; may be given several times
    #[arg(long = "depends-on", value_name = "REVISION")]
    depends_on: Vec<String>,
    /// Migrations folder for the file, of several [default: that of its parent]
    #[arg(long, value_name = "FOLDER")]
    version_path: Option<PathBuf>,
}

/// A chain that gets a new file.
pub(super) struct Growing {
    config: Config,
    pub(super) chain: Chain,
}

impl Growing {
    pub(super) fn open(global: &Global) -> Result<Self> {
        let config = Config::load(&Overrides { environment: None, ..global.overrides() })?;
        let chain = directory::load_or_empty(&config.migrations)?;
        Ok(Growing { config, chain })
    }

    /// Writes the file, and tells where it is. `is_empty`: its sections have nothing to do; otherwise they say what to write
    /// there.
    pub(super) async fn write(
        self,
        header: &Header,
        title: String,
        parents: Vec<RevisionId>,
        is_empty: bool,
        printer: &Printer,
    ) -> Result<u8> {
        let Growing { config, chain } = self;
        let id = match &header.rev_id {
            Some(id) => id.clone(),
            None => new_id()?,
        };
        if let Some(taken) = chain.get(id.as_str()) {
            return Err(Error::new(ErrorKind::Usage, format!("`{id}` is taken by `{}`", taken.file))
                .help("leave out `--rev-id` to get a new one"));
        }
        header.check_labels(&chain, &id)?;
        if !header.splice {
            only_heads(&chain, &parents)?;
        }
        let new = NewRevision {
            id,
            title,
            parents,
            environments: header.tags.iter().map(|tag| self::tag(tag)).collect::<Result<_>>()?,
            depends_on: header.dependencies(&chain)?,
            labels: header.labels.clone(),
            created: now(),
        };
        let runs_in = runs_in(&config, &new).await?;
        let text = if is_empty { new.text_with("", "", true, &[]) } else { new.text() };
        let location = header.location(&config, &chain, &new.parents)?;
        // Before anything is written, because it may not be readable.
        chain_file::read(&config)?;
        directory::create(&location.path, &new.file_name(), &text)?;
        let chain = directory::load(&config.migrations)?;
        chain_file::update(&config, &chain)?;
        let written = chain
            .get(new.id.as_str())
            .ok_or_else(|| Error::new(ErrorKind::Io, format!("`{}` was written and is not there", new.file_name())))?;
        printer.say(format_args!("wrote {}", written.file));
        printer.say(format_args!("it can run in: {}", runs_in.join(", ")));
        let mut document = revision_json::document(&chain, written);
        if let Some(document) = document.as_object_mut() {
            document.insert("runs_in".to_owned(), json!(runs_in));
        }
        printer.document(&document);
        Ok(exit::DONE)
    }
}

impl Header {
    /// The folder for a file with these parents.
    fn location<'c>(&self, config: &'c Config, chain: &Chain, parents: &[RevisionId]) -> Result<&'c Location> {
        let list = format!("`dir` in `[migrations]` names `{}`", config.migrations_shown());
        if let Some(given) = &self.version_path {
            let shown = given.to_string_lossy();
            let is_it = |location: &&Location| {
                location.shown_as == shown.trim_end_matches('/')
                    || given
                        .canonicalize()
                        .is_ok_and(|given| location.path.canonicalize().is_ok_and(|path| path == given))
            };
            return config.migrations.iter().find(is_it).ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("`{shown}` is no migrations folder of this project")).help(list)
            });
        }
        let parent = parents.first().and_then(|parent| chain.get(parent.as_str()));
        match (&config.migrations[..], parent.and_then(|parent| config.location_of(parent))) {
            (_, Some(location)) | ([location], None) => Ok(location),
            _ => Err(Error::new(
                ErrorKind::Usage,
                "there are several migrations folders, and no parent that is in one of them",
            )
            .help(format!("say which with `--version-path`; {list}"))),
        }
    }

    fn check_labels(&self, chain: &Chain, id: &RevisionId) -> Result<()> {
        for label in &self.labels {
            let taken = chain.labelled(label.as_str()).or_else(|| chain.get(label.as_str()));
            if let Some(taken) = taken {
                let message = format!("the label `{label}` is taken by `{}`", taken.file);
                return Err(Error::new(ErrorKind::Usage, message).help("choose another one"));
            }
            if label.as_str() == id.as_str() {
                return Err(Error::new(ErrorKind::Usage, format!("`{label}` can't be the id and a label"))
                    .help("choose another one for either"));
            }
        }
        Ok(())
    }

    /// What it depends on: labels as they are, everything else as whole ids.
    fn dependencies(&self, chain: &Chain) -> Result<Vec<String>> {
        let mut dependencies = Vec::new();
        for given in &self.depends_on {
            let found = match chain.labelled(given) {
                Some(_) => vec![given.clone()],
                None => {
                    let selector: Selector =
                        given.parse().map_err(|error: runner_chain::SelectorParseError| Error::from(error))?;
                    chain.resolve(&selector, None)?.iter().map(ToString::to_string).collect()
                }
            };
            dependencies.extend(found.into_iter().filter(|id| !dependencies.contains(id)).collect::<Vec<_>>());
        }
        Ok(dependencies)
    }
}

/// Refuses parents that others build on already.
fn only_heads(chain: &Chain, parents: &[RevisionId]) -> Result<()> {
    let is_inner = |parent: &&RevisionId| chain.get(parent.as_str()).is_some_and(|parent| !chain.is_head(parent));
    let Some(inner) = parents.iter().find(is_inner) else { return Ok(()) };
    let children = chain.get(inner.as_str()).into_iter().flat_map(|inner| chain.children(inner));
    let children: Vec<String> = children.map(|child| format!("`{}`", child.id)).collect();
    let build = if children.len() == 1 { "builds" } else { "build" };
    let message = format!("`{inner}` is not a head: {} {build} on it", children.join(", "));
    Err(Error::new(ErrorKind::Selector, message)
        .help("say `--splice` to start a new branch there, or name a head; `runner heads` lists them"))
}

fn tag(text: &str) -> Result<EnvironmentTag> {
    text.trim().parse().map_err(|error| {
        Error::new(ErrorKind::Usage, format!("`{text}` is no environment tag: {error}"))
            .help("write the lowest environment in which it may run, as in `staging`, or exactly one, as in `=test`")
    })
}

/// The environments in which the policy lets a revision run, as it will say when the time comes.
async fn runs_in(config: &Config, new: &NewRevision) -> Result<Vec<String>> {
    let set = plugin_set(config).await?;
    let policies = Policies::load(&policy_host(), &set, &[Role::Environment]).await;
    let context = policy_context(config, data::Operation::Upgrade, true, config.database_url().ok());
    let levels = match policies.levels(&context).await {
        Ok(levels) => levels,
        Err(Some(verdict)) => return Err(Error::new(ErrorKind::Refused, verdict.message).maybe_help(verdict.help)),
        Err(None) => return Ok(vec!["every environment (no policy knows environments)".to_owned()]),
    };
    let mut runs_in = Vec::new();
    for level in levels {
        let identity = Identity {
            name: level.name.clone(),
            level: Some(level.level),
            production: Some(level.production),
            refused: None,
        };
        let request = Request {
            context: context.clone(),
            plan: data::Plan { hash: String::new(), steps: vec![step(new)] },
            applied: Vec::new(),
            sources: Vec::new(),
            lint: LintMatter::default(),
        };
        let review = policies.review(request, &identity).await;
        if let Some(unknown) =
            review.verdicts.iter().find(|verdict| verdict.rule.as_deref() == Some("unknown-environment"))
        {
            return Err(Error::new(ErrorKind::Usage, format!("the revision {}", unknown.message))
                .maybe_help(unknown.help.clone()));
        }
        let has_doubt = review.verdicts.iter().any(|verdict| verdict.decision > runner_policy::Decision::Allow);
        if !has_doubt && review.steps == [StepFate::Run] {
            runs_in.push(level.name);
        }
    }
    Ok(runs_in)
}

fn step(new: &NewRevision) -> data::Step {
    data::Step {
        revision: data::Revision {
            id: new.id.to_string(),
            parents: new.parents.iter().map(ToString::to_string).collect(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            title: new.title.clone(),
            description: String::new(),
            created: Some(new.created.clone()),
            environments: new
                .environments
                .iter()
                .map(|tag| data::EnvironmentTag { name: tag.name.clone(), exact: tag.exact })
                .collect(),
            file: new.file_name(),
            transactional: true,
        },
        direction: data::Direction::Up,
        statements: Vec::new(),
        recorded: None,
        skipped: false,
    }
}
