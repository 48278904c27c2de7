//! `cargo xtask fuzz`

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use crate::cargo;
use crate::root;
use crate::run;

/// What reads foreign bytes.
const TARGETS: [&str; 3] = ["component", "configuration", "lint"];

/// Feed the component loader, the configuration, and splitter and linters with bytes that a fuzzer makes up
///
/// Installs `cargo-fuzz` below the target folder. What it finds is kept in `fuzz/artifacts/`, with the command that runs it
/// again; inputs that reach something new are kept in `fuzz/corpus/`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// `component`, `configuration` or `lint`; default: all
    target: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(unknown) = self.target.iter().find(|target| !TARGETS.contains(&target.as_str())) {
            bail!("there is no target `{unknown}`; known are {}", TARGETS.join(", "));
        }
        let root = root()?;
        let tools = root.join("target/tools/cargo-fuzz");
        if !tools.join("bin/cargo-fuzz").is_file() {
            run(cargo()?.args(["install", "cargo-fuzz", "--locked", "--version", "0.13.2", "--root"]).arg(&tools))?;
        }
        for target in TARGETS {
            if self.target.is_empty() || self.target.iter().any(|wanted| wanted == target) {
                seed(&root, target)?;
                let mut fuzz = cargo()?;
                // libFuzzer's instrumentation is not stable; the toolchain at hand can do it all the same.
                fuzz.env("RUSTC_BOOTSTRAP", "1").env("PATH", path_with(&tools.join("bin"))?);
                fuzz.args([
                    "fuzz",
                    "run",
                    "--sanitizer",
                    "none",
                    target,
                    "--",
                    &format!("-max_total_time={}", self.seconds),
                    "-timeout=30",
                ]);
                run(&mut fuzz)?;
            }
        }
        Ok(())
    }
}

fn path_with(first: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).context("the folder can't be put into PATH")
}

/// Starts from what is valid, so that the fuzzer need not find out what a component is.
fn seed(root: &Path, target: &str) -> Result<()> {
    let corpus = root.join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&corpus)?;
    if target == "configuration" {
        let documented = std::fs::read_to_string(root.join("docs/configuration.md"))?;
        for (number, block) in documented.split("```toml").skip(1).enumerate() {
            let text = block.split("```").next().unwrap_or_default();
            std::fs::write(corpus.join(format!("documented-{number}.toml")), text)?;
        }
        std::fs::copy(root.join("runner.toml"), corpus.join("demo.toml"))?;
        return Ok(());
    }
    if target == "lint" {
        return seed_sql(root, &corpus);
    }
    for (number, component) in built_in(&root.join("target"))?.iter().enumerate() {
        std::fs::copy(component, corpus.join(format!("built-in-{number}.wasm")))?;
    }
    Ok(())
}

/// SQL for each dialect, which the first byte of an input chooses.
fn seed_sql(root: &Path, corpus: &Path) -> Result<()> {
    for folder in ["migrations", "tests/fixtures/squawk"] {
        let Ok(files) = std::fs::read_dir(root.join(folder)) else { continue };
        for file in files {
            let path = file?.path();
            let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|end| end == "sql")) else {
                continue;
            };
            let text = std::fs::read(&path)?;
            for dialect in 0..3u8 {
                let input = [&[dialect], text.as_slice()].concat();
                std::fs::write(corpus.join(format!("{dialect}-{}", name.to_string_lossy())), input)?;
            }
        }
    }
    Ok(())
}

/// Components that a build has left.
fn built_in(target: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for profile in ["debug", "release"] {
        let Ok(builds) = std::fs::read_dir(target.join(profile).join("build")) else { continue };
        for build in builds {
            let build = build?;
            let is_ours = build.file_name().to_string_lossy().starts_with("runner-policy-");
            let Ok(files) = std::fs::read_dir(build.path().join("out")) else { continue };
            if !is_ours {
                continue;
            }
            for file in files {
                let path = file?.path();
                let is_component = path.extension().is_some_and(|extension| extension == "wasm");
                // The large ones hold tables of time zones, which a fuzzer can only waste its time on.
                if is_component && path.metadata()?.len() < 300_000 {
                    found.push(path);
                }
            }
        }
    }
    Ok(found)
}
