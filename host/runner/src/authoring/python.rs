//! Projects in Python: `componentize-py`.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use super::Built;
use super::tool::Tool;
use super::tool::failed;
use super::tool::program;
use super::tool::workshop;
use super::world::World;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    install: "`python3 -m venv .venv && .venv/bin/pip install componentize-py` in the project's folder",
};

/// The module that a project begins with.
const MODULE: &str = "policy";

pub(super) fn build(folder: &Path) -> Result<Built> {
    let world = World::read(folder)?;
    let source = folder.join(MODULE).with_extension("py");
    if !source.is_file() {
        return Err(Error::new(ErrorKind::Build, format!("there is no file `{}`", source.display()))
            .help("a policy in Python begins with the module `policy`"));
    }
    let folder = folder.canonicalize().map_err(|error| failed("open", folder, &error))?;
    let workshop = workshop()?;
    let out = workshop.path().join("policy.wasm");
    let mut tool = Command::new(program(COMPONENTIZE.name, &environments(&folder)));
    tool.current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1").arg("--wit-path").arg(world.folder());
    tool.args(["--world", &world.name, "--quiet", "componentize", "--stub-wasi", MODULE, "--output"]).arg(&out);
    let status = COMPONENTIZE.run(&mut tool)?;
    if !status.success() {
        return Err(COMPONENTIZE.failed(status));
    }
    let component = fs::read(&out).map_err(|error| failed("read", &out, &error))?;
    Ok(Built { name: world.plugin, component })
}

/// The virtual environment of the project, and the one that is active.
fn environments(folder: &Path) -> Vec<PathBuf> {
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    let active = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    std::iter::once(folder.join(".venv")).chain(active).map(|environment| environment.join(programs)).collect()
}
