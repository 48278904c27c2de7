//! Rounds in turn, medians.

use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use super::silent;

/// One of the commands that are compared.
pub(super) struct Contestant<'a> {
    pub(super) name: &'a str,
    /// Done before each round, not timed.
    pub(super) before: &'a dyn Fn() -> Result<()>,
    pub(super) command: &'a dyn Fn() -> Command,
}

/// Runs a command that must end well. Gives the seconds it took.
pub(super) fn once(command: &mut Command) -> Result<f64> {
    let shown = crate::shown(command);
    let started = Instant::now();
    let status = silent(command).status().with_context(|| format!("`{shown}` can't be started"))?;
    let took = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(took)
}

/// Times all contestants round by round, prints them, and gives their medians in seconds.
pub(super) fn compare(rounds: usize, contestants: &[Contestant<'_>]) -> Result<Vec<f64>> {
    let mut times = vec![Vec::new(); contestants.len()];
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            (contestant.before)()?;
            let took = once(&mut (contestant.command)())?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    let mut medians = Vec::new();
    for (contestant, times) in contestants.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let (least, median) =
            (times.first().copied().unwrap_or(0.0), times.get(times.len() / 2).copied().unwrap_or(0.0));
        println!("  {:32} {:9.2} ms (least {:.2} ms)", contestant.name, median * 1000.0, least * 1000.0);
        medians.push(median);
    }
    Ok(medians)
}

/// Runs a command that must end well. Gives the most memory that it had, in MiB, or `None` where the system does not tell.
pub(super) fn peak_memory(command: &mut Command) -> Result<Option<f64>> {
    let shown = crate::shown(command);
    let mut child = silent(command).spawn().with_context(|| format!("`{shown}` can't be started"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        // The high-water mark, in KiB. It is gone when the process ends.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = mark.and_then(|mark| mark.parse::<f64>().ok()).map(|kilobytes| kilobytes / 1024.0).or(peak);
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                bail!("`{shown}` failed: {status}");
            }
            return Ok(peak);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
