//! What the built-in sets cost: the first start, which compiles them, and every further one, each in a process of its own.

use std::process::Command;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use crate::cargo;
use crate::root;
use crate::run;

/// Warm starts for each cold one.
const WARM: usize = 20;

pub(super) fn bench(rounds: usize) -> Result<()> {
    // With the features that the binary has, so that nothing is compiled twice.
    let packages = ["--package", "runner", "--package", "runner-policy"];
    run(cargo()?.args(["build", "--release", "--locked"]).args(packages).args(["--example", "start"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().map(|root| root.join("target")), |folder| Ok(folder.into()))?;
    // As an installation has it, and not as the linker has just written it.
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("start");
    std::fs::copy(target.join("release/examples/start"), &program)?;
    println!("\nStarting the built-in sets (microseconds: median, least)");
    for set in ["default", "strict-prod"] {
        let (mut cold, mut warm, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds.max(1) {
            let cache = folder.path().join(format!("{set}-{round}"));
            let start = || start(Command::new(&program).arg(set).arg(&cache));
            cold.push(start()?.0);
            for _ in 0..WARM {
                let (loaded, review) = start()?;
                warm.push(loaded);
                asked.push(review);
            }
        }
        for (name, times) in
            [("first start, compiled", &mut cold), ("warm start", &mut warm), ("100 steps asked", &mut asked)]
        {
            times.sort_unstable();
            println!("  {set:12} {name:24} {:>9} {:>9}", times[times.len() / 2], times[0]);
        }
    }
    Ok(())
}

/// Microseconds of loading and of asking.
fn start(command: &mut Command) -> Result<(u64, u64)> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("the set can't be loaded: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next().context("a number is missing").and_then(|number| Ok(number?));
    Ok((next()?, next()?))
}
