//! JSON lines in a file that only its user reads.

use std::io;
use std::io::Write as _;
use std::path::Path;

use crate::attempt::Attempt;
use crate::notice::Notice;

/// Appends a notice. Whatever time a disk takes, it takes on a thread of its own.
pub(crate) async fn deliver(path: &Path, notice: &Notice) -> Attempt {
    let path = path.to_path_buf();
    let notice = notice.clone();
    let written = tokio::task::spawn_blocking(move || append(&path, &notice)).await;
    match written {
        Ok(Ok(())) => Attempt::Delivered,
        Ok(Err(error)) => Attempt::again(format!("can't be written: {error}")),
        Err(error) => Attempt::again(format!("the thread that writes was cut off: {error}")),
    }
}

fn append(path: &Path, notice: &Notice) -> io::Result<()> {
    let mut line = serde_json::to_vec(notice)?;
    line.push(b'\n');
    // Looked at first: a pipe would wait for somebody who reads it.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    make_private(&mut options);
    let mut file = options.open(path)?;
    // One write, so that two runners do not mix their lines.
    file.write_all(&line)?;
    file.sync_data()
}

/// A new file is for the user alone.
pub(crate) fn make_private(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}
