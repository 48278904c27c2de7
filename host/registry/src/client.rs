//! The HTTP client, set up for one registry.

use std::time::Duration;

use oci_client::Client;
use oci_client::RegistryOperation;
use oci_client::client::ClientConfig;
use oci_client::client::ClientProtocol;

use crate::credentials;
use crate::error::Error;
use crate::reference::Reference;

/// How patient to be with a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long it may stay silent. Default: 30 s.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { timeout: Duration::from_secs(30) }
    }
}

/// How many times the timeout a whole request may take that carries little.
const SHORT: u32 = 2;
/// And one that carries a component.
const LONG: u32 = 40;

/// A registry that can be asked about one reference.
pub(crate) struct Registry<'a> {
    pub(crate) client: Client,
    pub(crate) reference: &'a Reference,
    options: Options,
}

impl<'a> Registry<'a> {
    /// Sets a client up, and introduces us.
    pub(crate) async fn open(
        reference: &'a Reference,
        options: Options,
        operation: RegistryOperation,
    ) -> Result<Self, Error> {
        let credentials = credentials::of(reference.registry())?;
        // The provider that the databases' driver uses; another one may be set already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let protocol = match reference.is_loopback() {
            true => ClientProtocol::HttpsExcept(vec![reference.registry().to_owned()]),
            false => ClientProtocol::Https,
        };
        let config = ClientConfig {
            protocol,
            platform_resolver: None,
            read_timeout: Some(options.timeout),
            connect_timeout: Some(options.timeout.min(Duration::from_secs(10))),
            user_agent: concat!("runner/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| Error::of(error, reference, options.timeout))?;
        let registry = Registry { client, reference, options };
        registry.short(registry.client.auth(&reference.to_client(), &credentials, operation)).await?;
        Ok(registry)
    }

    /// Waits for something that carries little.
    pub(crate) async fn short<T>(
        &self,
        request: impl Future<Output = oci_client::errors::Result<T>>,
    ) -> Result<T, Error> {
        self.within(SHORT, async { request.await.map_err(|error| self.failed(error)) }).await
    }

    /// Waits for something that carries a component.
    pub(crate) async fn long<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.within(LONG, request).await
    }

    async fn within<T>(&self, times: u32, request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = self.options.timeout.saturating_mul(times);
        tokio::time::timeout(limit, request)
            .await
            .unwrap_or_else(|_| Err(Error::Time { registry: self.reference.registry().to_owned(), limit }))
    }

    pub(crate) fn failed(&self, error: oci_client::errors::OciDistributionError) -> Error {
        Error::of(error, self.reference, self.options.timeout)
    }

    pub(crate) fn broken_off(&self, error: std::io::Error) -> Error {
        Error::of_stream(error, self.reference, self.options.timeout)
    }
}
