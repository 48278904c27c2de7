//! `runner plugin push`

use std::path::PathBuf;

use runner_policy::ComponentFile;
use runner_policy::Signature;
use runner_registry::Reference;
use runner_registry::Shipment;
use serde_json::json;

use super::component;
use super::keygen::with_ending;
use crate::config::registry_options;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Ship a plugin to a registry
///
/// The component goes there as an artifact of the kind that the CNCF defines for WebAssembly, so other tools can fetch it as
/// well. A signature beside it, in FILE.sig, goes along. Prints the source that pins exactly this component.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin push acme_lint.wasm oci://ghcr.io/acme/lint:1.2
  runner plugin push acme_lint.wasm oci://localhost:5000/lint:dev --json")]
pub(crate) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where it goes: `oci://registry/name:tag`
    #[arg(value_name = "REFERENCE")]
    reference: String,
}

impl Args {
    pub(crate) async fn run(&self, printer: &Printer) -> Result<u8> {
        let wrong = |message: String, help: &str| Error::new(ErrorKind::Usage, message).help(help);
        let reference = Reference::parse(&self.reference).map_err(|error| wrong(error.to_string(), error.help()))?;
        if reference.manifest().is_some() || reference.tag().is_none() {
            return Err(wrong(
                format!("`{reference}` names what is there already"),
                "a component is shipped under a tag, as in `oci://registry/name:tag`",
            ));
        }
        let component = component::read(&self.file)?;
        let signature = self.signature(&component)?;
        let is_signed = signature.is_some();
        let ComponentFile { content, digest, imports, exports } = component;
        printer.say(format_args!("shipping {} to {reference}", self.file.display()));
        let shipment = Shipment { component: content, imports, exports, signature };
        let manifest = Box::pin(runner_registry::push(&reference, shipment, registry_options()?))
            .await
            .map_err(|error| component::registry_failed(&self.file.display().to_string(), &error))?;
        let source = reference.with_manifest(manifest);
        let signed = if is_signed { "with its signature" } else { "without a signature" };
        printer.say(format_args!("done, {signed}; use it with"));
        printer.line(format_args!("source = \"{source}\""));
        printer.document(&json!({
            "source": source.to_string(), "manifest": manifest.to_string(), "digest": digest.to_string(),
            "signed": is_signed,
        }));
        Ok(exit::DONE)
    }

    /// The text of the signature beside the component, if there is one. One of something else is never shipped.
    fn signature(&self, component: &ComponentFile) -> Result<Option<String>> {
        let path = with_ending(&self.file, ".sig");
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let wrong = |reason: String| {
            Error::new(ErrorKind::Configuration, format!("the signature `{}` {reason}", path.display()))
                .help("`runner plugin sign` writes it anew; without it the plugin is shipped unsigned")
        };
        let text = ComponentFile::signature(&self.file).map_err(|reason| wrong(format!("can't be read: {reason}")))?;
        let signature: Signature =
            text.parse().map_err(|error: runner_policy::SignatureError| wrong(error.to_string()))?;
        // Whether the key is to be trusted is for whoever fetches it.
        signature.verify(&component.digest, &[signature.key()]).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(signature.to_string()))
    }
}
