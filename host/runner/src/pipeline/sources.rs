//! Components of registries: what is pinned and not in the store yet is fetched before the plugins are loaded.

use runner_policy::Pin;
use runner_policy::PluginSet;
use runner_policy::Source;
use runner_registry::Reference;
use runner_registry::fetch;

use crate::config::Config;
use crate::config::registry_options;
use crate::error::Result;

/// The plugin set in force, with all that may be fetched. What could not be fetched says so when it is loaded, and is a
/// denial like any other.
pub(crate) async fn plugin_set(config: &Config) -> Result<PluginSet> {
    let mut set = config.plugin_set()?;
    if config.may_fetch() && set.plugins.iter().any(|plugin| matches!(plugin.source, Source::Oci(_))) {
        // Kept apart, so that runs without such plugins carry nothing of it.
        Box::pin(fetch_missing(&mut set)).await?;
    }
    Ok(set)
}

async fn fetch_missing(set: &mut PluginSet) -> Result<()> {
    for plugin in &mut set.plugins {
        let Source::Oci(source) = &mut plugin.source else { continue };
        let (Some(manifest), Some(store)) = (source.manifest, &source.store) else { continue };
        if matches!(plugin.trust.pin, Pin::Refused { .. }) || store.holds(&manifest) {
            continue;
        }
        let Ok(reference) = Reference::parse(&source.shown) else { continue };
        tracing::info!("fetching `{}` from `{}`", plugin.name, reference.registry());
        if let Err(error) = fetch(&reference.with_manifest(manifest), store, registry_options()?).await {
            source.unfetched = Some(error.to_string());
        }
    }
    Ok(())
}
