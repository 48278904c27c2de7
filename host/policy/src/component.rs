//! From bytes to a component that is known to be a policy: what it is, which roles it has, what it imports.

pub(crate) mod extent;
mod wants;

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::InstancePre;
use wasmtime::component::types::ComponentItem;

pub(crate) use self::wants::WASI;
pub(crate) use self::wants::Wants;
use crate::Artifact;
use crate::Cache;
use crate::OciSource;
use crate::Refusal;
use crate::Role;
use crate::Source;
use crate::bindings::exports::runner::policy as exported;
use crate::builtin;
use crate::regular;
use crate::sandbox::Guest;
use crate::set::PluginDefinition;
use crate::verdict::printable;

/// The package of the contract.
pub(crate) const PACKAGE: &str = "runner:policy/";

/// Larger files are not read. A Python policy takes about 20 MB, and every run reads and hashes the file.
pub const LARGEST: u64 = 64 << 20;

/// Bytes of a component and their SHA-256.
pub(crate) struct Bytes {
    pub(crate) content: std::borrow::Cow<'static, [u8]>,
    pub(crate) digest: [u8; 32],
    /// The signature that came along with them, as text.
    pub(crate) signature: Option<String>,
}

impl Bytes {
    /// Reads a component from its source.
    pub(crate) fn read(source: &Source) -> Result<Self, Refusal> {
        match source {
            Source::Builtin(name) => {
                let embedded = builtin::embedded(name).ok_or_else(|| Refusal::NotBuiltIn { name: name.clone() })?;
                Ok(Bytes { content: embedded.bytes.into(), digest: embedded.digest, signature: None })
            }
            Source::File { path, .. } => {
                use sha2::Digest as _;
                let unreadable = |reason: String| Refusal::Unreadable { path: regular::seen_from_here(path), reason };
                let content = regular::read(path, LARGEST)
                    .map_err(unreadable)?
                    .ok_or_else(|| unreadable(format!("it is larger than {}", crate::limits::bytes(LARGEST))))?;
                let digest = sha2::Sha256::digest(&content).into();
                Ok(Bytes { content: content.into(), digest, signature: None })
            }
            Source::Oci(source) => Bytes::stored(source),
        }
    }

    /// Reads what was fetched from a registry.
    fn stored(source: &OciSource) -> Result<Self, Refusal> {
        let Some(manifest) = &source.manifest else {
            return Err(Refusal::Pin {
                what: format!("comes from `{}`, and nothing pins what that tag means", source.shown),
                help: "`runner plugin lock` pins it; so does the digest after the tag, as in `…:1.0@sha256:…`"
                    .to_owned(),
            });
        };
        if let Some(reason) = &source.unfetched {
            return Err(Refusal::NotFetched { reason: reason.clone() });
        }
        let Some(store) = &source.store else {
            return Err(Refusal::Store {
                reason: "this system has no place for data; name one in `RUNNER_STORE_DIR`".to_owned(),
            });
        };
        let artifact = Artifact::read(&store.read(manifest)?)
            .map_err(|error| Refusal::Store { reason: format!("`{}` is no component: {error}", source.shown) })?;
        let content = store.read(&artifact.component)?;
        Ok(Bytes { content: content.into(), digest: *artifact.component.bytes(), signature: artifact.signature })
    }
}

/// The functions of the roles that a component exports.
pub(crate) struct Exports {
    pub(crate) plugin: exported::plugin::GuestIndices,
    pub(crate) environment: Option<exported::environment::GuestIndices>,
    pub(crate) gate: Option<exported::gate::GuestIndices>,
    pub(crate) lint: Option<exported::lint::GuestIndices>,
    pub(crate) revision_lint: Option<exported::revision_lint::GuestIndices>,
    pub(crate) notify: Option<exported::notify::GuestIndices>,
}

/// An interface that has the right name and the wrong shape.
pub(crate) fn misshapen(interface: &str, error: &wasmtime::Error) -> Refusal {
    Refusal::OtherWorld {
        what: format!("exports `runner:policy/{interface}`, but not as version 0.1 defines it: {error:#}"),
    }
}

impl Exports {
    /// Compares the types of all functions with those of the contract. Gives the interface that differs.
    pub(crate) fn check(
        &self,
        store: &mut wasmtime::Store<Guest>,
        instance: &wasmtime::component::Instance,
    ) -> Result<(), (&'static str, wasmtime::Error)> {
        self.plugin.load(&mut *store, instance).map_err(|error| ("plugin", error))?;
        if let Some(role) = &self.environment {
            role.load(&mut *store, instance).map_err(|error| ("environment", error))?;
        }
        if let Some(role) = &self.lint {
            role.load(&mut *store, instance).map_err(|error| ("lint", error))?;
        }
        if let Some(role) = &self.revision_lint {
            role.load(&mut *store, instance).map_err(|error| ("revision-lint", error))?;
        }
        if let Some(role) = &self.gate {
            role.load(&mut *store, instance).map_err(|error| ("gate", error))?;
        }
        if let Some(role) = &self.notify {
            role.load(&mut *store, instance).map_err(|error| ("notify", error))?;
        }
        Ok(())
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        match role {
            Role::Environment => self.environment.is_some(),
            Role::Lint => self.lint.is_some() || self.revision_lint.is_some(),
            Role::Gate => self.gate.is_some(),
            Role::Notify => self.notify.is_some(),
        }
    }
}

/// A component that is a policy, ready to be instantiated.
pub(crate) struct Policy {
    pub(crate) instance: InstancePre<Guest>,
    pub(crate) exports: Exports,
    /// What it imports beyond the log.
    pub(crate) wants: Wants,
    /// Whether its native code was in the cache.
    pub(crate) cached: bool,
}

impl Policy {
    pub(crate) fn new(
        engine: &'static Engine,
        cache: &Cache,
        bytes: &Bytes,
        definition: &PluginDefinition,
    ) -> Result<Self, Refusal> {
        recognise(&bytes.content)?;
        let (component, cached) = cache.load(engine, &bytes.digest, &bytes.content)?;
        same_version(engine, &component)?;
        let wants = Wants::of(engine, &component, definition)?;
        let linker = wants.linker(engine)?;
        let instance = linker.instantiate_pre(&component).map_err(|error| wants::misfit(&error))?;
        let exports = exports(engine, &component, &instance)?;
        Ok(Policy { instance, exports, wants, cached })
    }
}

/// Tells a component from the things that people take for one.
pub(crate) fn recognise(bytes: &[u8]) -> Result<(), Refusal> {
    let refuse = |what: &str, help| Err(Refusal::NotAComponent { what: what.to_owned(), help });
    let start = &bytes[..bytes.len().min(8)];
    match start {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0] => {
            refuse("it is a core module", "encode it as a component, for example with `wasm-tools component new`")
        }
        [0, b'a', b's', b'm', ..] => {
            refuse("it is of a version of WebAssembly that is not known", "build it with a current toolchain")
        }
        [0x7f, b'E', b'L', b'F', ..] => {
            refuse("it is native code", "give the `.wasm` file; native code is never taken from a file")
        }
        [] => refuse("it is empty", "build it again"),
        _ if bytes.iter().take(256).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            refuse("it is text", "give the binary form, for example from `wasm-tools parse`")
        }
        _ => refuse("it does not start as WebAssembly does", "check the path, and build it again"),
    }
}

/// Interfaces of the contract that a component may export.
pub(crate) const EXPORTED: [&str; 7] = ["plugin", "types", "environment", "lint", "revision-lint", "gate", "notify"];

/// Everything of the package that is imported or exported must be of the version that the host knows, and every export one
/// that it looks for: a role that nobody asks would be a check that nobody makes.
fn same_version(engine: &Engine, component: &Component) -> Result<(), Refusal> {
    let refuse = |what: String| Err(Refusal::OtherWorld { what: printable(&what) });
    let component = component.component_type();
    let exports = || component.exports(engine).map(|(name, _)| name);
    let names = component.imports(engine).map(|(name, _)| name).chain(exports());
    for name in names.filter(|name| name.starts_with(PACKAGE)) {
        if !name.split_once('@').is_some_and(|(_, version)| is_known_version(version)) {
            return refuse(format!("is built for `{name}`, and this runner knows version 0.1"));
        }
    }
    let mut found = Vec::new();
    for name in exports() {
        let Some(interface) = name.strip_prefix(PACKAGE).and_then(|rest| rest.split('@').next()) else { continue };
        if !EXPORTED.contains(&interface) {
            return refuse(format!("exports `{name}`, which this runner does not know"));
        }
        if found.contains(&interface) {
            return refuse(format!("exports `{PACKAGE}{interface}` more than once"));
        }
        found.push(interface);
    }
    Ok(())
}

/// Versions that can stand for each other: `0.1.` and a number. A pre-release stands for itself alone.
fn is_known_version(version: &str) -> bool {
    let patch = version.strip_prefix("0.1.");
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Looks for each role on its own, so that a component may export any mix.
fn exports(engine: &Engine, component: &Component, instance: &InstancePre<Guest>) -> Result<Exports, Refusal> {
    let present = |role: &str| component.get_export_index(None, format!("runner:policy/{role}@0.1.2")).is_some();
    if !present("plugin") {
        return Err(Refusal::OtherWorld { what: other_world(engine, component) });
    }
    macro_rules! role {
        ($role:ident, $name:literal) => {
            match present($name) {
                true => Some(exported::$role::GuestIndices::new(instance).map_err(|error| misshapen($name, &error))?),
                false => None,
            }
        };
    }
    let exports = Exports {
        plugin: exported::plugin::GuestIndices::new(instance).map_err(|error| misshapen("plugin", &error))?,
        environment: role!(environment, "environment"),
        gate: role!(gate, "gate"),
        lint: role!(lint, "lint"),
        revision_lint: role!(revision_lint, "revision-lint"),
        notify: role!(notify, "notify"),
    };
    if Role::ALL.into_iter().any(|role| exports.has(role)) {
        Ok(exports)
    } else {
        Err(Refusal::OtherWorld { what: "exports no role, so there is nothing to ask it".to_owned() })
    }
}

/// Says what a component exports that is not a policy of this version.
fn other_world(engine: &Engine, component: &Component) -> String {
    let mut names: Vec<String> = Vec::new();
    for (name, item) in component.component_type().exports(engine) {
        if matches!(item.ty, ComponentItem::ComponentInstance(_) | ComponentItem::ComponentFunc(_)) {
            names.push(format!("`{}`", printable(name)));
        }
    }
    match names.len() {
        0 => "is a component of another world: it exports nothing".to_owned(),
        1..=3 => format!("is a component of another world: it exports {}", names.join(", ")),
        more => format!("is a component of another world: it exports {} and {} more", names[..3].join(", "), more - 3),
    }
}
