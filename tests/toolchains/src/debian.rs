//! Packages of Debian and its relatives.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// Installs packages. That is done for root on Debian, as in a container or on a build machine.
pub(crate) fn install(packages: &[&str]) -> Result<(), Error> {
    if !is_root() || !Path::new("/etc/debian_version").exists() {
        return Err(Error::Install {
            command: format!("apt-get install {}", packages.join(" ")),
            reason: "this is not Debian, or not its root user; install them yourself".to_owned(),
        });
    }
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
