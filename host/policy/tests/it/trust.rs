//! Pins and signatures are checked over the bytes that are loaded, and the store gives nothing but what was asked for.

use policy_components::Component;
use policy_components::Function;
use runner_policy::Artifact;
use runner_policy::Digest;
use runner_policy::Mode;
use runner_policy::OciSource;
use runner_policy::Outcome;
use runner_policy::Pin;
use runner_policy::PluginDefinition;
use runner_policy::SigningKey;
use runner_policy::Source;
use runner_policy::Store;
use runner_policy::Trust;
use runner_policy::builtin_definition;

use crate::support::Folder;
use crate::support::block_on;
use crate::support::denial;
use crate::support::review;
use crate::support::rule;

fn pinned(plugin: PluginDefinition, digest: Digest) -> PluginDefinition {
    let trust = Trust { pin: Pin::Digest { digest, file: "runner.lock".to_owned() }, ..Trust::default() };
    PluginDefinition { trust, ..plugin }
}

fn signed_by(plugin: PluginDefinition, key: &SigningKey) -> PluginDefinition {
    PluginDefinition { trust: Trust { keys: vec![key.public()], ..Trust::default() }, ..plugin }
}

/// A gate that would trap if it was ever instantiated.
fn trap() -> Vec<u8> {
    let component = Component::gate().body(Function::Describe, "unreachable");
    component.body(Function::Review, "unreachable").bytes()
}

#[test]
fn the_pinned_component_is_loaded_and_no_other() {
    let folder = Folder::new();
    let bytes = Component::gate().bytes();
    let plugin = folder.plugin("acme", &bytes);
    let answer = block_on(review(pinned(plugin.clone(), Digest::of(&bytes))));
    assert_eq!(answer.outcome, Outcome::Allowed);

    let pin = Digest::of(b"another");
    let verdict = denial(&block_on(review(pinned(plugin, pin))), "acme");
    assert_eq!(rule(&verdict), "plugin-digest");
    assert!(verdict.message.contains(&Digest::of(&bytes).to_string()), "{}", verdict.message);
    assert!(verdict.message.contains(&format!("`runner.lock` pins {pin}")), "{}", verdict.message);
    assert_eq!(verdict.digest, Some(Digest::of(&bytes).to_string()), "the evidence names what was there");
    assert!(verdict.help.unwrap().contains("`runner plugin lock`"));
}

#[test]
fn nothing_of_another_component_runs() {
    let folder = Folder::new();
    let plugin = folder.plugin("acme", trap());
    let verdict = denial(&block_on(review(pinned(plugin.clone(), Digest::of(b"another")))), "acme");
    assert_eq!(rule(&verdict), "plugin-digest", "it was not instantiated: {}", verdict.message);
    // Nor is it told apart from garbage: what is not pinned is not looked into.
    let garbage = folder.plugin("acme", "garbage");
    let verdict = denial(&block_on(review(pinned(garbage, Digest::of(b"another")))), "acme");
    assert_eq!(rule(&verdict), "plugin-digest");
}

#[test]
fn a_refused_plugin_is_not_even_read() {
    let folder = Folder::new();
    let pin = Pin::Refused { what: "is not in `runner.lock`".to_owned(), help: "lock it".to_owned() };
    let plugin = PluginDefinition { trust: Trust { pin, ..Trust::default() }, ..folder.missing("acme") };
    let verdict = denial(&block_on(review(plugin)), "acme");
    assert_eq!((rule(&verdict), verdict.message.as_str()), ("plugin-digest", "the plugin is not in `runner.lock`"));
    assert_eq!(verdict.help.as_deref(), Some("lock it"));
}

#[test]
fn doubts_about_a_component_count_in_audit_mode() {
    let folder = Folder::new();
    let plugin = PluginDefinition { mode: Mode::Audit, ..folder.plugin("acme", Component::gate().bytes()) };
    let key = SigningKey::generate().unwrap();
    for doubtful in [pinned(plugin.clone(), Digest::of(b"another")), signed_by(plugin.clone(), &key)] {
        assert_eq!(block_on(review(doubtful)).outcome, Outcome::Denied);
    }
    // Other failures are the plugin's own affair.
    let missing = PluginDefinition { mode: Mode::Audit, ..folder.missing("gone") };
    assert_eq!(block_on(review(missing)).outcome, Outcome::Allowed);
}

#[test]
fn a_signature_beside_the_file_is_checked() {
    let folder = Folder::new();
    let key = SigningKey::generate().unwrap();
    let bytes = Component::gate().bytes();
    let plugin = signed_by(folder.plugin("acme", &bytes), &key);
    assert_eq!(rule(&denial(&block_on(review(plugin.clone())), "acme")), "plugin-signature");
    let signature = folder.path("acme.wasm.sig");
    std::fs::write(&signature, key.sign(&Digest::of(&bytes)).to_string()).unwrap();
    assert_eq!(block_on(review(plugin.clone())).outcome, Outcome::Allowed);
    std::fs::write(&signature, SigningKey::generate().unwrap().sign(&Digest::of(&bytes)).to_string()).unwrap();
    assert_eq!(rule(&denial(&block_on(review(plugin.clone())), "acme")), "plugin-signature");
    std::fs::write(&signature, key.sign(&Digest::of(b"another")).to_string()).unwrap();
    assert_eq!(rule(&denial(&block_on(review(plugin)), "acme")), "plugin-signature");
}

#[test]
fn what_ships_with_the_runner_is_pinned_by_a_lock_file_and_needs_no_signature() {
    let key = SigningKey::generate().unwrap();
    let plugin = builtin_definition("environment-hierarchy").unwrap();
    assert_eq!(block_on(review(signed_by(plugin.clone(), &key))).outcome, Outcome::Allowed);
    let verdict = denial(&block_on(review(pinned(plugin, Digest::of(b"older")))), "environment-hierarchy");
    assert_eq!(rule(&verdict), "plugin-digest");
}

/// A component in a store, and the plugin that comes from it.
fn stored(folder: &Folder, bytes: &[u8], signature: Option<String>) -> (Store, PluginDefinition) {
    let store = Store::new(folder.path("store"));
    let artifact = Artifact { component: Digest::of(bytes), size: bytes.len() as u64, signature };
    let manifest = store.write(&artifact.manifest(b"{}")).unwrap();
    store.write(bytes).unwrap();
    let source = OciSource {
        shown: "oci://registry.example/acme:1".to_owned(),
        manifest: Some(manifest),
        store: Some(store.clone()),
        unfetched: None,
    };
    (store, PluginDefinition { source: Source::Oci(source), ..folder.missing("acme") })
}

fn changed(plugin: &PluginDefinition, change: impl FnOnce(&mut OciSource)) -> PluginDefinition {
    let mut plugin = plugin.clone();
    if let Source::Oci(source) = &mut plugin.source {
        change(source);
    }
    plugin
}

#[test]
fn a_component_of_a_registry_is_read_from_the_store() {
    let folder = Folder::new();
    let bytes = Component::gate().bytes();
    let (store, plugin) = stored(&folder, &bytes, None);
    assert_eq!(block_on(review(plugin.clone())).outcome, Outcome::Allowed);
    let refused = |plugin: PluginDefinition| {
        let verdict = denial(&block_on(review(plugin)), "acme");
        (rule(&verdict).to_owned(), verdict.message)
    };
    assert_eq!(refused(changed(&plugin, |source| source.manifest = None)).0, "plugin-digest");
    assert_eq!(refused(changed(&plugin, |source| source.store = None)).0, "plugin-store");
    let elsewhere = Store::new(folder.path("elsewhere"));
    assert_eq!(refused(changed(&plugin, |source| source.store = Some(elsewhere))).0, "plugin-not-fetched");
    let unfetched = changed(&plugin, |source| source.unfetched = Some("the registry is away".to_owned()));
    assert!(refused(unfetched).1.contains("the registry is away"));
    // A manifest of something else, under its own digest.
    let other = store.write(b"{}").unwrap();
    assert_eq!(refused(changed(&plugin, |source| source.manifest = Some(other))).0, "plugin-store");
    assert_eq!(refused(pinned(plugin, Digest::of(b"another"))).0, "plugin-digest");
}

#[test]
fn the_signature_of_a_component_of_a_registry_is_in_its_manifest() {
    let folder = Folder::new();
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bytes = Component::gate().bytes();
    let signature = key.sign(&Digest::of(&bytes)).to_string();
    let (_, signed) = stored(&folder, &bytes, Some(signature));
    assert_eq!(block_on(review(signed_by(signed.clone(), &key))).outcome, Outcome::Allowed);
    assert_eq!(rule(&denial(&block_on(review(signed_by(signed, &other))), "acme")), "plugin-signature");
    let (_, unsigned) = stored(&folder, &bytes, None);
    assert_eq!(rule(&denial(&block_on(review(signed_by(unsigned, &key))), "acme")), "plugin-signature");
}
