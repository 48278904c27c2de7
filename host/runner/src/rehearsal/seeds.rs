//! Rows for a rehearsal: a folder with a file a revision, `<id>.sql`.

use std::path::Path;
use std::path::PathBuf;

use runner_chain::Chain;
use runner_chain::Dialect;
use runner_chain::RevisionId;
use runner_chain::sql;
use runner_database::ScriptStatement;

use crate::bounded;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A folder of seeds.
pub(crate) struct Seeds {
    folder: PathBuf,
}

/// The rows that belong to a revision.
pub(super) struct Seed {
    pub(super) file: String,
    pub(super) statements: Vec<ScriptStatement>,
}

impl Seeds {
    /// Opens a folder, every file of which must belong to a revision: a misspelt name would seed nothing.
    ///
    /// # Errors
    /// It can't be read, or a file belongs to no revision.
    pub(crate) fn open(folder: &Path, chain: &Chain) -> Result<Self> {
        let unreadable =
            |error: std::io::Error| Error::new(ErrorKind::Io, format!("cannot read `{}`: {error}", folder.display()));
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy();
            let Some(id) = name.strip_suffix(".sql") else { continue };
            if chain.get(id).is_none() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("`{}` belongs to no revision: there is none called `{id}`", folder.join(&*name).display()),
                )
                .help("a file of seeds is called like the id of the revision after which its rows can be added"));
            }
        }
        Ok(Seeds { folder: folder.to_owned() })
    }

    /// The rows that can be added once this revision is applied.
    pub(super) fn of(&self, id: &RevisionId, dialect: Dialect) -> Result<Option<Seed>> {
        let path = self.folder.join(format!("{id}.sql"));
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Seed { statements: statements(&path, dialect)?, file: path.display().to_string() }))
    }
}

/// The statements of a file that is no revision.
///
/// # Errors
/// It can't be read, or holds what is no SQL.
pub(crate) fn statements(path: &Path, dialect: Dialect) -> Result<Vec<ScriptStatement>> {
    let text = bounded::text(bounded::file(path))
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot read `{}`: {error}", path.display())))?;
    let statements = sql::split(&text, dialect, 1).map_err(|error| {
        let (line, column) = error.place();
        let place = format!("{}:{line}:{column}", path.display());
        Error::new(ErrorKind::Usage, format!("{place}: {error}")).maybe_help(error.help())
    })?;
    Ok(statements.iter().map(|statement| ScriptStatement::new(statement.text, dialect)).collect())
}
