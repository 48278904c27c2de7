//! Reading a member: decrypted, decompressed, and compared with what was written.

use std::fmt;
use std::fs::File;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::iter;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use age::DecryptError;
use age::stream::StreamReader;
use sha2::Digest as _;
use sha2::Sha256;
use zstd::stream::read::Decoder;

use crate::disk;
use crate::error::BackupError;
use crate::keys::Keys;
use crate::manifest::Encryption;
use crate::manifest::EncryptionKind;
use crate::manifest::Member;
use crate::sums::hex;
use crate::sums::sha256_of_file;

/// How every file of age begins.
const MAGIC: &[u8] = b"age-encryption.org/";
/// The largest base-2 logarithm of scrypt's `N` that is accepted: 1 GiB, and some seconds.
const MOST_WORK: u8 = 20;
/// So much is read at a time.
const BUFFER: usize = 128 * 1024;

/// The stored file, which hashes what is read from it. Its errors carry a [`BackupError`], which tells them from those of
/// decoders.
struct Stored {
    file: File,
    path: PathBuf,
    hasher: Arc<Mutex<Sha256>>,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(count) => {
                self.hasher.lock().unwrap_or_else(PoisonError::into_inner).update(&buffer[..count]);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(BackupError::io("read", &self.path, error).into_io()),
        }
    }
}

enum State {
    Reading(Box<dyn Read + Send>),
    Ended,
    Failed,
}

/// Reads one member of a [`crate::Backup`], decrypted and decompressed, in a few MiB of memory.
///
/// Its end is given only if the stored file was what the manifest says. Until then nothing that was read is known to be right,
/// unless it is encrypted. An error that it gives as a reader carries a [`BackupError`]: [`BackupError::of_io`].
pub struct MemberReader {
    state: State,
    hasher: Arc<Mutex<Sha256>>,
    path: PathBuf,
    member: Member,
    plain_bytes: u64,
}

impl MemberReader {
    pub(crate) fn open(
        path: PathBuf,
        member: &Member,
        encryption: &Encryption,
        keys: &Keys,
    ) -> Result<Self, BackupError> {
        if member.is_encrypted() {
            require(keys, encryption, &path)?;
        }
        let (file, found) = disk::open(&path).map_err(|error| BackupError::io("read", &path, error))?;
        if found != member.bytes {
            return Err(BackupError::Length { path, expected: member.bytes, found });
        }
        let hasher = Arc::new(Mutex::new(Sha256::new()));
        let stored = Stored { file, path: path.clone(), hasher: Arc::clone(&hasher) };
        let stored = BufReader::with_capacity(BUFFER, stored);
        let reader: Box<dyn Read + Send> = match (member.is_encrypted(), member.is_compressed()) {
            (false, false) => Box::new(stored),
            (false, true) => Box::new(decompress(Decoder::with_buffer(stored), &path)?),
            (true, compressed) => {
                let decrypted =
                    decrypt(stored, encryption, keys).map_err(|refused| refused.explain(&path, member, encryption))?;
                if compressed { Box::new(decompress(Decoder::new(decrypted), &path)?) } else { Box::new(decrypted) }
            }
        };
        Ok(MemberReader { state: State::Reading(reader), hasher, path, member: member.clone(), plain_bytes: 0 })
    }

    /// Whether all that was stored was read, and is what was written.
    fn compare(&self) -> Result<(), BackupError> {
        let sha256 = hex(&self.hasher.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize());
        if sha256 != self.member.sha256 {
            return Err(BackupError::Altered { path: self.path.clone() });
        }
        if self.plain_bytes != self.member.plain_bytes {
            let why = format!("{} bytes come out where {} went in", self.plain_bytes, self.member.plain_bytes);
            return Err(BackupError::Undecodable { path: self.path.clone(), why });
        }
        Ok(())
    }
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = match &mut self.state {
            State::Reading(reader) => reader,
            State::Ended => return Ok(0),
            State::Failed => return Err(io::Error::other("an earlier read has failed")),
        };
        if buffer.is_empty() {
            return Ok(0);
        }
        let error = match reader.read(buffer) {
            Ok(0) => match self.compare() {
                Ok(()) => {
                    self.state = State::Ended;
                    return Ok(0);
                }
                Err(error) => error,
            },
            Ok(count) => {
                self.plain_bytes += count as u64;
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => explain(&self.path, &self.member, error),
        };
        self.state = State::Failed;
        Err(error.into_io())
    }
}

impl fmt::Debug for MemberReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberReader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether there is any key of the kind that is needed.
fn require(keys: &Keys, encryption: &Encryption, path: &Path) -> Result<(), BackupError> {
    let path = path.to_owned();
    match encryption.kind {
        EncryptionKind::Passphrase if keys.passphrase().is_none() => Err(BackupError::PassphraseNeeded { path }),
        EncryptionKind::Recipients if keys.identities().is_empty() => {
            Err(BackupError::IdentityNeeded { path, recipients: encryption.recipients.clone() })
        }
        _ => Ok(()),
    }
}

fn decompress<R>(decoder: io::Result<R>, path: &Path) -> Result<R, BackupError> {
    decoder.map_err(|error| BackupError::io("read", path, error))
}

fn decrypt(
    mut stored: BufReader<Stored>,
    encryption: &Encryption,
    keys: &Keys,
) -> Result<StreamReader<BufReader<Stored>>, Refused> {
    // A header is read by lines, and a line of something else may be as long as the file.
    if !stored.fill_buf().map_err(DecryptError::Io)?.starts_with(MAGIC) {
        return Err(DecryptError::InvalidHeader.into());
    }
    let decryptor = age::Decryptor::new_buffered(stored)?;
    let decrypted = match (encryption.kind, keys.passphrase()) {
        (EncryptionKind::Passphrase, Some(passphrase)) => {
            let mut identity = age::scrypt::Identity::new(passphrase.secret());
            identity.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(iter::once(&identity as &dyn age::Identity))
        }
        _ => decryptor.decrypt(keys.identities().iter().map(|identity| identity as &dyn age::Identity)),
    };
    Ok(decrypted?)
}

/// Why age does not decrypt.
struct Refused(DecryptError);

impl From<DecryptError> for Refused {
    fn from(error: DecryptError) -> Self {
        Refused(error)
    }
}

impl Refused {
    /// A wrong key and a byte that was changed look alike to age; the digest of the file tells them apart.
    fn explain(self, path: &Path, member: &Member, encryption: &Encryption) -> BackupError {
        let error = match self.0 {
            DecryptError::Io(error) => return explain(path, member, error),
            other => other,
        };
        let undecodable = match explain(path, member, io::Error::other(error.to_string())) {
            undecodable @ BackupError::Undecodable { .. } => undecodable,
            other => return other,
        };
        let path = path.to_owned();
        match error {
            DecryptError::ExcessiveWork { required, .. } => BackupError::TooMuchWork { path, required },
            DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => {
                match encryption.kind {
                    EncryptionKind::Passphrase => BackupError::WrongPassphrase { path },
                    _ => BackupError::WrongIdentity { path, recipients: encryption.recipients.clone() },
                }
            }
            _ => undecodable,
        }
    }
}

/// What is behind an error of reading: the disk, a file that was changed, or one that was written wrongly.
fn explain(path: &Path, member: &Member, error: io::Error) -> BackupError {
    let error = match error.downcast::<BackupError>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    let path_of = || path.to_owned();
    match sha256_of_file(path) {
        Err(error) => BackupError::io("read", path, error),
        Ok((found, _)) if found != member.bytes => {
            BackupError::Length { path: path_of(), expected: member.bytes, found }
        }
        Ok((_, sha256)) if sha256 != member.sha256 => BackupError::Altered { path: path_of() },
        Ok(_) => BackupError::Undecodable { path: path_of(), why: error.to_string() },
    }
}
