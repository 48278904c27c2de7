//! Projects in C: clang and wasi-libc compile a core module with bindings that are made here.
//!
//! The bindings come from the crate that is behind `wit-bindgen c`, so that clang is the only tool that has to be there, and the
//! bindings are always of the version that the encoding below understands.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use wit_bindgen_core::Files;

use super::Built;
use super::language::sources;
use super::tool::Tool;
use super::tool::failed;
use super::tool::program;
use super::tool::workshop;
use super::world::World;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const CLANG: Tool = Tool {
    name: "clang",
    install: "on Debian `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`; elsewhere unpack wasi-sdk and set WASI_SDK_PATH",
};

/// What wasi-libc asks of a system, answered inside of the component. Otherwise a `snprintf` would import half of WASI.
const SYSTEM: &str = include_str!("../../templates/c/system.c");

/// Imports of wasi-libc.
const WASI: &str = "wasi_snapshot_preview1";

pub(super) fn build(folder: &Path) -> Result<Built> {
    let world = World::read(folder)?;
    let folder = folder.canonicalize().map_err(|error| failed("open", folder, &error))?;
    let workshop = workshop()?;
    let plugin = world.plugin.clone();
    let mut inputs = bindings(world, workshop.path())?;
    let system = workshop.path().join("system.c");
    fs::write(&system, SYSTEM).map_err(|error| failed("write", &system, &error))?;
    inputs.push(system);
    inputs.extend(sources(&folder, "c"));
    let module = workshop.path().join("policy.wasm");
    compile(&folder, workshop.path(), &inputs, &module)?;
    let bytes = fs::read(&module).map_err(|error| failed("read", &module, &error))?;
    let component = runner_component::encode(&bytes).map_err(|error| {
        let broken = Error::new(ErrorKind::Build, format!("`{plugin}` can't be encoded as a component: {error}"));
        if error.to_string().contains(WASI) {
            broken.help(
                "a policy has no clock, no randomness and no files: the time is `context->now`, the rest comes as data",
            )
        } else {
            broken
        }
    })?;
    Ok(Built { name: plugin, component })
}

/// Writes the bindings, and gives those that are compiled and linked.
fn bindings(mut world: World, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator
        .generate(&mut world.resolve, world.id, &mut files)
        .map_err(|error| Error::new(ErrorKind::Build, format!("there are no bindings for this world: {error:#}")))?;
    let mut inputs = Vec::new();
    for (name, content) in files.iter() {
        let path = folder.join(name);
        fs::write(&path, content).map_err(|error| failed("write", &path, &error))?;
        if path.extension().is_some_and(|extension| extension == "c" || extension == "o") {
            inputs.push(path);
        }
    }
    Ok(inputs)
}

fn compile(folder: &Path, bindings: &Path, inputs: &[PathBuf], module: &Path) -> Result<()> {
    let sdk = env::var_os("WASI_SDK_PATH").map(|path| PathBuf::from(path).join("bin"));
    let mut clang = Command::new(program(CLANG.name, &sdk.into_iter().collect::<Vec<_>>()));
    // A library: it has no `main`, and is started once for each call.
    clang.current_dir(folder).args([
        "--target=wasm32-wasi",
        "-mexec-model=reactor",
        "-std=gnu17",
        "-Os",
        "-Wall",
        "-Wextra",
    ]);
    clang.arg("-I").arg(bindings).arg("-I").arg(folder);
    clang.args(["-Wl,--strip-debug", "-o"]).arg(module).args(inputs);
    // Paths of this machine stay out of the component.
    for (from, to) in [(folder, "."), (bindings, "bindings")] {
        clang.arg(format!("-ffile-prefix-map={}={to}", from.display()));
    }
    let status = CLANG.run(&mut clang)?;
    if status.success() {
        return Ok(());
    }
    Err(CLANG.failed(status).help(format!("if a header or a library of the system is missing: {}", CLANG.install)))
}
