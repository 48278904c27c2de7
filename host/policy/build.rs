//! Compiles the built-in policies from source and encodes them as components, so that no compiled component is kept in the
//! repository.
//!
//! The compilation is a cargo run of its own: offline and locked (everything it needs is in the workspace's lock file and
//! was fetched for this very build, because `runner-policy-sdk` is a build dependency), in a target folder of its own (so
//! that it never waits for a lock that the outer run holds), and without the outer run's flags, profiles and wrappers.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use sha2::Digest;
use sha2::Sha256;

const TARGET: &str = "wasm32-unknown-unknown";
const POLICIES: [&str; 3] = ["change-window", "environment-hierarchy", "production-override"];

fn main() {
    if let Err(error) = build() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest.parent().and_then(Path::parent).ok_or("the workspace is two folders up")?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    for watched in ["wit", "plugins/sdk", "Cargo.toml", "Cargo.lock"].into_iter().map(PathBuf::from) {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    for policy in POLICIES {
        println!("cargo::rerun-if-changed={}", root.join("plugins").join(policy).display());
    }

    ensure_target()?;
    let modules = compile(root, &target_folder(&out))?;
    let mut table = String::from("&[\n");
    for policy in POLICIES {
        let module = fs::read(modules.join(policy.replace('-', "_")).with_extension("wasm"))?;
        let component = wit_component::ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(wit_component::ComponentEncoder::encode)
            .map_err(|error| format!("`{policy}` can't be encoded as a component: {error:#}"))?;
        let file = out.join(policy).with_extension("wasm");
        fs::write(&file, &component)?;
        let digest: [u8; 32] = Sha256::digest(&component).into();
        let roles = roles(&component).map_err(|error| format!("`{policy}` is not a policy: {error:#}"))?;
        writeln!(
            table,
            "Embedded {{ name: {policy:?}, digest: {digest:?}, roles: &{roles:?}, bytes: include_bytes!({file:?}) }},"
        )?;
    }
    table.push(']');
    fs::write(out.join("builtin.rs"), table)?;
    Ok(())
}

/// The roles that a component exports, as names of interfaces of the package `runner:policy`.
fn roles(component: &[u8]) -> Result<Vec<String>, Box<dyn Error>> {
    let decoded = wit_component::decode(component)?;
    let resolve = decoded.resolve();
    let mut roles = Vec::new();
    for (_, world) in &resolve.worlds {
        for key in world.exports.keys() {
            let name = resolve.name_world_key(key);
            let interface = name.strip_prefix("runner:policy/").and_then(|rest| rest.split('@').next());
            roles.extend(interface.filter(|role| *role != "plugin").map(str::to_owned));
        }
    }
    if roles.is_empty() { Err("it exports no role".into()) } else { Ok(roles) }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo has not set `{name}`"))
}

/// The components are the same for every profile of the host, so they are built once, beside the profiles' folders.
fn target_folder(out: &Path) -> PathBuf {
    let target = out.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| out.join("policies"), |target| target.join("policies"))
}

/// Makes sure that the toolchain can compile for WebAssembly.
fn ensure_target() -> Result<(), Box<dyn Error>> {
    if has_target()? {
        return Ok(());
    }
    let command = format!("rustup target add {TARGET}");
    let missing = |why: String| format!("the Rust target `{TARGET}` is missing{why}\nadd it with: {command}");
    if env::var("CARGO_NET_OFFLINE").is_ok_and(|value| value == "true") {
        return Err(missing(" and cargo is offline".to_owned()).into());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).output();
    match added {
        Ok(output) if output.status.success() && has_target()? => Ok(()),
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr);
            Err(missing(format!(" and could not be added: {}", reason.trim())).into())
        }
        Err(_) => Err(missing(" and there is no rustup to add it".to_owned()).into()),
    }
}

fn has_target() -> Result<bool, Box<dyn Error>> {
    let output = Command::new(variable("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && folder.is_dir())
}

/// Compiles the core modules and gives the folder that holds them.
fn compile(root: &Path, target_folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(variable("CARGO")?);
    forget_outer_build(&mut cargo);
    cargo
        .current_dir(root)
        .args(["build", "--profile", "policy", "--offline", "--locked", "--target", TARGET, "--target-dir"])
        .arg(target_folder)
        // Replaces flags from every configuration file. Paths of this machine stay out of the component, so that its digest
        // is the same everywhere.
        .env("CARGO_ENCODED_RUSTFLAGS", remapped(root).join("\u{1f}"));
    for policy in POLICIES {
        cargo.args(["--package", policy]);
    }
    let output = cargo.output()?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the built-in policies do not compile\n{}", reason.trim()).into());
    }
    Ok(target_folder.join(TARGET).join("policy"))
}

fn remapped(root: &Path) -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=.", root.display())];
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags
}

/// Takes away what the outer cargo, rustc, clippy or a coverage tool has put into the environment. What says where
/// packages come from and how many jobs may run stays.
fn forget_outer_build(cargo: &mut Command) {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_SOURCE_"];
    const TAKEN: [&str; 18] = [
        "CLIPPY_ARGS",
        "DEBUG",
        "HOST",
        "LLVM_PROFILE_FILE",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "TARGET",
        "__CARGO_DEFAULT_LIB_METADATA",
    ];
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let of_cargo = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept));
        if of_cargo || TAKEN.contains(&name) || name.starts_with("DEP_") {
            cargo.env_remove(name);
        }
    }
}
