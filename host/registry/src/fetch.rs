//! From a registry into the store.

use futures_util::TryStreamExt as _;
use oci_client::RegistryOperation;
use runner_policy::Artifact;
use runner_policy::Digest;
use runner_policy::LARGEST_COMPONENT;
use runner_policy::MANIFEST_TYPE;
use runner_policy::Store;
use runner_policy::StoreError;

use crate::client::Options;
use crate::client::Registry;
use crate::error::Error;
use crate::reference::Reference;

/// What is in the store now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// What it says.
    pub artifact: Artifact,
    /// Whether the network was needed.
    pub downloaded: bool,
}

/// Makes sure that a component is in the store, whole and undamaged. With the digest of a manifest no tag is looked up, and
/// the network is asked only for what is missing.
///
/// # Errors
/// The registry can't be reached, is too slow, has no such thing, does not let us, sends something else than what the
/// digests say, or the store can't be used.
pub async fn fetch(reference: &Reference, store: &Store, options: Options) -> Result<Fetched, Error> {
    if let Some(manifest) = reference.manifest()
        && let Ok(artifact) = stored(reference, &manifest, store)
    {
        return Ok(Fetched { manifest, artifact, downloaded: false });
    }
    let registry = Registry::open(reference, options, RegistryOperation::Pull).await?;
    let manifest = manifest(&registry).await?;
    let digest = Digest::of(&manifest);
    let artifact = artifact(reference, &manifest)?;
    let mut downloaded = false;
    match store.read(&artifact.component) {
        Ok(_) => {}
        Err(StoreError::Missing { .. } | StoreError::Damaged { .. }) => {
            store.write(&registry.long(component(&registry, &artifact)).await?)?;
            downloaded = true;
        }
        Err(error) => return Err(error.into()),
    }
    // After the component, so that whoever finds the manifest finds all.
    store.write(&manifest)?;
    Ok(Fetched { manifest: digest, artifact, downloaded })
}

/// Whether a component is in the store, whole and undamaged.
pub fn is_fetched(reference: &Reference, manifest: &Digest, store: &Store) -> bool {
    stored(reference, manifest, store).is_ok()
}

fn stored(reference: &Reference, manifest: &Digest, store: &Store) -> Result<Artifact, Error> {
    let artifact = artifact(reference, &store.read(manifest)?)?;
    store.read(&artifact.component)?;
    Ok(artifact)
}

async fn manifest(registry: &Registry<'_>) -> Result<Vec<u8>, Error> {
    let reference = registry.reference.to_client();
    let anonymous = oci_client::secrets::RegistryAuth::Anonymous;
    // The client has our credentials already.
    let request = registry.client.pull_manifest_raw(&reference, &anonymous, &[MANIFEST_TYPE]);
    let (manifest, _) = registry.short(request).await?;
    match registry.reference.manifest() {
        Some(expected) if expected != Digest::of(&manifest) => {
            Err(Error::OtherContent { expected: expected.to_string(), actual: Digest::of(&manifest).to_string() })
        }
        _ => Ok(manifest.to_vec()),
    }
}

fn artifact(reference: &Reference, manifest: &[u8]) -> Result<Artifact, Error> {
    let artifact =
        Artifact::read(manifest).map_err(|reason| Error::NotAComponent { reference: reference.to_string(), reason })?;
    if artifact.size > LARGEST_COMPONENT {
        return Err(Error::TooLarge {
            reference: reference.to_string(),
            size: format!("{} bytes", artifact.size),
            limit: format!("{LARGEST_COMPONENT} bytes"),
        });
    }
    Ok(artifact)
}

/// Downloads a component, and no byte more than its manifest says.
async fn component(registry: &Registry<'_>, artifact: &Artifact) -> Result<Vec<u8>, Error> {
    let digest = artifact.component.to_string();
    let reference = registry.reference.to_client();
    let mut stream =
        registry.client.pull_blob_stream(&reference, &*digest).await.map_err(|error| registry.failed(error))?;
    let mut content = Vec::new();
    let other = |actual: String| Error::OtherContent { expected: digest.clone(), actual };
    while let Some(part) = stream.try_next().await.map_err(|error| registry.broken_off(error))? {
        content.extend_from_slice(&part);
        if content.len() as u64 > artifact.size {
            return Err(other(format!("more than the {} bytes that the manifest says", artifact.size)));
        }
    }
    let actual = Digest::of(&content);
    if actual == artifact.component { Ok(content) } else { Err(other(actual.to_string())) }
}
