//! What a component is, as far as it can be found out: of one that can be used, and of one that can't.

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::InstancePre;
use wasmtime::component::types::ComponentItem;

use crate::FactsSource;
use crate::Host;
use crate::Limits;
use crate::PluginDefinition;
use crate::Refusal;
use crate::Role;
use crate::Severity;
use crate::answer;
use crate::bindings::exports::runner::policy as exported;
use crate::cache::hex;
use crate::component::Bytes;
use crate::component::EXPORTED;
use crate::component::PACKAGE;
use crate::component::WASI;
use crate::component::Wants;
use crate::component::recognise;
use crate::data;
use crate::data::Grant;
use crate::data::Timestamp;
use crate::engine::engine;
use crate::lint;
use crate::plugin::Plugin;
use crate::sandbox::Circumstances;
use crate::sandbox::call;
use crate::verdict::printable;

/// What is known of a component.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Where it comes from.
    pub source: String,
    /// Size in bytes.
    pub size: Option<u64>,
    /// SHA-256 of the component, as `sha256:…`.
    pub digest: Option<String>,
    /// The version of the package `runner:policy` that it was built for.
    pub contract: Option<String>,
    /// Its own name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its own sentence about itself.
    pub summary: Option<String>,
    /// What it can be asked.
    pub roles: Vec<Role>,
    /// What it exports beyond the contract that this runner knows.
    pub other_exports: Vec<String>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The grants that it asks for.
    pub needs: Vec<Need>,
    /// Rules of a lint policy.
    pub rules: Vec<Rule>,
    /// JSON Schema of its settings; `null`: it states none.
    pub settings_schema: Option<serde_json::Value>,
    /// What it may use.
    pub limits: Limits,
    /// Whether its native code was in the cache before. `None`: it was not loaded, because it must not be or can't be.
    pub cached: Option<bool>,
    /// What has to be done before it can be used as it is configured; for a file that is not configured.
    pub wants: Option<String>,
    /// Why it can't be used.
    pub error: Option<Unusable>,
}

/// Something that a component imports.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// The interface.
    pub name: String,
    /// What the host does about it.
    pub kind: ImportKind,
    /// The grant that it needs, as a key of `grants`.
    pub grant: Option<&'static str>,
}

/// What the host does about an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// It is part of the contract and given to every policy.
    Contract,
    /// It is part of the contract and given to those that have the grant.
    Granted,
    /// It comes with the guest's language. It is there, and gives nothing that is not granted.
    Ambient,
    /// It is not offered.
    Refused,
}

/// A grant that a component asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Need {
    /// The grant as it would be written in `grants`.
    pub grant: String,
    /// Whether it can't do without.
    pub required: bool,
    /// Why.
    pub why: String,
}

/// A rule of a lint policy.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Severity unless settings say otherwise.
    pub severity: Severity,
    /// The same in production.
    pub severity_in_production: Severity,
    /// One sentence.
    pub summary: String,
}

/// Why a component can't be used.
#[derive(Clone, Debug, Serialize)]
pub struct Unusable {
    /// The rule of the verdict that a run would get.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Finds out what a plugin's component is. `configured`: the definition is that of a project, so missing grants and wrong
/// settings are errors; otherwise they are things to be done.
pub async fn inspect(host: &Host, plugin: &PluginDefinition, configured: bool) -> Inspection {
    let mut found = Inspection {
        source: plugin.source.to_string(),
        size: None,
        digest: None,
        contract: None,
        name: None,
        version: None,
        summary: None,
        roles: Vec::new(),
        other_exports: Vec::new(),
        imports: Vec::new(),
        needs: Vec::new(),
        rules: Vec::new(),
        settings_schema: None,
        limits: plugin.limits.clone(),
        cached: None,
        wants: None,
        error: None,
    };
    let refusal = match look(host, plugin, &mut found).await {
        Err(refusal) => Some(refusal),
        Ok(()) => usable(host, plugin).await.err(),
    };
    if let Some(refusal) = refusal {
        let todo = matches!(refusal, Refusal::Grant { .. } | Refusal::Settings(_) | Refusal::Import { .. })
            && found.imports.iter().all(|import| import.kind != ImportKind::Refused);
        if !configured && todo {
            found.wants = Some(printable(&refusal.to_string()));
        } else {
            found.error = Some(Unusable {
                rule: refusal.rule(),
                message: printable(&refusal.to_string()),
                help: refusal.help(&plugin.name).as_deref().map(printable),
            });
        }
    }
    found
}

/// Loads the plugin as a run does.
async fn usable(host: &Host, definition: &PluginDefinition) -> Result<(), Refusal> {
    let mut plugin = Plugin::load(host, definition).map_err(|refused| refused.refusal)?;
    plugin.introduce().await
}

async fn look(host: &Host, plugin: &PluginDefinition, found: &mut Inspection) -> Result<(), Refusal> {
    // What a project does not trust is neither compiled nor run.
    plugin.trust.admit()?;
    let bytes = Bytes::read(&plugin.source)?;
    found.size = Some(bytes.content.len() as u64);
    found.digest = Some(format!("sha256:{}", hex(&bytes.digest)));
    plugin.trust.check(&plugin.source, &bytes)?;
    recognise(&bytes.content)?;
    let engine = engine(plugin.limits.stack).map_err(|reason| Refusal::Sandbox { reason })?;
    let (component, cached) = host.cache.load(engine, &bytes.digest, &bytes.content)?;
    found.cached = Some(cached);
    shape(engine, &component, found);
    // What it says of itself is asked for even if it could not be used: every import is there, and those that are not given
    // to it trap when they are called. A component that says nothing is told by the way of every run.
    if found.contract.is_some()
        && let Ok(said) = introduce(engine, &component, plugin).await
    {
        said.into(found);
    }
    Ok(())
}

/// Reads what stands in the component's type.
fn shape(engine: &Engine, component: &Component, found: &mut Inspection) {
    let ty = component.component_type();
    for (name, item) in ty.exports(engine) {
        if !matches!(item.ty, ComponentItem::ComponentInstance(_) | ComponentItem::ComponentFunc(_)) {
            continue;
        }
        let Some((interface, version)) = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@')) else {
            found.other_exports.push(printable(name));
            continue;
        };
        found.contract.get_or_insert_with(|| printable(version));
        if !EXPORTED.contains(&interface) || version.contains('-') {
            found.other_exports.push(printable(name));
            continue;
        }
        let role = if interface == "revision-lint" { Role::Lint.name() } else { interface };
        let role = Role::ALL.into_iter().find(|known| known.name() == role);
        found.roles.extend(role.filter(|role| !found.roles.contains(role)));
    }
    found.roles.sort_by_key(|role| Role::ALL.iter().position(|other| other == role));
    for (name, _) in ty.imports(engine) {
        let (kind, grant) = import_kind(name);
        found.imports.push(Import { name: printable(name), kind, grant });
    }
}

fn import_kind(name: &str) -> (ImportKind, Option<&'static str>) {
    let interface = name.split('@').next().unwrap_or(name);
    match interface {
        "runner:policy/log" | "runner:policy/types" => (ImportKind::Contract, None),
        "runner:policy/files" => (ImportKind::Granted, Some("read")),
        "runner:policy/facts" => (ImportKind::Granted, Some("facts")),
        wasi if WASI.iter().any(|package| wasi.starts_with(package)) => (ImportKind::Ambient, None),
        _ => (ImportKind::Refused, None),
    }
}

/// What a component says of itself.
struct Said {
    description: data::Description,
    rules: Vec<data::RevisionRule>,
}

impl Said {
    fn into(self, found: &mut Inspection) {
        let Said { description, rules } = self;
        found.name = Some(printable(&description.name));
        found.version = Some(printable(&description.version));
        found.summary = Some(printable(&description.summary));
        found.needs = description
            .needs
            .iter()
            .map(|need| Need {
                grant: match &need.grant {
                    Grant::Variable(name) => printable(&format!("env = [\"{name}\"]")),
                    Grant::Folder(what) => printable(&format!("read = [\"…\"] ({what})")),
                    Grant::Facts => "facts = true".to_owned(),
                },
                required: need.required,
                why: printable(&need.why),
            })
            .collect();
        found.rules = rules
            .iter()
            .map(|rule| Rule {
                name: printable(&rule.name),
                severity: lint::weight(rule.severity).1,
                severity_in_production: lint::weight(rule.severity_in_production).1,
                summary: printable(&rule.summary),
            })
            .collect();
        let schema = description.settings_schema.trim();
        // A schema that is no JSON is shown as the text that it is.
        found.settings_schema = (!schema.is_empty())
            .then(|| serde_json::from_str(schema).unwrap_or_else(|_| serde_json::Value::String(printable(schema))));
    }
}

async fn introduce(
    engine: &'static Engine,
    component: &Component,
    definition: &PluginDefinition,
) -> Result<Said, Refusal> {
    let broken = |error: wasmtime::Error| Refusal::Sandbox { reason: format!("{error:#}") };
    let shape = component.component_type();
    let wasi = shape.imports(engine).map(|(name, _)| name.to_owned());
    let wants = Wants { wasi: wasi.filter(|name| name.starts_with("wasi:")).collect(), ..Wants::default() };
    let mut linker = wants.linker(engine)?;
    linker.define_unknown_imports_as_traps(component).map_err(broken)?;
    let instance: InstancePre<_> = linker.instantiate_pre(component).map_err(broken)?;
    let plugin = exported::plugin::GuestIndices::new(&instance).map_err(broken)?;
    let lint = exported::lint::GuestIndices::new(&instance).ok();
    let revision_lint = exported::revision_lint::GuestIndices::new(&instance).ok();
    let circumstances = Circumstances {
        plugin: &definition.name,
        function: "plugin.describe",
        meter: None,
        limits: &definition.limits,
        grants: &crate::Grants::default(),
        variables: &[],
        facts: &FactsSource::default(),
        now: Timestamp { seconds: 0, nanoseconds: 0 },
        seed: "",
        wants: &wants,
    };
    let said = call(engine, &circumstances, async |store| {
        let instance = instance.instantiate_async(&mut *store).await?;
        let description = plugin.load(&mut *store, &instance)?.call_describe(&mut *store).await?;
        let rules = match (&revision_lint, &lint) {
            (Some(lint), _) => lint.load(&mut *store, &instance)?.call_rules(&mut *store).await?,
            (None, Some(lint)) => {
                let rules = lint.load(&mut *store, &instance)?.call_rules(&mut *store).await?;
                rules.into_iter().map(lint::revision_rule).collect()
            }
            (None, None) => Vec::new(),
        };
        Ok(Said { description, rules })
    });
    let said = said.await?;
    answer::description(&said.description)?;
    answer::revision_rules(&said.rules)?;
    Ok(said)
}
