//! `runner plugin pull`

use runner_policy::Pin;
use runner_policy::PluginDefinition;
use runner_policy::Source;
use runner_policy::printable;
use runner_registry::Fetched;
use runner_registry::Reference;
use serde_json::json;

use super::component;
use crate::args::Global;
use crate::config::Config;
use crate::config::registry_options;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::suggest::nearest;

/// Fetch plugins from registries into the store, so that runs need no network
///
/// Fetches those of all sets, or those that are named. Each is pinned, by the digest in its source or by the lock file, and
/// what comes is checked against that.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin pull
  runner plugin pull acme-lint --locked")]
pub(crate) struct Args {
    /// Names of plugins; all, if none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let plugins = config.pinned_plugins_of_all_sets()?;
        let wanted = self.wanted(&plugins)?;
        let mut documents = Vec::new();
        for plugin in wanted {
            let fetched = Box::pin(fetch(plugin)).await?;
            let what = if fetched.downloaded { "fetched" } else { "present" };
            printer.say(format_args!(
                "{what}  {}  {}  {} bytes",
                printable(&plugin.name),
                fetched.artifact.component,
                fetched.artifact.size
            ));
            documents.push(json!({
                "name": plugin.name, "source": plugin.source.to_string(), "manifest": fetched.manifest.to_string(),
                "digest": fetched.artifact.component.to_string(), "size": fetched.artifact.size,
                "downloaded": fetched.downloaded,
            }));
        }
        if documents.is_empty() {
            printer.say("No plugin comes from a registry");
        }
        printer.document(&json!({ "plugins": documents }));
        Ok(exit::DONE)
    }

    fn wanted<'a>(&self, plugins: &'a [PluginDefinition]) -> Result<Vec<&'a PluginDefinition>> {
        let is_remote = |plugin: &&PluginDefinition| matches!(plugin.source, Source::Oci(_));
        if self.names.is_empty() {
            return Ok(plugins.iter().filter(is_remote).collect());
        }
        let named = |name: &String| {
            let shown = printable(name);
            let Some(plugin) = plugins.iter().find(|plugin| plugin.name == *name) else {
                let known: Vec<&str> = plugins.iter().map(|plugin| &*plugin.name).collect();
                return Err(Error::new(ErrorKind::Configuration, format!("no plugin set names `{shown}`"))
                    .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean `{nearest}`?"))));
            };
            match is_remote(&plugin) {
                true => Ok(plugin),
                false => Err(Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "`{shown}` comes from `{}`, so there is nothing to fetch",
                        printable(&plugin.source.to_string())
                    ),
                )),
            }
        };
        self.names.iter().map(named).collect()
    }
}

async fn fetch(plugin: &PluginDefinition) -> Result<Fetched> {
    let refused = |what: String, help: &str| {
        Error::new(ErrorKind::Refused, format!("the plugin `{}` {what}", printable(&plugin.name))).help(help)
    };
    if let Pin::Refused { what, help } = &plugin.trust.pin {
        return Err(refused(what.clone(), help));
    }
    let reference = Reference::parse(&plugin.source.to_string())
        .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()).help(error.help()))?;
    let Source::Oci(runner_policy::OciSource { manifest: Some(manifest), .. }) = &plugin.source else {
        let what =
            format!("comes from `{}`, and nothing pins what that tag means", printable(&plugin.source.to_string()));
        return Err(refused(what, "`runner plugin lock` fetches it and pins it"));
    };
    let store = component::store()?;
    let fetched = runner_registry::fetch(&reference.with_manifest(*manifest), &store, registry_options()?)
        .await
        .map_err(|error| component::registry_failed(&plugin.name, &error))?;
    match &plugin.trust.pin {
        Pin::Digest { digest, file } if *digest != fetched.artifact.component => {
            let what = format!("has the digest {}, and `{file}` pins {digest}", fetched.artifact.component);
            Err(refused(what, "if it was changed on purpose, `runner plugin lock` accepts it"))
        }
        _ => Ok(fetched),
    }
}
