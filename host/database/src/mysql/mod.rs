//! MySQL and MariaDB.

use crate::backend::Backend;
use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::session::Access;
use crate::url::DatabaseUrl;

/// Connects to the server.
pub(crate) async fn open(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Box<dyn Backend>> {
    let _ = (url.server(), options, access);
    Err(Error::Unsupported { dialect: url.dialect() })
}
