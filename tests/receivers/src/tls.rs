//! A certificate that nobody else has.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::Stream;

/// A certificate for this machine, signed by itself.
#[derive(Clone)]
pub struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Certificate")
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Certificate::new()
    }
}

impl Certificate {
    /// A new one, for `127.0.0.1` and `localhost`.
    ///
    /// # Panics
    /// When there is no randomness.
    pub fn new() -> Self {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Certificate { pem: made.cert.pem(), config: Arc::new(config) }
    }

    /// In PEM form, to be trusted.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn wrap(&self, stream: TcpStream) -> Box<dyn Stream> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).unwrap();
        Box::new(StreamOwned::new(connection, stream))
    }
}
