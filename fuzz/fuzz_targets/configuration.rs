//! Whatever is in `runner.toml`, it is read or refused with an error that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runner::config::Config;
use runner::config::Overrides;

fuzz_target!(|text: &str| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runner.toml");
    std::fs::write(&path, text).expect("a file");
    let overrides = Overrides { config: Some(path), ..Overrides::default() };
    match Config::load(&overrides) {
        Ok(config) => {
            // Sets are put together when they are asked for.
            if let Err(error) = config.plugin_set() {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
