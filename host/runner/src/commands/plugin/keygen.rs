//! `runner plugin keygen`

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::KeyError;
use runner_policy::SigningKey;
use serde_json::json;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Make a key that plugins can be signed with
///
/// Writes the private key to FILE, which nobody but you can read, and the public one to FILE.pub, both in PEM as OpenSSL has
/// them. Files that are there already are never replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin keygen acme.key
  runner plugin keygen ~/.config/acme/policies.key --json")]
pub(crate) struct Args {
    /// Where the private key goes
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, printer: &Printer) -> Result<u8> {
        let made = |error: KeyError| Error::new(ErrorKind::Io, format!("no key could be made: {error}"));
        let public_file = with_ending(&self.file, ".pub");
        let key = SigningKey::generate().map_err(made)?;
        let public = key.public();
        // The public one first: if that fails, no secret is left behind.
        create(&public_file, &public.to_pem().map_err(made)?, 0o644)?;
        if let Err(error) = key.to_pem().map_err(made).and_then(|pem| create(&self.file, &pem, 0o600)) {
            let _ = fs::remove_file(&public_file);
            return Err(error);
        }
        printer.say(format_args!("wrote {} (keep it secret) and {}", self.file.display(), public_file.display()));
        printer.say(
            "Plugins that it signs are trusted by projects with this in `runner.toml`, or in the file of a plugin set:",
        );
        printer.say("");
        printer.line(format_args!("[trust]\nkeys = [\"{public}\"]"));
        printer.document(&json!({
            "private_file": self.file, "public_file": public_file, "key": public.to_string(),
        }));
        Ok(exit::DONE)
    }
}

/// A path with something put at its end.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn create(path: &Path, text: &str, mode: u32) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Io, format!("`{}` exists already, and a key is never replaced", path.display()))
                .help("give another name, or move the old key away; what it signed stays signed")
        }
        _ => Error::new(ErrorKind::Io, format!("failed to write `{}`: {error}", path.display())),
    })
}
