//! A plugin that is asked one thing after the other.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Plugin;
use super::undecided;
use crate::Refusal;
use crate::Source;
use crate::component::Exports;
use crate::data::Failure;
use crate::data::Timestamp;
use crate::sandbox::Guest;
use crate::sandbox::Sandbox;

/// Asks a plugin one thing after the other. A built-in policy is asked in the same instance for as long as it answers: it is
/// known to keep nothing from one answer to the next. Any other policy is asked in a fresh instance each time.
pub(crate) struct Sitting<'a> {
    plugin: &'a Plugin,
    room: Option<(Sandbox, Instance)>,
}

impl<'a> Sitting<'a> {
    pub(crate) fn new(plugin: &'a Plugin) -> Self {
        Sitting { plugin, room: None }
    }

    /// Asks something that has no context, with the plugin's own "I can't decide" turned into a refusal.
    pub(crate) async fn question<T, Ask>(&mut self, name: &'static str, now: Timestamp, ask: Ask) -> Result<T, Refusal>
    where
        Ask: AsyncFnOnce(&Exports, &Instance, &mut Store<Guest>) -> wasmtime::Result<Result<T, Failure>>,
    {
        let plugin = self.plugin;
        let facts = plugin.facts();
        let circumstances = plugin.circumstances(name, now, "", &facts);
        let (mut sandbox, known) = match self.room.take() {
            Some((mut sandbox, instance)) => {
                sandbox.renew();
                (sandbox, Some(instance))
            }
            None => (Sandbox::new(plugin.policy.instance.engine(), &circumstances)?, None),
        };
        let (answer, instance) = sandbox
            .run(&circumstances, async |store| {
                let instance = match known {
                    Some(instance) => instance,
                    None => plugin.instantiate(store).await?,
                };
                let answer = ask(&plugin.policy.exports, &instance, store).await?;
                Ok((answer, instance))
            })
            .await?;
        if answer.is_ok() && matches!(plugin.definition.source, Source::Builtin(_)) {
            self.room = Some((sandbox, instance));
        }
        answer.map_err(undecided)
    }
}
