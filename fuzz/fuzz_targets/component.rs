//! Whatever is in the file of a plugin, loading it ends, and it ends in a plugin or in a refusal.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use runner_policy::Cache;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Limits;
use runner_policy::PluginSet;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::Source;
use runner_policy::builtin_definition;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin.wasm");
    std::fs::write(&path, bytes).expect("a file");
    let mut plugin = builtin_definition("production-override").expect("a definition");
    plugin.source = Source::File { path, shown: "plugin.wasm".to_owned() };
    plugin.grants = Grants::default();
    plugin.limits = Limits { fuel: 1_000_000, time: Duration::from_secs(5), ..Limits::default() };
    let set = PluginSet { name: "fuzzed".to_owned(), plugins: vec![plugin] };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let host = Host::new(Cache::None).with_variables(|_| None);
    let policies = runtime.block_on(Policies::load(&host, &set, &Role::ALL));
    let reports = policies.reports();
    assert_eq!(reports.len(), 1, "a plugin never goes missing");
    for report in reports {
        assert!(report.error.is_some() || !report.roles.is_empty(), "it is neither usable nor refused");
    }
});
