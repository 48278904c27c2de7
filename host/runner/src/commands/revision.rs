//! `runner revision`

use runner_chain::Chain;
use runner_chain::EnvironmentTag;
use runner_chain::RevisionId;
use runner_chain::directory;
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

/// Write a new revision file on top of the chain
///
/// The header is filled in; the SQL is yours to write.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner revision -m \"Add email\"
  runner revision -m \"Add audit triggers\" --env staging
  runner revision -m \"Sample patients\" --env =development,=test")]
pub(crate) struct Args {
    /// Title; further lines become free text of the header
    #[arg(short, long, value_name = "TITLE")]
    message: String,
    /// Environment tags: the lowest environment in which it may run, or `=name` for exactly one
    // Takes the place of the global option, which is about where a command runs; this command runs nowhere.
    #[arg(id = "env", long = "env", value_name = "TAGS", value_delimiter = ',', allow_hyphen_values = true)]
    tags: Vec<String>,
    /// Its id, instead of a random one
    #[arg(long, value_name = "ID")]
    rev_id: Option<RevisionId>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&Overrides { environment: None, ..global.overrides() })?;
        let chain = directory::load_or_empty(&config.migrations, &config.migrations_shown)?;
        let id = match &self.rev_id {
            Some(id) => id.clone(),
            None => new_id()?,
        };
        if let Some(taken) = chain.get(id.as_str()) {
            return Err(Error::new(ErrorKind::Usage, format!("`{id}` is taken by `{}`", taken.file))
                .help("leave out `--rev-id` to get a new one"));
        }
        let new = NewRevision {
            id,
            title: self.message.clone(),
            parents: parent(&chain)?,
            environments: self.tags.iter().map(|tag| self::tag(tag)).collect::<Result<_>>()?,
            depends_on: Vec::new(),
            labels: Vec::new(),
            created: now(),
        };
        let runs_in = runs_in(&config, &new).await?;
        directory::create(&config.migrations, &new.file_name(), &new.text())?;
        let chain = directory::load(&config.migrations, &config.migrations_shown)?;
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

fn tag(text: &str) -> Result<EnvironmentTag> {
    text.trim().parse().map_err(|error| {
        Error::new(ErrorKind::Usage, format!("`{text}` is no environment tag: {error}"))
            .help("write the lowest environment in which it may run, as in `staging`, or exactly one, as in `=test`")
    })
}

/// The head to build on. With several, a guess would make the chain worse.
fn parent(chain: &Chain) -> Result<Vec<RevisionId>> {
    let heads: Vec<_> = chain.heads().collect();
    match heads.as_slice() {
        [] => Ok(Vec::new()),
        [head] => Ok(vec![head.id.clone()]),
        several => {
            let mut error = Error::new(
                ErrorKind::Selector,
                format!("the chain has {} heads, so the parent is not clear", several.len()),
            );
            for head in several {
                error = error.help(format!("`{}`  {}", head.id, head.title));
            }
            Err(error.help("join them first: a revision that says `Revises:` with all of them is a merge"))
        }
    }
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
