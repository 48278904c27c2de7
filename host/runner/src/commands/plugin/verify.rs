//! `runner plugin verify`

use std::path::PathBuf;

use runner_policy::ComponentFile;
use runner_policy::PublicKey;
use serde_json::json;

use super::component;
use super::keygen::with_ending;
use super::sign::key_text;
use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Check the signature of a plugin
///
/// Without `--key` the keys count that the configuration trusts. Exits with 3 if none of them has signed these very bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin verify acme_lint.wasm
  runner plugin verify acme_lint.wasm --key acme.key.pub")]
pub(crate) struct Args {
    /// The component, with its signature beside it in FILE.sig
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A public key: a file in PEM, or `ed25519:…`; may be given several times
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let keys = match self.key.is_empty() {
            true => Config::load(&global.overrides())?.trusted_keys()?,
            false => self.key.iter().map(|key| public_key(key)).collect::<Result<_>>()?,
        };
        if keys.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, "no key is trusted, so no signature can be checked")
                .help("name one with `--key`, or in `keys` of `[trust]`"));
        }
        let shown = self.file.display();
        let digest = ComponentFile::digest(&self.file)
            .map_err(|refusal| component::refused(&self.file.display().to_string(), &refusal))?;
        let path = with_ending(&self.file, ".sig");
        let wrong = |reason: String| {
            Error::new(ErrorKind::Refused, format!("`{shown}` is not signed by a trusted key: {reason}"))
                .help("`runner plugin sign FILE --key KEY` signs it")
        };
        let text = ComponentFile::signature(&self.file)
            .map_err(|reason| wrong(format!("`{}` can't be read: {reason}", path.display())))?;
        let key = text
            .parse::<runner_policy::Signature>()
            .and_then(|signature| signature.verify(&digest, &keys))
            .map_err(|error| wrong(format!("`{}` {error}", path.display())))?;
        printer.say(format_args!("{shown} is signed\n  digest  {digest}\n  key     {key}"));
        printer.document(&json!({ "file": self.file, "digest": digest.to_string(), "key": key.to_string() }));
        Ok(exit::DONE)
    }
}

fn public_key(text: &str) -> Result<PublicKey> {
    let (key, shown) = match text.starts_with("ed25519:") {
        true => (text.parse(), String::new()),
        false => {
            let path = PathBuf::from(text);
            (PublicKey::from_pem(&key_text(&path)?), format!("the key `{}` ", path.display()))
        }
    };
    key.map_err(|error| Error::new(ErrorKind::Configuration, format!("{shown}{error}")).maybe_help(error.help()))
}
