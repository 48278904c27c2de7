//! The world of a project that is not in Rust: what `wit/` says.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use tempfile::TempDir;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::wit_parser::WorldId;

use super::contract;
use super::tool::failed;
use super::tool::workshop;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A world, and all that it refers to.
pub(super) struct World {
    /// Name of the project's package.
    pub(super) plugin: String,
    /// Name of the world.
    pub(super) name: String,
    pub(super) resolve: Resolve,
    pub(super) id: WorldId,
    folder: TempDir,
}

impl World {
    /// Reads the only world of a project. Where the project has no copy of the contract, that of this runner is used.
    pub(super) fn read(project: &Path) -> Result<Self> {
        let written = project.join("wit");
        if !written.is_dir() {
            return Err(Error::new(ErrorKind::Build, format!("there is no folder `{}`", written.display()))
                .help("its `world.wit` says what the component exports; `runner plugin new` writes one"));
        }
        let folder = workshop()?;
        let copy = folder.path().join("wit");
        let mut has_contract = false;
        copy_wit(&written, &copy, &mut has_contract)?;
        if !has_contract {
            let contract = copy.join("deps").join("runner-policy");
            fs::create_dir_all(&contract).map_err(|error| failed("create", &contract, &error))?;
            for file in contract::WIT {
                let path = contract.join(file.path);
                fs::write(&path, file.text).map_err(|error| failed("write", &path, &error))?;
            }
        }
        let mut resolve = Resolve::default();
        let wrong = |why: String| {
            let shown = why.replace(&copy.display().to_string(), &written.display().to_string());
            Error::new(ErrorKind::Build, format!("`{}` can't be understood: {shown}", written.display()))
        };
        let (package, _) = resolve.push_dir(&copy).map_err(|error| wrong(format!("{error:#}")))?;
        let package = &resolve.packages[package];
        let (plugin, worlds) = (package.name.name.clone(), package.worlds.clone());
        let mut worlds = worlds.into_iter();
        match (worlds.next(), worlds.next()) {
            (Some((name, id)), None) => Ok(World { plugin, name, resolve, id, folder }),
            (None, _) => Err(wrong("it holds no world".to_owned())),
            (Some((first, _)), Some((second, _))) => {
                Err(wrong(format!("it holds several worlds, `{first}` and `{second}`"))
                    .help("keep the one that is built"))
            }
        }
    }

    /// The folder with the world and everything that it refers to.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().join("wit")
    }
}

fn copy_wit(from: &Path, to: &Path, has_contract: &mut bool) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| failed("create", to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| failed("read", from, &error))? {
        let path = entry.map_err(|error| failed("read", from, &error))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy_wit(&path, &target, has_contract)?;
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            let text = fs::read_to_string(&path).map_err(|error| failed("read", &path, &error))?;
            *has_contract |= text.lines().any(|line| line.trim_start().starts_with("package runner:policy"));
            fs::write(&target, text).map_err(|error| failed("write", &target, &error))?;
        }
    }
    Ok(())
}
