//! Where backups are kept, and how: `[backup]`.

use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;

use super::Fill;
use super::Secret;
use super::template::Template;
use crate::error::Result;

/// The folder of backups unless another one is named.
const FOLDER: &str = "backups";

/// What `[backup]` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Backup {
    dir: Option<Template>,
    recipients: Vec<Template>,
    passphrase: Option<Template>,
    identity: Option<Template>,
    clients: Option<Template>,
    keep_last: Option<usize>,
    keep_days: Option<u32>,
}

/// How backups are kept.
#[derive(Clone, Debug)]
pub(crate) struct BackupSettings {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Who can read them, as in `age1…`; nobody but them, if there are any.
    pub(crate) recipients: Vec<String>,
    /// What they are encrypted with.
    pub(crate) passphrase: Option<Secret>,
    /// The file with the identities that can read them.
    pub(crate) identity: Option<PathBuf>,
    /// The folder of the programs of a server's own client, in the place of `PATH`.
    pub(crate) clients: Option<PathBuf>,
    /// So many of the newest are kept.
    pub(crate) keep_last: Option<usize>,
    /// Those of so many days are kept.
    pub(crate) keep_days: Option<u32>,
}

impl BackupSettings {
    pub(super) fn new(file: &Backup, root: &Path, fill: &Fill<'_>) -> Result<Self> {
        let texts = file.recipients.iter().map(|template| fill.fill(template, "backup.recipients"));
        let recipients: Vec<String> = texts.collect::<Result<_>>()?;
        let passphrase =
            file.passphrase.as_ref().map(|template| fill.fill(template, "backup.passphrase")).transpose()?;
        if passphrase.as_ref().is_some_and(String::is_empty) {
            return Err(fill
                .wrong("backup.passphrase", "it is empty, so the backups would be readable for everybody")
                .help("set the variable that it names, or leave the key out"));
        }
        if passphrase.is_some() && !recipients.is_empty() {
            return Err(fill.wrong("backup", "`recipients` and `passphrase` exclude each other"));
        }
        let identity = file.identity.as_ref().map(|template| fill.fill(template, "backup.identity")).transpose()?;
        let clients = file.clients.as_ref().map(|template| fill.fill(template, "backup.clients")).transpose()?;
        Ok(Self {
            folder: root.join(fill.or_default(file.dir.as_ref(), "backup.dir", FOLDER)?),
            recipients,
            passphrase: passphrase.map(Secret::new),
            identity: identity.filter(|path| !path.is_empty()).map(|path| root.join(path)),
            clients: clients.filter(|path| !path.is_empty()).map(|path| root.join(path)),
            keep_last: file.keep_last,
            keep_days: file.keep_days,
        })
    }
}
