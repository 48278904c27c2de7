//! From a file to a registry.

use oci_client::RegistryOperation;
use runner_policy::Artifact;
use runner_policy::Digest;
use runner_policy::MANIFEST_TYPE;

use crate::client::Options;
use crate::client::Registry;
use crate::error::Error;
use crate::reference::Reference;

/// A component to be shipped.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// Its bytes.
    pub component: Vec<u8>,
    /// What it imports, as in `runner:policy/log@0.1.0`.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// Its signature, as text.
    pub signature: Option<String>,
}

/// Ships a component under a tag, and gives the digest of its manifest: the same for the same component and signature.
///
/// # Errors
/// The registry can't be reached, is too slow, or does not let us.
pub async fn push(reference: &Reference, shipment: Shipment, options: Options) -> Result<Digest, Error> {
    let Shipment { component, imports, exports, signature } = shipment;
    let artifact = Artifact { component: Digest::of(&component), size: component.len() as u64, signature };
    let config = artifact.config(&imports, &exports);
    let manifest = artifact.manifest(&config);
    let digest = Digest::of(&manifest);
    let registry = Registry::open(reference, options, RegistryOperation::Push).await?;
    let image = reference.to_client();
    for blob in [component, config] {
        let name = Digest::of(&blob).to_string();
        let push =
            async { registry.client.push_blob(&image, blob, &name).await.map_err(|error| registry.failed(error)) };
        registry.long(push).await?;
    }
    let media_type = http::HeaderValue::from_static(MANIFEST_TYPE);
    registry.short(registry.client.push_manifest_raw(&image, manifest, media_type)).await?;
    Ok(digest)
}
