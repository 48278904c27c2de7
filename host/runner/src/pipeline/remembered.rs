//! What the files of long chains held when they were last read, kept in the user's cache folder, beside native code.
//!
//! It spares commands that only look, and plans, the opening of thousands of files. Whatever is about to be planned is read
//! again ([`Database::read_again_if_changed`](super::situation::Database)), and commands whose answer is about the files themselves never ask here.

use std::time::SystemTime;

use runner_chain::Chain;
use runner_chain::directory::Folders;
use runner_chain::directory::LoadError;
use runner_chain::directory::Location;
use runner_chain::directory::Remembered;
use sha2::Digest as _;
use sha2::Sha256;

use super::context::cache;
use crate::ending;

/// Where the contents of revision files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// From the files alone.
    Files,
    /// From memory, where a file of a long chain is as it was by all that the system says of it without opening it.
    Remembered,
}

/// Reads the files of the migrations folders.
pub(super) fn load(locations: &[Location], folders: Folders, reading: Reading) -> Result<Chain, LoadError> {
    if reading == Reading::Files || !folders.is_very_long() {
        return folders.load();
    }
    let name = name(locations);
    let remembered = cache().recall(&name).and_then(Remembered::read).unwrap_or_default();
    let rests_on_memory = !remembered.is_empty();
    match learn(name, folders, remembered) {
        // What is wrong is said of the files alone.
        Err(_) if rests_on_memory => load_anew(locations),
        chain => chain,
    }
}

/// Reads all files, whatever is remembered of them, and remembers them anew.
pub(super) fn load_anew(locations: &[Location]) -> Result<Chain, LoadError> {
    learn(name(locations), Folders::open(locations)?.with_checksums(), Remembered::nothing())
}

fn learn(name: String, folders: Folders, remembered: Remembered) -> Result<Chain, LoadError> {
    let (chain, learnt) = folders.remembering(remembered, SystemTime::now()).load_and_learn();
    if let Some(learnt) = learnt {
        ending::meanwhile(move || {
            if let Err(error) = cache().keep(&name, learnt.bytes()) {
                tracing::debug!("what the revision files hold can't be kept: {error}");
            }
        });
    }
    chain
}

/// What the memory of some folders is called.
fn name(locations: &[Location]) -> String {
    let mut hasher = Sha256::new();
    for location in locations {
        let path = location.path.canonicalize();
        let path = path.as_deref().unwrap_or(&location.path).as_os_str().as_encoded_bytes();
        hasher.update(path.len().to_le_bytes());
        hasher.update(path);
    }
    let digits: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.revisions")
}
