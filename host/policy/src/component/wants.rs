//! What a component imports, and a linker with exactly that, as far as it is granted.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::HasSelf;
use wasmtime::component::Linker;

use crate::Refusal;
use crate::bindings::runner::policy::facts;
use crate::bindings::runner::policy::files;
use crate::bindings::runner::policy::log;
use crate::grants::Missing;
use crate::sandbox::Guest;
use crate::set::PluginDefinition;
use crate::verdict::printable;

/// The packages of WASI that a guest finds, empty unless something is granted.
pub(crate) const WASI: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Interfaces that a component imports beyond the log.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    /// Names of the interfaces of WASI.
    pub(crate) wasi: Vec<String>,
    pub(crate) files: bool,
    pub(crate) facts: bool,
    /// All of them, as the component writes them.
    pub(crate) names: Vec<String>,
}

impl Wants {
    /// Looks at the imports. What is not granted, and what nobody is given, refuses the component.
    pub(crate) fn of(engine: &Engine, component: &Component, definition: &PluginDefinition) -> Result<Self, Refusal> {
        let mut wants = Wants::default();
        for (name, _) in component.component_type().imports(engine) {
            let interface = name.strip_prefix("runner:policy/").and_then(|rest| rest.split('@').next());
            match interface {
                Some("log" | "types") => continue,
                Some("files") if definition.grants.read.is_empty() => {
                    return Err(ungranted(name, Missing::Folder, definition));
                }
                Some("files") => wants.files = true,
                Some("facts") if !definition.grants.facts => {
                    return Err(ungranted(name, Missing::Facts, definition));
                }
                Some("facts") => wants.facts = true,
                None if WASI.iter().any(|package| name.starts_with(package)) => wants.wasi.push(name.to_owned()),
                _ => return Err(unknown(name)),
            }
            wants.names.push(name.to_owned());
        }
        Ok(wants)
    }

    /// A linker that holds the log and what is wanted, and nothing else.
    pub(crate) fn linker(&self, engine: &Engine) -> Result<Linker<Guest>, Refusal> {
        let mut linker = Linker::new(engine);
        self.link(&mut linker).map_err(|error| Refusal::Sandbox { reason: format!("{error:#}") })?;
        Ok(linker)
    }

    fn link(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
        if self.files {
            files::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
        }
        if self.facts {
            facts::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
        }
        if !self.wasi.is_empty() {
            wasmtime_wasi::p2::add_to_linker_async(linker)?;
        }
        Ok(())
    }
}

fn ungranted(import: &str, missing: Missing<'_>, definition: &PluginDefinition) -> Refusal {
    Refusal::Grant {
        what: format!("imports `{import}`, which is not granted"),
        help: definition.grants.help_with(missing, &definition.name),
    }
}

fn unknown(import: &str) -> Refusal {
    let help = if import.starts_with("wasi:http/") {
        "there is no grant for the network: messages leave through the host's channels, worded in the role `notify`"
    } else {
        "a policy gets everything as data; network, processes and other components are not offered"
    };
    Refusal::Import { import: import.to_owned(), help }
}

/// An import of a known name that has another shape, or a version that is not known.
pub(super) fn misfit(error: &wasmtime::Error) -> Refusal {
    let text = format!("{error:#}");
    // As in: component imports instance `a`, but …: instance export `b` has the wrong type: …
    let mut quoted = text.split('`').skip(1).step_by(2);
    let import = match (quoted.next(), quoted.next()) {
        (Some(interface), Some(function)) => format!("{interface}#{function}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => text.clone(),
    };
    tracing::debug!("{}", printable(&text));
    let help = "it has not the shape that this runner offers: build it for a version of WASI and of `runner:policy` that it knows";
    Refusal::Import { import: printable(&import), help }
}
