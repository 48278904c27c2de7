//! From a core module to a component.

use wit_component::ComponentEncoder;

/// A module or component that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotEncoded(String);

/// Encodes a core module that describes its world in a custom section, as the bindings of every language have it.
///
/// # Errors
/// It has no such section, lacks an export, or imports something that the section does not name.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, NotEncoded> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode)
        .map_err(|error| NotEncoded(format!("{error:#}")))
}

/// The roles that a component exports, as names of interfaces of the package `runner:policy`.
///
/// # Errors
/// It is no component, or exports no role.
pub fn roles(component: &[u8]) -> Result<Vec<String>, NotEncoded> {
    let decoded = wit_component::decode(component).map_err(|error| NotEncoded(format!("{error:#}")))?;
    let resolve = decoded.resolve();
    let mut roles = Vec::new();
    for (_, world) in &resolve.worlds {
        for key in world.exports.keys() {
            let name = resolve.name_world_key(key);
            let interface = name.strip_prefix("runner:policy/").and_then(|rest| rest.split('@').next());
            // `revision-lint` is another way to ask in the same role.
            let role = interface.filter(|role| *role != "plugin").map(|role| role.trim_start_matches("revision-"));
            roles.extend(role.map(str::to_owned));
        }
    }
    if roles.is_empty() { Err(NotEncoded("it exports no role".to_owned())) } else { Ok(roles) }
}
