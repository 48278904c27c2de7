//! `runner plugin sign`

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::SigningKey;
use serde_json::json;

use super::component;
use super::keygen::with_ending;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Bytes of the largest key file that is read. A real one has about 120.
const LARGEST_KEY: u64 = 64 << 10;

/// Sign a plugin, so that whoever trusts the key can tell that it is yours
///
/// Writes FILE.sig, a small text that goes beside the component, and that `runner plugin push` ships along with it. It says
/// who vouches for these very bytes: sign after the last build.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin sign acme_lint.wasm --key acme.key")]
pub(crate) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The private key, in PEM
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, printer: &Printer) -> Result<u8> {
        let key = private_key(&self.key)?;
        let component = component::read(&self.file)?;
        let signature = key.sign(&component.digest);
        let path = with_ending(&self.file, ".sig");
        replace(&path, &signature.to_string())?;
        printer.say(format_args!("wrote {}", path.display()));
        printer.say(format_args!("  digest  {}\n  key     {}", component.digest, signature.key()));
        printer.document(&json!({
            "file": path, "digest": component.digest.to_string(), "key": signature.key().to_string(),
        }));
        Ok(exit::DONE)
    }
}

fn private_key(path: &Path) -> Result<SigningKey> {
    refuse_what_others_read(path)?;
    let text = key_text(path)?;
    SigningKey::from_pem(&text).map_err(|error| {
        Error::new(ErrorKind::Configuration, format!("the key `{}` {error}", path.display())).maybe_help(error.help())
    })
}

/// The text of a key file.
pub(super) fn key_text(path: &Path) -> Result<String> {
    use std::io::Read as _;
    let unreadable = |reason: String| {
        Error::new(ErrorKind::Configuration, format!("the key `{}` can't be read: {reason}", path.display()))
    };
    let metadata = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    match file.take(LARGEST_KEY).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(unreadable("it is not text; a key is expected in PEM".to_owned()))
        }
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// A private key that others can read is not private.
#[cfg(unix)]
fn refuse_what_others_read(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let shown = path.display();
        let message = format!("the key `{shown}` can be read or changed by others, so it may not be private any more");
        return Err(Error::new(ErrorKind::Configuration, message)
            .help(format!("`chmod 600 {shown}` closes it; if it was open for long, make another one")));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_what_others_read(_: &Path) -> Result<()> {
    Ok(())
}

/// Writes a file whole or not at all.
pub(super) fn replace(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".new-");
        // It is no secret; others read it as far as the user's mask lets them.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error).map(drop)
    };
    write().map_err(|error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("failed to write `{}`: {error}", path.display()))
    })
}
