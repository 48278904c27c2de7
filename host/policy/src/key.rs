//! Ed25519 keys: who may sign plugins.

use std::fmt;
use std::str::FromStr;

use base64ct::Base64;
use base64ct::Encoding as _;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;

use crate::Digest;
use crate::Signature;
use crate::printable;

const PREFIX: &str = "ed25519:";

/// Why a text is not the key that it should be.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct KeyError {
    what: String,
    help: Option<&'static str>,
}

impl KeyError {
    fn new(what: impl Into<String>, help: Option<&'static str>) -> Self {
        KeyError { what: what.into(), help }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        self.help
    }
}

/// The public half of a key, written as `ed25519:` and 32 bytes in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        match Label::of(text) {
            Label::Public => {
                let key = VerifyingKey::from_public_key_pem(&unix_lines(text));
                usable(key.map_err(|error| KeyError::new(format!("is not an Ed25519 key: {error}"), Some(MAKE)))?)
            }
            Label::Private => Err(KeyError::new("holds a private key where a public one belongs", Some(PUBLIC_HALF))),
            other => Err(other.refused("public")),
        }
    }

    /// The key in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// None in practice: every key has such a form.
    pub fn to_pem(self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|error| KeyError::new(error.to_string(), None))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &ed25519_dalek::Signature) -> bool {
        self.0.verify_strict(message, signature).is_ok()
    }
}

fn usable(key: VerifyingKey) -> Result<PublicKey, KeyError> {
    if key.is_weak() {
        return Err(KeyError::new("is a key that fits any signature", Some(MAKE)));
    }
    Ok(PublicKey(key))
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::new(format!("`{}` is not a public key", printable(text)), Some(FORM));
        let encoded = text.strip_prefix(PREFIX).ok_or_else(wrong)?;
        let bytes = Base64::decode_vec(encoded).map_err(|_| wrong())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong())?;
        usable(VerifyingKey::from_bytes(&bytes).map_err(|_| wrong())?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", Base64::encode_string(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A private key. It is never shown, and its memory is overwritten when it is dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut key = KeypairBytes { secret_key: [0; 32], public_key: None };
        getrandom::fill(&mut key.secret_key)
            .map_err(|error| KeyError::new(format!("the system gives no random bytes: {error}"), None))?;
        Ok(SigningKey(ed25519_dalek::SigningKey::from_bytes(&key.secret_key)))
    }

    /// Reads a key in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        use ed25519_dalek::pkcs8::DecodePrivateKey as _;
        match Label::of(text) {
            Label::Private => ed25519_dalek::SigningKey::from_pkcs8_pem(&unix_lines(text))
                .map(SigningKey)
                .map_err(|error| KeyError::new(format!("is not an Ed25519 key: {error}"), Some(MAKE))),
            Label::Public => {
                Err(KeyError::new("holds a public key, and signing needs the private one", Some("give the other file")))
            }
            other => Err(other.refused("private")),
        }
    }

    /// The key in PEM, in the first version of PKCS#8, which every OpenSSL reads. Whoever gets it keeps it secret; its memory
    /// is overwritten when it is dropped.
    ///
    /// # Errors
    /// None in practice: every key has such a form.
    pub fn to_pem(&self) -> Result<impl std::ops::Deref<Target = String> + use<>, KeyError> {
        let key = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        key.to_pkcs8_pem(LineEnding::LF).map_err(|error| KeyError::new(error.to_string(), None))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a component.
    pub fn sign(&self, digest: &Digest) -> Signature {
        use ed25519_dalek::Signer as _;
        Signature::new(self.public(), *digest, self.0.sign(&Signature::message(digest)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

/// An editor on Windows may have changed the ends of lines.
fn unix_lines(text: &str) -> String {
    text.trim().replace("\r\n", "\n") + "\n"
}

const MAKE: &str = "`runner plugin keygen FILE` makes one, and so does `openssl genpkey -algorithm ed25519`";
const FORM: &str = "it is `ed25519:` and 44 characters, as `runner plugin keygen` prints it";
const PUBLIC_HALF: &str = "`openssl pkey -in FILE -pubout` gives the public half";

/// What a PEM file says of itself.
#[derive(Clone, Copy)]
enum Label {
    Private,
    Public,
    Encrypted,
    OpenSsh,
    Other,
    None,
}

impl Label {
    fn of(text: &str) -> Self {
        let Some(rest) = text.trim_start().strip_prefix("-----BEGIN ") else { return Label::None };
        match rest.split("-----").next() {
            Some("PRIVATE KEY") => Label::Private,
            Some("PUBLIC KEY") => Label::Public,
            Some("ENCRYPTED PRIVATE KEY") => Label::Encrypted,
            Some("OPENSSH PRIVATE KEY") => Label::OpenSsh,
            _ => Label::Other,
        }
    }

    fn refused(self, wanted: &str) -> KeyError {
        match self {
            Label::Encrypted => KeyError::new(
                "is encrypted with a passphrase",
                Some("`openssl pkey -in FILE -out PLAIN` decrypts it; keep that file where nobody else reads it"),
            ),
            Label::OpenSsh => KeyError::new("is a key in the form of OpenSSH", Some(MAKE)),
            Label::Other => KeyError::new("holds something else in PEM", Some(MAKE)),
            Label::None | Label::Private | Label::Public => {
                KeyError::new(format!("holds no {wanted} key in PEM"), Some(MAKE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From RFC 8410, section 10.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_read_back_as_they_are_written() {
        let key = SigningKey::from_pem(PRIVATE).unwrap();
        assert_eq!(*key.to_pem().unwrap(), PRIVATE);
        assert_eq!(key.public().to_pem().unwrap(), PUBLIC);
        assert_eq!(PublicKey::from_pem(PUBLIC).unwrap(), key.public());
        assert_eq!(key.public().to_string(), "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert_eq!(PublicKey::from_pem(&PUBLIC.replace('\n', "\r\n")).unwrap(), key.public());
        assert!(SigningKey::from_pem(&PRIVATE.replace('\n', "\r\n")).is_ok());
    }

    #[test]
    fn what_is_no_key_is_said() {
        let private = |text: &str| SigningKey::from_pem(text).unwrap_err().to_string();
        let public = |text: &str| PublicKey::from_pem(text).unwrap_err().to_string();
        assert_eq!(private(PUBLIC), "holds a public key, and signing needs the private one");
        assert_eq!(public(PRIVATE), "holds a private key where a public one belongs");
        assert_eq!(private(""), "holds no private key in PEM");
        assert_eq!(private(&PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE")), "is encrypted with a passphrase");
        assert_eq!(private(&PRIVATE.replace("PRIVATE", "OPENSSH PRIVATE")), "is a key in the form of OpenSSH");
        assert_eq!(public("-----BEGIN CERTIFICATE-----\n"), "holds something else in PEM");
        assert!(private(&PRIVATE.replace("MC4C", "MC5C")).starts_with("is not an Ed25519 key: "));
        assert!(private(&PRIVATE[..60]).starts_with("is not an Ed25519 key: "));
        // The algorithm X25519, which agrees on secrets and signs nothing.
        assert!(public(&PUBLIC.replace("K2VwAyEA", "K2VuAyEA")).starts_with("is not an Ed25519 key: "));
    }

    #[test]
    fn a_key_that_fits_any_signature_is_refused() {
        let neutral = [&[1][..], &[0; 31]].concat();
        let text = format!("ed25519:{}", Base64::encode_string(&neutral));
        assert_eq!(text.parse::<PublicKey>().unwrap_err().to_string(), "is a key that fits any signature");
    }

    #[test]
    fn two_keys_differ() {
        let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        assert_ne!(one.public(), two.public());
        assert!(!format!("{one:?}").contains(&Base64::encode_string(&one.0.to_bytes())));
    }
}
