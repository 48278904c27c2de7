//! Where the programs of a server are.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::kind::Kind;

/// The programs of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Programs {
    Postgres {
        postgres: PathBuf,
        initdb: PathBuf,
    },
    Mariadb {
        mariadbd: PathBuf,
        install_db: PathBuf,
    },
    /// It makes its data folder itself.
    Mysql {
        mysqld: PathBuf,
    },
}

/// Where to look.
#[derive(Debug)]
pub(crate) struct Places {
    /// The folders of `PATH`, then those for administration, which ordinary users have not in theirs.
    folders: Vec<PathBuf>,
    /// Debian keeps each version of PostgreSQL in a folder in this one.
    postgresql: PathBuf,
}

impl Places {
    /// Those of this machine.
    pub(crate) fn here() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
        Places { folders: folders.collect(), postgresql: "/usr/lib/postgresql".into() }
    }

    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file())
    }

    /// Folders with a PostgreSQL, those in `PATH` first, then the newest.
    fn postgresql(&self) -> Vec<PathBuf> {
        // A link in `PATH` may lead to one program of many.
        let linked = self.folders.iter().filter_map(|folder| folder.join("postgres").canonicalize().ok());
        let linked = linked.filter_map(|program| program.parent().map(Path::to_owned));
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(&self.postgresql)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort();
        linked.chain(versions.into_iter().rev().map(|(_, folder)| folder)).collect()
    }
}

impl Programs {
    pub(crate) fn find(kind: Kind, places: &Places) -> Option<Self> {
        match kind {
            Kind::Postgres => places.postgresql().into_iter().find_map(|folder| {
                let (postgres, initdb) = (folder.join("postgres"), folder.join("initdb"));
                (postgres.is_file() && initdb.is_file()).then_some(Programs::Postgres { postgres, initdb })
            }),
            Kind::Mysql => ["mariadbd", "mysqld"].into_iter().filter_map(|name| places.file(name)).find_map(|server| {
                if !is_mariadb(&server) {
                    return Some(Programs::Mysql { mysqld: server });
                }
                let install_db = ["mariadb-install-db", "mysql_install_db"].into_iter();
                let install_db = install_db.filter_map(|name| places.file(name)).next()?;
                Some(Programs::Mariadb { mariadbd: server, install_db })
            }),
        }
    }
}

/// MariaDB answers to the name `mysqld` as well.
fn is_mariadb(server: &Path) -> bool {
    let output = Command::new(server).args(["--no-defaults", "--version"]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("MariaDB"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn program(file: &Path, says: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        // Written by another process: one forked by a test at the same time would hold it open, and it could not be run.
        let write = r##"printf '#!/bin/sh\necho "%s"\n' "$2" > "$1" && chmod 755 "$1""##;
        let status = Command::new("sh").args(["-c", write, "sh"]).arg(file).arg(says).status().unwrap();
        assert!(status.success());
    }

    fn places(root: &Path) -> Places {
        Places { folders: vec![root.join("bin"), root.join("sbin")], postgresql: root.join("postgresql") }
    }

    fn postgres(folder: &Path) -> Option<Programs> {
        Some(Programs::Postgres { postgres: folder.join("postgres"), initdb: folder.join("initdb") })
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let root = tempfile::tempdir().unwrap();
        for kind in Kind::ALL {
            assert_eq!(Programs::find(kind, &places(root.path())), None);
        }
    }

    #[test]
    fn the_newest_postgresql_is_taken_by_number() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9", "15", "16"] {
            program(&root.path().join("postgresql").join(version).join("bin/postgres"), "");
        }
        for version in ["9", "15"] {
            program(&root.path().join("postgresql").join(version).join("bin/initdb"), "");
        }
        // Of 16 only a part is there.
        assert_eq!(
            Programs::find(Kind::Postgres, &places(root.path())),
            postgres(&root.path().join("postgresql/15/bin"))
        );
    }

    #[test]
    fn a_postgresql_in_the_path_goes_first_and_links_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for name in ["postgres", "initdb"] {
            program(&root.join("postgresql/16/bin").join(name), "");
            program(&root.join("own").join(name), "");
        }
        fs::create_dir(root.join("bin")).unwrap();
        symlink(root.join("own/postgres"), root.join("bin/postgres")).unwrap();
        assert_eq!(Programs::find(Kind::Postgres, &places(&root)), postgres(&root.join("own")));
    }

    #[test]
    fn mariadb_is_known_by_what_it_says() {
        let root = tempfile::tempdir().unwrap();
        let mysqld = root.path().join("sbin/mysqld");
        program(&mysqld, "mysqld  Ver 10.11.14-MariaDB for debian-linux-gnu");
        assert_eq!(Programs::find(Kind::Mysql, &places(root.path())), None, "without its installer it is of no use");
        let install_db = root.path().join("bin/mariadb-install-db");
        program(&install_db, "");
        assert_eq!(
            Programs::find(Kind::Mysql, &places(root.path())),
            Some(Programs::Mariadb { mariadbd: mysqld.clone(), install_db })
        );
        program(&mysqld, "mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server)");
        assert_eq!(Programs::find(Kind::Mysql, &places(root.path())), Some(Programs::Mysql { mysqld }));
    }
}
