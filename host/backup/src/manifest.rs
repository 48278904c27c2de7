//! The manifest: what a backup holds, where it comes from, and how it was made.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::damage::Damage;

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

/// What a backup holds, where it comes from, and how it was made: `manifest.json`.
///
/// Fields that this version does not know are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format: [`FORMAT`]. [`crate::Draft::finish`] sets it.
    pub format: u64,
    /// The name of the backup. [`crate::Draft::finish`] sets it.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// What made it, as in `runner 0.1.0`.
    pub tool: String,
    /// How much of the database it holds.
    pub scope: Scope,
    /// How it was made.
    pub method: Method,
    /// The command that made it.
    pub reason: String,
    /// Who made it.
    pub actor: String,
    /// The machine on which it was made.
    pub host: String,
    /// The database.
    pub target: Target,
    /// The environment that the database belongs to.
    pub environment: String,
    /// Version rows when it was made.
    pub revisions_before: Vec<String>,
    /// Version rows after what it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revisions_after: Option<Vec<String>>,
    /// The hash of the plan that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_hash: Option<String>,
    /// The run that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether it is encrypted, and for whom. [`crate::Draft::finish`] sets it.
    pub encryption: Encryption,
    /// How members whose name has `.zst` are compressed. [`crate::Draft::finish`] sets it.
    pub compression: Compression,
    /// A sentence about which moment of the database it shows.
    pub consistency: String,
    /// The tables that it holds.
    pub tables: Vec<Table>,
    /// What was recorded about the revisions that were applied when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Applied>,
    /// The ledger of the runner, where that is not among what another program wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Table>,
    /// Its files. [`crate::Draft::finish`] sets them.
    pub members: Vec<Member>,
}

/// What was recorded about a revision that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its id.
    pub revision: String,
    /// Whether it was passed without running anything.
    #[serde(default)]
    pub skipped: bool,
    /// The checksum of its file then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The checksum of its SQL then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_checksum: Option<String>,
}

/// How much of a database a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// What a plan changes.
    Affected,
    /// All of it.
    Full,
}

/// How a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Rows were read and written as text, a file a table.
    Rows,
    /// The database file was copied.
    Sqlite,
    /// With `pg_dump`.
    #[serde(rename = "pg_dump")]
    PgDump,
    /// With `mariadb-dump`.
    #[serde(rename = "mariadb-dump")]
    MariadbDump,
    /// With `mysqldump`.
    Mysqldump,
}

/// The database that a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its dialect, as in `postgres`.
    pub dialect: String,
    /// The product, as in `PostgreSQL`.
    pub product: String,
    /// The product's version.
    pub version: String,
    /// Its name, without secrets.
    pub name: String,
}

/// Whether a backup is encrypted, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// How.
    pub kind: EncryptionKind,
    /// Recipients of age, `age1…`, if it is encrypted for some.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// How a backup is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncryptionKind {
    /// Not at all.
    #[default]
    None,
    /// For recipients.
    Recipients,
    /// With a passphrase.
    Passphrase,
}

/// How members whose name has `.zst` are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// With zstd.
    #[default]
    Zstd,
}

/// A table that a backup holds, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its schema, where there is such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// How much of it was saved.
    pub part: Part,
    /// What was saved, in the order in which it is in a line.
    pub columns: Vec<Column>,
    /// Names of the columns that identify a row.
    #[serde(default)]
    pub key: Vec<String>,
    /// How many rows were saved.
    pub rows: u64,
    /// A digest of the rows, as [`crate::RowsDigest`] writes it; empty if others wrote to the table while it was saved, so that
    /// nobody knows.
    pub digest: String,
    /// The member that holds the rows.
    pub member: String,
    /// SQL that makes the table as far as its rows need it, and the types they have.
    #[serde(default)]
    pub create: Vec<String>,
    /// SQL for when its rows are back: keys, indexes, defaults.
    #[serde(default)]
    pub complete: Vec<String>,
    /// SQL for when all tables are complete: foreign keys, triggers.
    #[serde(default)]
    pub connect: Vec<String>,
    /// SQL that sets the counters for values to come as they were.
    #[serde(default)]
    pub counters: Vec<String>,
}

/// How much of a table was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Whole rows: all of the table.
    Rows,
    /// Some columns of each row, among them the key.
    Columns,
}

/// A column of a saved table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the database calls it.
    #[serde(rename = "type")]
    pub kind: String,
    /// How its values are written.
    pub saved_as: SavedAs,
    /// Whether the database computes it.
    #[serde(default)]
    pub generated: bool,
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SavedAs {
    /// As the database writes them as text.
    Text,
    /// Their bytes in hexadecimal.
    Hex,
    /// As literals of SQL.
    Literal,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub file: String,
    /// Its length as it is stored, compressed and encrypted.
    pub bytes: u64,
    /// How many bytes went into it.
    pub plain_bytes: u64,
    /// The SHA-256 of what is stored.
    pub sha256: String,
}

impl Member {
    /// Whether it is compressed by us.
    pub fn is_compressed(&self) -> bool {
        self.file.strip_suffix(".age").unwrap_or(&self.file).ends_with(".zst")
    }

    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.file.ends_with(".age")
    }
}

impl Manifest {
    /// The member of a name.
    pub fn member(&self, file: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.file == file)
    }

    /// The text of the file.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads the file. Its format is looked at first: what a newer one says need not be readable.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, Damage> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let wrong =
            |error: serde_json::Error| Damage::Wrong { file: crate::MANIFEST_FILE.to_owned(), why: error.to_string() };
        match serde_json::from_slice(content).map_err(wrong)? {
            Format { format } if format > FORMAT => Err(Damage::Newer { format }),
            Format { format: 0 } => {
                Err(Damage::Wrong { file: crate::MANIFEST_FILE.to_owned(), why: "there is no format 0".to_owned() })
            }
            Format { .. } => serde_json::from_slice(content).map_err(wrong),
        }
    }
}
