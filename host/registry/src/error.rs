//! Why a component could not be fetched or shipped.

use std::time::Duration;

use oci_client::errors::DigestError;
use oci_client::errors::OciDistributionError;
use oci_client::errors::OciErrorCode;
use runner_policy::NotAnArtifact;
use runner_policy::StoreError;
use runner_policy::printable;

use crate::reference::Reference;

/// Why a component could not be fetched or shipped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry can't be reached.
    #[error("the registry `{registry}` can't be reached: {reason}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// What the system says.
        reason: String,
    },
    /// It takes too long.
    #[error("the registry `{registry}` gave no answer within {limit:?}")]
    Time {
        /// The registry.
        registry: String,
        /// The limit.
        limit: Duration,
    },
    /// It has no such artifact.
    #[error("the registry has no `{reference}`")]
    NotFound {
        /// What was asked for.
        reference: String,
    },
    /// It does not let us.
    #[error("the registry `{registry}` refuses: {reason}")]
    Denied {
        /// The registry.
        registry: String,
        /// What it says.
        reason: String,
    },
    /// It answers with an error, or against the rules.
    #[error("the registry `{registry}` failed: {reason}")]
    Failed {
        /// The registry.
        registry: String,
        /// What it says.
        reason: String,
    },
    /// The connection ended in the middle.
    #[error("the registry `{registry}` broke off: {reason}")]
    BrokenOff {
        /// The registry.
        registry: String,
        /// What happened.
        reason: String,
    },
    /// What it sends is something else than what was asked for.
    #[error("the registry sent something else than {expected}: {actual}")]
    OtherContent {
        /// The digest that was asked for.
        expected: String,
        /// What came.
        actual: String,
    },
    /// The component is too large.
    #[error("`{reference}` is {size}, and no component may be larger than {limit}")]
    TooLarge {
        /// What was asked for.
        reference: String,
        /// Its size.
        size: String,
        /// The limit.
        limit: String,
    },
    /// It is an artifact of another kind.
    #[error("`{reference}` is no component: {reason}")]
    NotAComponent {
        /// What was asked for.
        reference: String,
        /// Why not.
        reason: NotAnArtifact,
    },
    /// The credentials can't be used.
    #[error("the credentials for `{registry}` can't be used: {reason}")]
    Credentials {
        /// The registry.
        registry: String,
        /// Why not.
        reason: String,
    },
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Error::Unreachable { .. } | Error::BrokenOff { .. } => {
                Some("check the name of the registry and the network, and try again")
            }
            Error::Time { .. } => Some("try again, or set `RUNNER_REGISTRY_TIMEOUT` to wait longer, as in `2m`"),
            Error::NotFound { .. } => {
                Some("check name and tag; some registries say the same to whoever is not logged in")
            }
            Error::Denied { .. } | Error::Credentials { .. } => Some(
                "log in with `docker login`, or set `RUNNER_REGISTRY`, `RUNNER_REGISTRY_USER` and \
                 `RUNNER_REGISTRY_PASSWORD`",
            ),
            Error::OtherContent { .. } => Some("do not use it, and ask whoever runs the registry"),
            Error::NotAComponent { .. } => Some("ship it with `runner plugin push`, or with `wkg oci push`"),
            Error::Failed { .. } | Error::TooLarge { .. } | Error::Store(_) => None,
        }
    }

    pub(crate) fn of(error: OciDistributionError, reference: &Reference, limit: Duration) -> Self {
        use OciDistributionError as Oci;
        let registry = reference.registry().to_owned();
        match error {
            Oci::RequestError(error) => Self::of_request(error, registry, limit),
            Oci::ImageManifestNotFoundError(_) => Error::NotFound { reference: reference.to_string() },
            Oci::RegistryError { envelope, .. } => {
                let is_unknown = envelope.errors.iter().any(|error| {
                    matches!(
                        error.code,
                        OciErrorCode::ManifestUnknown
                            | OciErrorCode::NameUnknown
                            | OciErrorCode::NotFound
                            | OciErrorCode::BlobUnknown
                    )
                });
                let is_denied = envelope
                    .errors
                    .iter()
                    .any(|error| matches!(error.code, OciErrorCode::Denied | OciErrorCode::Unauthorized));
                let reason =
                    printable(&envelope.errors.iter().map(|error| &*error.message).collect::<Vec<_>>().join("; "));
                match (is_unknown, is_denied) {
                    (true, _) => Error::NotFound { reference: reference.to_string() },
                    (false, true) => Error::Denied { registry, reason },
                    (false, false) => Error::Failed { registry, reason },
                }
            }
            Oci::ServerError { code: 404, .. } => Error::NotFound { reference: reference.to_string() },
            Oci::ServerError { code: code @ (401 | 403), .. } => {
                Error::Denied { registry, reason: format!("it answers with status {code}") }
            }
            Oci::ServerError { code, .. } => {
                Error::Failed { registry, reason: format!("it answers with status {code}") }
            }
            Oci::UnauthorizedError { .. } => Error::Denied { registry, reason: "it wants credentials".to_owned() },
            Oci::AuthenticationFailure(_) => {
                Error::Denied { registry, reason: "it does not accept the credentials".to_owned() }
            }
            Oci::DigestError(DigestError::VerificationError { expected, actual }) => {
                Error::OtherContent { expected: printable(&expected), actual: printable(&actual) }
            }
            Oci::IoError(error) => Self::of_stream(error, reference, limit),
            other => Error::Failed { registry, reason: printable(&other.to_string()) },
        }
    }

    fn of_request(error: reqwest::Error, registry: String, limit: Duration) -> Self {
        if error.is_timeout() {
            return Error::Time { registry, limit };
        }
        let is_connect = error.is_connect();
        // An address may hold a token.
        let reason = innermost(&error.without_url());
        if is_connect { Error::Unreachable { registry, reason } } else { Error::BrokenOff { registry, reason } }
    }

    /// Of a download that had begun.
    pub(crate) fn of_stream(error: std::io::Error, reference: &Reference, limit: Duration) -> Self {
        let registry = reference.registry().to_owned();
        match error.downcast::<reqwest::Error>() {
            Ok(error) => Self::of_request(error, registry, limit),
            Err(error) => match error.downcast::<DigestError>() {
                Ok(DigestError::VerificationError { expected, actual }) => {
                    Error::OtherContent { expected: printable(&expected), actual: printable(&actual) }
                }
                Ok(error) => Error::Failed { registry, reason: printable(&error.to_string()) },
                Err(error) => Error::BrokenOff { registry, reason: innermost(&error) },
            },
        }
    }
}

/// The cause of causes: what is around it only says that a request failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    printable(&cause.to_string())
}
