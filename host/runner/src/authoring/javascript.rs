//! Projects in JavaScript: `componentize-js` through its Node API.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Built;
use super::tool::Tool;
use super::tool::failed;
use super::tool::workshop;
use super::world::World;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const NODE: Tool =
    Tool { name: "node", install: "https://nodejs.org, version 20 or newer; on Debian `apt-get install nodejs npm`" };
const COMPONENTIZE: Tool = Tool {
    name: "@bytecodealliance/componentize-js",
    install: "`npm install --save-dev @bytecodealliance/componentize-js` in the project's folder",
};

/// The exit code by which the script says that the package is not there.
const NO_PACKAGE: i32 = 87;

/// Run with Node in the project's folder, so that its `node_modules` are found. All features are turned off, so the component
/// imports nothing from WASI.
const SCRIPT: &str = r#"
import { writeFile } from "node:fs/promises";
const [sourcePath, witPath, worldName, out] = process.argv.slice(1);
const tool = "@bytecodealliance/componentize-js";
const { componentize } = await import(tool).catch((error) => {
  if (error.code === "ERR_MODULE_NOT_FOUND" && error.message.includes(tool)) process.exit(87);
  throw error;
});
const disableFeatures = ["stdio", "random", "clocks", "http", "fetch-event"];
try {
  const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
  await writeFile(out, component);
} catch (error) {
  console.error(error.message ?? String(error));
  process.exit(1);
}
"#;

#[derive(Deserialize)]
struct Manifest {
    main: Option<String>,
}

pub(super) fn build(folder: &Path) -> Result<Built> {
    let world = World::read(folder)?;
    let source = source(folder)?;
    let workshop = workshop()?;
    let out = workshop.path().join("policy.wasm");
    let mut node = Command::new("node");
    node.current_dir(folder).args(["--input-type=module", "--eval", SCRIPT, "--"]);
    node.arg(&source).arg(world.folder()).arg(&world.name).arg(&out);
    let status = NODE.run(&mut node)?;
    if status.code() == Some(NO_PACKAGE) {
        return Err(COMPONENTIZE.missing());
    }
    if !status.success() {
        return Err(COMPONENTIZE.failed(status));
    }
    let component = fs::read(&out).map_err(|error| failed("read", &out, &error))?;
    Ok(Built { name: world.plugin, component })
}

/// The file that the project begins with.
fn source(folder: &Path) -> Result<String> {
    let path = folder.join("package.json");
    let text = fs::read_to_string(&path).map_err(|error| failed("read", &path, &error))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| Error::new(ErrorKind::Build, format!("`{}` is not a manifest: {error}", path.display())))?;
    let main = manifest.main.unwrap_or_else(|| "policy.js".to_owned());
    if folder.join(&main).is_file() {
        return Ok(main);
    }
    Err(Error::new(ErrorKind::Build, format!("there is no file `{}`", folder.join(&main).display()))
        .help("`main` in `package.json` names the file that the policy begins with"))
}
