//! Who we are to a registry.

use docker_credential::CredentialRetrievalError;
use docker_credential::DockerCredential;
use oci_client::secrets::RegistryAuth;

use crate::error::Error;

/// The variables that name a user. They count for the registry that they name and for no other, because which registries
/// are asked is said by a file that somebody else may have written.
const REGISTRY: &str = "RUNNER_REGISTRY";
const USER: &str = "RUNNER_REGISTRY_USER";
const PASSWORD: &str = "RUNNER_REGISTRY_PASSWORD";

/// Credentials for a registry: those of the variables, else those that `docker login` keeps, else none.
pub(crate) fn of(registry: &str) -> Result<RegistryAuth, Error> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if variable(REGISTRY).as_deref() == Some(registry) {
        return match (variable(USER), variable(PASSWORD)) {
            (Some(user), Some(password)) => Ok(RegistryAuth::Basic(user, password)),
            _ => Err(Error::Credentials {
                registry: registry.to_owned(),
                reason: format!("`{REGISTRY}` names it, and `{USER}` or `{PASSWORD}` is not set"),
            }),
        };
    }
    // Docker keeps those of its own registry under an old name.
    let server = match registry {
        "docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    let unusable = |reason: &str| Err(Error::Credentials { registry: registry.to_owned(), reason: reason.to_owned() });
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => {
            unusable("Docker keeps an identity token for it, which is not supported; use a password or an access token")
        }
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError,
        ) => Ok(RegistryAuth::Anonymous),
        // What a helper prints may hold secrets, so it is not repeated.
        Err(CredentialRetrievalError::HelperFailure { .. }) => unusable("Docker's credential helper failed"),
        Err(error) => unusable(&error.to_string()),
    }
}
