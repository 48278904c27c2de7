//! What a policy sees of the world during one call, and what ends the call.

use std::time::Duration;
use std::time::Instant;

use wasmtime::Engine;
use wasmtime::ResourceLimiter;
use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::HostMonotonicClock;
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::WasiCtxView;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::Grants;
use crate::Limits;
use crate::Refusal;
use crate::bindings::runner::policy::log;
use crate::data::Timestamp;
use crate::data::Variable;
use crate::limits::STACK;
use crate::meter::Call as Metered;
use crate::meter::Meter;
use crate::verdict::printable;

/// Memories, tables and instances that one component may have; Python's interpreter needs about a dozen.
const PARTS: usize = 100;
/// How much fuel is burnt between two looks at the clock.
const BREATH: u64 = 1_000_000;
/// What a table element costs of the memory limit.
const TABLE_ELEMENT: usize = 16;

/// The circumstances of a call that the sandbox makes visible.
pub(crate) struct Circumstances<'a> {
    pub(crate) plugin: &'a str,
    /// Interface and function that is called, as in `gate.review`.
    pub(crate) function: &'static str,
    /// Hears what the call has used.
    pub(crate) meter: Option<&'a Meter>,
    pub(crate) limits: &'a Limits,
    pub(crate) grants: &'a Grants,
    pub(crate) variables: &'a [Variable],
    pub(crate) now: Timestamp,
    /// Seed of everything that a guest takes for random.
    pub(crate) seed: &'a str,
    /// Whether the component imports WASI at all.
    pub(crate) wasi: bool,
}

/// The state of one instance.
pub(crate) struct Guest {
    plugin: String,
    budget: Budget,
    instantiation: Duration,
    log_left: u64,
    log_dropped: u64,
    /// Made for plugins that import it.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

impl Guest {
    /// Says how long it took to make the instance.
    pub(crate) fn instantiated(&mut self, took: Duration) {
        self.instantiation = took;
    }
}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        // The end of the line counts as well.
        let length = message.len() as u64 + 1;
        if length > self.log_left {
            self.log_dropped += 1;
            return Ok(());
        }
        self.log_left -= length;
        let (plugin, message) = (self.plugin.as_str(), printable(&message));
        match level {
            log::Level::Debug => tracing::debug!(plugin, "{message}"),
            log::Level::Info => tracing::info!(plugin, "{message}"),
            log::Level::Warning => tracing::warn!(plugin, "{message}"),
        }
        Ok(())
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi.get_or_insert_with(|| WasiCtx::builder().build()), table: &mut self.table }
    }
}

/// Counts all memories and tables of an instance together.
struct Budget {
    limit: u64,
    used: u64,
    exceeded: Option<u64>,
}

impl Budget {
    fn take(&mut self, current: usize, desired: usize, size: usize) -> wasmtime::Result<bool> {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(size as u64);
        let wanted = self.used.saturating_add(more);
        if wanted > self.limit {
            self.exceeded = Some(wanted);
            // An error ends the call; a mere refusal would be the guest's to interpret.
            return Err(wasmtime::Error::msg("memory limit"));
        }
        self.used = wanted;
        Ok(true)
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired, TABLE_ELEMENT)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

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

fn wasi(circumstances: &Circumstances<'_>, stderr: &MemoryOutputPipe) -> Result<WasiCtx, Refusal> {
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
        wasi.preopened_dir(&folder.path, &folder.name, wasmtime_wasi::FsPerms::ReadOnly).map_err(|error| {
            Refusal::Grant {
                what: format!("can't be given the folder `{}`: {error:#}", folder.name),
                help: format!("check `grants.read` in `[plugins.{}]`", circumstances.plugin),
            }
        })?;
    }
    Ok(wasi.build())
}

/// Runs one call in a store of its own, within the limits.
pub(crate) async fn call<T, Call>(engine: &Engine, circumstances: &Circumstances<'_>, call: Call) -> Result<T, Refusal>
where
    Call: AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
{
    let limits = circumstances.limits;
    let broken = |error: wasmtime::Error| Refusal::Sandbox { reason: format!("{error:#}") };
    let stderr = MemoryOutputPipe::new(usize::try_from(limits.log).unwrap_or(usize::MAX));
    let guest = Guest {
        plugin: circumstances.plugin.to_owned(),
        budget: Budget { limit: limits.memory, used: 0, exceeded: None },
        instantiation: Duration::ZERO,
        log_left: limits.log,
        log_dropped: 0,
        wasi: circumstances.wasi.then(|| wasi(circumstances, &stderr)).transpose()?,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.budget);
    store.set_fuel(limits.fuel).map_err(broken)?;
    store.fuel_async_yield_interval(Some(BREATH)).map_err(broken)?;
    store.set_hostcall_fuel(usize::try_from(limits.answer).unwrap_or(usize::MAX));

    let began = Instant::now();
    // A guest that never waits still comes back to this timer whenever it has burnt `BREATH`.
    let answer = tokio::time::timeout(limits.time, call(&mut store)).await.ok();
    if let Some(meter) = circumstances.meter {
        let guest = store.data();
        meter.note(Metered {
            function: circumstances.function,
            fuel: limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0)),
            memory: guest.budget.used,
            time: began.elapsed(),
            instantiation: guest.instantiation,
        });
    }
    report_log(store.data(), &stderr);
    match answer {
        None => Err(Refusal::Time { limit: limits.time }),
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(explain(&error, store.data(), limits)),
    }
}

fn report_log(guest: &Guest, stderr: &MemoryOutputPipe) {
    let plugin = guest.plugin.as_str();
    for line in String::from_utf8_lossy(&stderr.contents()).lines() {
        tracing::info!(plugin, "{}", printable(line));
    }
    if guest.log_dropped > 0 {
        tracing::warn!(plugin, "{} log lines beyond the limit were dropped", guest.log_dropped);
    }
}

fn explain(error: &wasmtime::Error, guest: &Guest, limits: &Limits) -> Refusal {
    if let Some(wanted) = guest.budget.exceeded {
        return Refusal::Memory { wanted, limit: limits.memory };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Refusal::Fuel { limit: limits.fuel },
        Some(Trap::StackOverflow) => return Refusal::Stack { limit: STACK as u64 },
        _ => {}
    }
    // The backtrace is for the plugin's authors.
    tracing::debug!(plugin = guest.plugin.as_str(), "{error:?}");
    let reason = error.root_cause().to_string();
    if reason.contains("fuel allocated for hostcalls has been exhausted") {
        return Refusal::AnswerSize { limit: limits.answer };
    }
    Refusal::Trap { reason: printable(&reason) }
}
