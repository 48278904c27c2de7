//! What a guest sees that brings WASI along: granted variables and folders, a clock that stands still, and randomness that
//! follows from the plan.

use std::time::Duration;

use wasmtime_wasi::HostMonotonicClock;
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi::WasiCtx;

use super::Circumstances;
use super::files::no_folder;
use super::log::Stderr;
use crate::Refusal;
use crate::data::Timestamp;

struct Frozen(Timestamp);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::new(u64::try_from(self.0.seconds).unwrap_or(0), self.0.nanoseconds.min(999_999_999))
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

pub(super) fn wasi(circumstances: &Circumstances<'_>, stderr: &Stderr) -> Result<WasiCtx, Refusal> {
    let mut wasi = WasiCtx::builder();
    let seed = if circumstances.seed.is_empty() { "0" } else { circumstances.seed };
    let random = || wasmtime_wasi::random::Deterministic::new(seed.as_bytes().to_vec());
    wasi.stderr(stderr.clone())
        .secure_random(random())
        .insecure_random(random())
        .insecure_random_seed(0)
        .wall_clock(Frozen(circumstances.now))
        .monotonic_clock(Frozen(circumstances.now))
        .allow_ip_name_lookup(false);
    for variable in circumstances.variables {
        wasi.env(&variable.name, &variable.value);
    }
    for folder in &circumstances.grants.read {
        wasi.preopened_dir(&folder.path, &folder.name, wasmtime_wasi::FsPerms::ReadOnly)
            .map_err(|error| no_folder(&folder.name, &format!("{error:#}"), circumstances.plugin))?;
    }
    Ok(wasi.build())
}
