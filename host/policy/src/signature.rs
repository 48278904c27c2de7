//! Signatures: a small text beside a component that says who vouches for it.

use std::fmt;
use std::str::FromStr;

use base64ct::Base64;
use base64ct::Encoding as _;

use crate::Digest;
use crate::PublicKey;
use crate::printable;

/// Bytes of the largest signature file that is read. A real one has about 300.
pub(crate) const LARGEST: u64 = 4096;

const TITLE: &str = "runner plugin signature";
const ALGORITHM: &str = "ed25519";

/// A signature of a component, with the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    key: PublicKey,
    digest: Digest,
    signature: ed25519_dalek::Signature,
}

/// Why a signature proves nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The text is no signature.
    #[error("is not a signature: {0}")]
    Malformed(String),
    /// It belongs to another component.
    #[error("is the signature of another component: it names {named}, and this is {actual}")]
    OtherComponent {
        /// The digest that it names.
        named: Digest,
        /// The component's.
        actual: Digest,
    },
    /// It was made with a key that nobody trusts.
    #[error("is made with the key {0}, which is not trusted")]
    OtherKey(Box<PublicKey>),
    /// It was not made with the key that it names.
    #[error("is wrong: it was not made with the key {0} for this component")]
    Wrong(Box<PublicKey>),
}

impl Signature {
    pub(crate) fn new(key: PublicKey, digest: Digest, signature: ed25519_dalek::Signature) -> Self {
        Signature { key, digest, signature }
    }

    /// What is signed. The words before the digest keep a signature of something else from being taken for one of a plugin.
    pub(crate) fn message(digest: &Digest) -> Vec<u8> {
        format!("runner plugin {digest}").into_bytes()
    }

    /// The key that it names.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Checks that one of the keys has signed this component.
    ///
    /// # Errors
    /// None has.
    pub fn verify(&self, digest: &Digest, trusted: &[PublicKey]) -> Result<PublicKey, SignatureError> {
        if self.digest != *digest {
            return Err(SignatureError::OtherComponent { named: self.digest, actual: *digest });
        }
        let key = trusted.iter().find(|key| **key == self.key).ok_or(SignatureError::OtherKey(self.key.into()))?;
        if key.verifies(&Self::message(digest), &self.signature) {
            Ok(*key)
        } else {
            Err(SignatureError::Wrong(self.key.into()))
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signature { key, digest, signature } = self;
        let signature = Base64::encode_string(&signature.to_bytes());
        write!(formatter, "{TITLE}\nalgorithm: {ALGORITHM}\nkey: {key}\ndigest: {digest}\nsignature: {signature}\n")
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let malformed = |what: String| SignatureError::Malformed(printable(&what));
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err(malformed(format!("it does not begin with `{TITLE}`")));
        }
        let mut value = |name: &str| {
            let line = lines.next().ok_or_else(|| malformed(format!("`{name}` is missing")))?;
            line.strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(": "))
                .ok_or_else(|| malformed(format!("`{name}: …` is expected where it says `{line}`")))
        };
        let algorithm = value("algorithm")?;
        if algorithm != ALGORITHM {
            return Err(malformed(format!("its algorithm is `{algorithm}`, and `{ALGORITHM}` alone is known")));
        }
        let key = value("key")?.parse().map_err(|error: crate::KeyError| malformed(error.to_string()))?;
        let digest = value("digest")?.parse().map_err(|error: crate::NotADigest| malformed(error.to_string()))?;
        let signature = Base64::decode_vec(value("signature")?).ok();
        let signature = signature.and_then(|bytes| ed25519_dalek::Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or_else(|| malformed("`signature` is not 64 bytes in base64".to_owned()))?;
        if lines.next().is_some() {
            return Err(malformed("something follows after its end".to_owned()));
        }
        Ok(Signature { key, digest, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    #[test]
    fn a_signature_reads_back_as_it_is_written_and_verifies() {
        let key = SigningKey::generate().unwrap();
        let digest = Digest::of(b"component");
        let signature = key.sign(&digest);
        let read: Signature = signature.to_string().parse().unwrap();
        assert_eq!(read, signature);
        let other = SigningKey::generate().unwrap().public();
        assert_eq!(read.verify(&digest, &[other, key.public()]), Ok(key.public()));
    }

    #[test]
    fn nothing_else_verifies() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let (digest, another) = (Digest::of(b"component"), Digest::of(b"another"));
        let signature = key.sign(&digest);
        assert_eq!(signature.verify(&digest, &[]), Err(SignatureError::OtherKey(key.public().into())));
        assert_eq!(signature.verify(&digest, &[other.public()]), Err(SignatureError::OtherKey(key.public().into())));
        assert_eq!(
            signature.verify(&another, &[key.public()]),
            Err(SignatureError::OtherComponent { named: digest, actual: another })
        );
        // Claims made by editing the text.
        let text = signature.to_string();
        let renamed: Signature = text.replace(&digest.to_string(), &another.to_string()).parse().unwrap();
        assert_eq!(renamed.verify(&another, &[key.public()]), Err(SignatureError::Wrong(key.public().into())));
        let claimed: Signature = text.replace(&key.public().to_string(), &other.public().to_string()).parse().unwrap();
        assert_eq!(claimed.verify(&digest, &[other.public()]), Err(SignatureError::Wrong(other.public().into())));
    }

    #[test]
    fn every_damage_is_noticed() {
        let key = SigningKey::generate().unwrap();
        let digest = Digest::of(b"component");
        let text = key.sign(&digest).to_string();
        for cut in 0..text.len() - 1 {
            assert!(text[..cut].parse::<Signature>().is_err(), "cut at {cut}");
        }
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(damaged) = String::from_utf8(bytes) else { continue };
            let verified =
                damaged.parse::<Signature>().and_then(|signature| signature.verify(&digest, &[key.public()]));
            assert!(verified.is_err(), "byte {at}: {damaged}");
        }
        assert!(format!("{text}\n").parse::<Signature>().is_err());
        assert!(format!("{text}key: x").parse::<Signature>().is_err());
    }
}
