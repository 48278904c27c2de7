//! A plugin in a file, a plan to ask it about, and what comes of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use policy_components as made;
use policy_components::Component;
use runner_policy::Cache;
use runner_policy::Decision;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Identity;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::PluginSet;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::Review;
use runner_policy::Role;
use runner_policy::Source;
use runner_policy::Trust;
use runner_policy::Verdict;
use runner_policy::data;
use serde_json::Map;
use tempfile::TempDir;

/// Hash of every plan here.
pub(crate) const HASH: &str = "0f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a6978";

/// Roles that are asked about a plan.
pub(crate) const ROLES: [Role; 3] = [Role::Environment, Role::Lint, Role::Gate];

/// A folder for the files of one test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A plugin whose file holds these bytes, with patient limits and no grants.
    pub(crate) fn plugin(&self, name: &str, bytes: impl AsRef<[u8]>) -> PluginDefinition {
        let file = format!("{name}.wasm");
        std::fs::write(self.path(&file), bytes).unwrap();
        self.missing(name)
    }

    /// A plugin whose file is not there, unless somebody else puts it there.
    pub(crate) fn missing(&self, name: &str) -> PluginDefinition {
        let file = format!("{name}.wasm");
        PluginDefinition {
            name: name.to_owned(),
            source: Source::File { path: self.path(&file), shown: file },
            settings: Map::new(),
            grants: Grants::default(),
            limits: patient(),
            mode: Mode::Enforce,
            trust: Trust::default(),
        }
    }
}

/// The usual limits, but for a clock that never strikes before the fuel is used up, however busy the machine is.
pub(crate) fn patient() -> Limits {
    Limits { time: Duration::from_secs(120), ..Limits::default() }
}

/// A host without a cache and without variables.
pub(crate) fn host() -> Host {
    Host::new(Cache::None).with_variables(|_| None)
}

/// A host whose cache is shared by all tests, for components that take long to compile.
pub(crate) fn host_with_shared_cache() -> Host {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy-cache");
    Host::new(Cache::Folder(folder)).with_variables(|_| None)
}

pub(crate) fn set(plugins: impl IntoIterator<Item = PluginDefinition>) -> PluginSet {
    PluginSet { name: "tested".to_owned(), plugins: plugins.into_iter().collect() }
}

pub(crate) fn context(environment: &str) -> data::Context {
    data::Context {
        operation: data::Operation::Upgrade,
        dry_run: false,
        now: data::Timestamp { seconds: 1_800_000_000, nanoseconds: 5 },
        actor: data::Actor { name: "ada".to_owned(), host: "analytical".to_owned() },
        target: data::Target {
            dialect: data::Dialect::Sqlite,
            name: "sqlite:///srv/app.db".to_owned(),
            server_version: "3.46.0".to_owned(),
        },
        environment: data::Environment { name: environment.to_owned(), level: None, production: None },
        settings: String::new(),
        variables: Vec::new(),
    }
}

/// A revision with tags as a file writes them: `production`, `=test`, separated by spaces.
pub(crate) fn revision(id: &str, tags: &str) -> data::Revision {
    data::Revision {
        id: id.to_owned(),
        parents: Vec::new(),
        depends_on: Vec::new(),
        labels: Vec::new(),
        title: format!("Revision {id}"),
        description: String::new(),
        created: None,
        environments: environment_tags(tags),
        file: format!("migrations/{id}.sql"),
        transactional: true,
    }
}

fn environment_tags(tags: &str) -> Vec<data::EnvironmentTag> {
    tags.split_whitespace()
        .map(|tag| data::EnvironmentTag { name: tag.trim_start_matches('=').to_owned(), exact: tag.starts_with('=') })
        .collect()
}

fn statement(id: &str) -> data::Statement {
    data::Statement { text: format!("CREATE TABLE t_{id} (id INTEGER PRIMARY KEY)"), line: 7, column: 1 }
}

/// A plan of steps up, in a development environment, as (id, tags).
pub(crate) fn request_for(environment: &str, revisions: &[(&str, &str)]) -> Request {
    let steps = revisions
        .iter()
        .map(|(id, tags)| data::Step {
            revision: revision(id, tags),
            direction: data::Direction::Up,
            statements: vec![statement(id)],
            recorded: None,
            skipped: false,
        })
        .collect();
    let sources = revisions
        .iter()
        .map(|(id, tags)| data::LintSource {
            revision: revision(id, tags),
            text: format!(
                "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: base\n\n-- migrate:up\n\
                 CREATE TABLE t_{id} (id INTEGER PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE t_{id};\n"
            ),
            up: vec![statement(id)],
            down: Some(vec![data::Statement { text: format!("DROP TABLE t_{id}"), line: 10, column: 1 }]),
            planned: true,
        })
        .collect();
    Request {
        context: context(environment),
        plan: data::Plan { hash: HASH.to_owned(), steps },
        applied: Vec::new(),
        sources,
        lint: runner_policy::LintMatter::default(),
    }
}

/// A plan of three steps in development: `a1`, `b2`, `c3`.
pub(crate) fn request() -> Request {
    request_for("development", &[("a1", ""), ("b2", ""), ("c3", "")])
}

pub(crate) fn applied(id: &str, tags: &str) -> data::AppliedRevision {
    data::AppliedRevision { id: id.to_owned(), environments: environment_tags(tags), recorded: data::Recorded::Applied }
}

/// Loads a set, asks what the environment is, and asks all policies about the plan.
pub(crate) async fn consult(host: &Host, set: &PluginSet, request: Request) -> (Identity, Review) {
    let policies = Policies::load(host, set, &ROLES).await;
    let identity = policies.identify(&request.context).await;
    let review = policies.review(request, &identity).await;
    (identity, review)
}

/// What one plugin says of the usual plan.
pub(crate) async fn review(plugin: PluginDefinition) -> Review {
    consult(&host(), &set([plugin]), request()).await.1
}

/// What a component says of the usual plan, under the name `tested`.
pub(crate) async fn review_of(component: &Component) -> Review {
    let folder = Folder::new();
    review(folder.plugin("tested", component.bytes())).await
}

/// The denial of a plugin that can't be used: it stands alone, and it names the plugin.
#[track_caller]
pub(crate) fn denial(review: &Review, plugin: &str) -> Verdict {
    assert_eq!(review.outcome, Outcome::Denied, "{review:#?}");
    let denials: Vec<&Verdict> = review.verdicts.iter().filter(|verdict| verdict.decision == Decision::Deny).collect();
    let [denial] = denials.as_slice() else { panic!("not one denial: {review:#?}") };
    assert_eq!(denial.plugin, plugin);
    assert!(denial.rule.is_some(), "{denial:#?}");
    assert!(!denial.message.is_empty(), "{denial:#?}");
    (*denial).clone()
}

/// Asks a component of one role, under the name `evil`, and gives what comes of its failure: a denial, or for `notify` a
/// warning.
pub(crate) async fn refusal(role: made::Role, component: &Component, limits: Limits) -> Verdict {
    let folder = Folder::new();
    let plugin = PluginDefinition { limits, ..folder.plugin("evil", component.bytes()) };
    if role != made::Role::Notify {
        let denial = denial(&review(plugin).await, "evil");
        assert!(denial.digest.as_deref().is_some_and(|digest| digest.starts_with("sha256:")), "{denial:#?}");
        return denial;
    }
    let request = request();
    let policies = Policies::load(&host(), &set([plugin]), &[Role::Notify]).await;
    let (messages, mut verdicts) = policies.announce(&request.context, &request.plan, &data::Event::Started).await;
    assert_eq!(messages, []);
    assert_eq!(verdicts.len(), 1, "{verdicts:#?}");
    assert_eq!(verdicts[0].decision, Decision::Warn, "it fails open");
    assert_eq!(verdicts[0].plugin, "evil");
    verdicts.remove(0)
}

/// The rule of a verdict that has one.
pub(crate) fn rule(verdict: &Verdict) -> &str {
    verdict.rule.as_deref().unwrap_or("none")
}

/// The lines that policies and host write to the log on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Line>>>);

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: String,
    pub(crate) plugin: String,
    pub(crate) message: String,
}

impl Log {
    /// Listens until the guard is dropped.
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Log::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Lines of the host and its plugins so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("runner_policy")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line { level: event.metadata().level().to_string(), ..Line::default() };
        event.record(&mut line);
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "plugin" => self.plugin = format!("{value:?}").trim_matches('"').to_owned(),
            _ => {}
        }
    }
}

/// Runs a future to its end, for code that is not a test of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
