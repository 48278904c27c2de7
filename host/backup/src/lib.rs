//! What is kept: backups in a folder, each with all that a person needs who does not have this tool.
//!
//! A backup is a folder that holds
//!
//! - `manifest.json`: what was saved, of which database, by whom and why;
//! - one file a member, as `0001-public.patient.tsv.zst`, or `0001-public.patient.tsv.zst.age` if it is encrypted: rows, then
//!   zstd, then age. What is compressed already is stored without zstd: `0001-app.dump`;
//! - `SHA256SUMS`, for `sha256sum -c`: one line for the manifest and for every member;
//! - and once it was verified, `verified.json`: when, how, and which `SHA256SUMS` that was about.
//!
//! The crate knows nothing of databases, SQL or policies. It promises:
//!
//! - a backup is there as a whole or not at all: it is written under a hidden name, synced, and renamed;
//! - what is listed as good has a manifest that is the one `SHA256SUMS` speaks of, and nothing in them contradicts the other;
//! - a byte that was changed in any of its files is found by [`Backup::check`], and by whoever reads a member to its end;
//! - nobody but the user can read what is written, from the first byte on, and no secret is in any text that it gives back.

mod backup;
mod check;
mod damage;
mod disk;
mod draft;
mod error;
mod folder;
mod keys;
mod lock;
mod manifest;
mod member;
mod name;
mod protection;
mod reader;
mod removal;
mod retention;
mod rows_digest;
mod sums;
mod verification;
mod writeback;

pub use backup::Backup;
pub use damage::Damage;
pub use draft::Draft;
pub use error::BackupError;
pub use folder::Entry;
pub use folder::Folder;
pub use keys::Keys;
pub use manifest::Applied;
pub use manifest::Column;
pub use manifest::Compression;
pub use manifest::Encryption;
pub use manifest::EncryptionKind;
pub use manifest::FORMAT;
pub use manifest::Manifest;
pub use manifest::Member;
pub use manifest::Method;
pub use manifest::Part;
pub use manifest::SavedAs;
pub use manifest::Scope;
pub use manifest::Table;
pub use manifest::Target;
pub use member::Kind;
pub use member::MemberWriter;
pub use name::check_name;
pub use protection::Passphrase;
pub use protection::Protection;
pub use protection::Recipient;
pub use reader::MemberReader;
pub use retention::Candidate;
pub use retention::Keep;
pub use retention::doomed;
pub use rows_digest::LineDigest;
pub use rows_digest::RowsDigest;
pub use verification::VERIFICATION_FILE;
pub use verification::Verification;

/// The file that says what a backup holds.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The file that `sha256sum -c` reads.
pub const SUMS_FILE: &str = "SHA256SUMS";
