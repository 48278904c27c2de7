//! What a policy sees of the world during one call, and what ends the call.

mod budget;
mod clock;
mod facts;
mod files;
mod log;
mod world;

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use wasmtime::CallHook;
use wasmtime::Engine;
use wasmtime::Store;
use wasmtime::StoreContextMut;
use wasmtime::Trap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::WasiCtxView;
use wasmtime_wasi::WasiView;

use self::budget::Budget;
use self::clock::Clock;
use self::files::Folder;
use self::log::LogBudget;
use self::log::Stderr;
use crate::FactsSource;
use crate::Grants;
use crate::Limits;
use crate::Refusal;
use crate::component::Wants;
use crate::data::Timestamp;
use crate::data::Variable;
use crate::meter::Call as Metered;
use crate::meter::Meter;
use crate::verdict::printable;

/// How much fuel is burnt between two looks at the clock.
const BREATH: u64 = 1_000_000;

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
    /// Facts about the target; for plugins without the grant there is no way to ask.
    pub(crate) facts: &'a FactsSource,
    pub(crate) now: Timestamp,
    /// Seed of everything that a guest takes for random.
    pub(crate) seed: &'a str,
    /// What the component imports.
    pub(crate) wants: &'a Wants,
}

/// Which facts about the target a guest has asked for. Ordered: the last one says the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FactsUse {
    None,
    Relations,
    Ledger,
}

/// The state of one instance.
pub(crate) struct Guest {
    plugin: String,
    limits: Limits,
    budget: Budget,
    instantiation: Duration,
    clock: Arc<Clock>,
    /// Calls of the host so far.
    calls: u64,
    /// Of these, the calls after which the limits were looked at.
    calls_seen: u64,
    log: LogBudget,
    /// Opened for plugins that import `files`.
    folders: Vec<Folder>,
    facts: FactsSource,
    facts_used: FactsUse,
    /// Made for plugins that import it.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

impl Guest {
    /// Says how long it took to make the instance.
    pub(crate) fn instantiated(&mut self, took: Duration) {
        self.instantiation = took;
    }

    /// Which facts the guest has asked for so far.
    pub(crate) fn facts_used(&self) -> FactsUse {
        self.facts_used
    }
}

impl WasiView for Guest {
    /// Every function of WASI begins here.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.count();
        WasiCtxView { ctx: self.wasi.get_or_insert_with(|| WasiCtx::builder().build()), table: &mut self.table }
    }
}

impl Guest {
    /// Counts a call of the host.
    fn count(&mut self) {
        self.calls += 1;
    }

    /// Whether the guest may go on after a call of the host. A guest that calls and calls burns little fuel, so that it would
    /// seldom come back to the timer.
    fn may_go_on(&mut self) -> wasmtime::Result<()> {
        if self.calls == self.calls_seen {
            return Ok(());
        }
        self.calls_seen = self.calls;
        if self.calls > self.limits.host_calls || self.clock.used() > self.limits.time {
            return Err(wasmtime::Error::msg("a limit of the host's functions"));
        }
        Ok(())
    }
}

fn look(mut store: StoreContextMut<'_, Guest>, hook: CallHook) -> wasmtime::Result<()> {
    if hook.exiting_host() { store.data_mut().may_go_on() } else { Ok(()) }
}

/// A store and its limits.
pub(crate) struct Sandbox {
    store: Store<Guest>,
    stderr: Stderr,
}

impl Sandbox {
    pub(crate) fn new(engine: &Engine, circumstances: &Circumstances<'_>) -> Result<Self, Refusal> {
        let Circumstances { plugin, limits, grants, wants, .. } = circumstances;
        let stderr = Stderr::new(limits);
        let guest = Guest {
            plugin: (*plugin).to_owned(),
            limits: (*limits).clone(),
            budget: Budget::new(limits.memory),
            clock: Arc::new(Clock::start()),
            instantiation: Duration::ZERO,
            calls: 0,
            calls_seen: 0,
            log: LogBudget::new(limits),
            folders: if wants.files { files::open(grants, plugin)? } else { Vec::new() },
            facts: circumstances.facts.clone(),
            facts_used: FactsUse::None,
            wasi: if wants.wasi.is_empty() { None } else { Some(world::wasi(circumstances, &stderr)?) },
            table: ResourceTable::new(),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.budget);
        store.call_hook(look);
        store.set_hostcall_fuel(usize::try_from(limits.answer).unwrap_or(usize::MAX));
        Ok(Sandbox { store, stderr })
    }

    /// Makes room for another call. What the guest has written into its memory stays.
    pub(crate) fn renew(&mut self) {
        let guest = self.store.data_mut();
        guest.clock = Arc::new(Clock::start());
        guest.instantiation = Duration::ZERO;
        (guest.calls, guest.calls_seen) = (0, 0);
        guest.log = LogBudget::new(&guest.limits);
        guest.facts_used = FactsUse::None;
    }

    /// Runs one call within the limits.
    pub(crate) async fn run<T, Call>(&mut self, circumstances: &Circumstances<'_>, call: Call) -> Result<T, Refusal>
    where
        Call: AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    {
        let limits = circumstances.limits;
        let broken = |error: wasmtime::Error| Refusal::Sandbox { reason: format!("{error:#}") };
        let Sandbox { store, stderr } = self;
        store.set_fuel(limits.fuel).map_err(broken)?;
        store.fuel_async_yield_interval(Some(BREATH)).map_err(broken)?;
        let clock = Arc::clone(&store.data().clock);
        let began = Instant::now();
        let answer = tokio::select! {
            biased;
            answer = call(&mut *store) => Some(answer),
            // A guest that never waits still comes back to this timer whenever it has burnt `BREATH`.
            () = tokio::task::unconstrained(clock.run_out(limits.time)) => None,
        };
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
        log::report(store.data_mut(), stderr, limits);
        match answer {
            None => Err(Refusal::Time { limit: limits.time, used: clock.used() }),
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(explain(&error, store.data())),
        }
    }
}

/// Runs one call in a store of its own, within the limits.
pub(crate) async fn call<T, Call>(engine: &Engine, circumstances: &Circumstances<'_>, call: Call) -> Result<T, Refusal>
where
    Call: AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
{
    Sandbox::new(engine, circumstances)?.run(circumstances, call).await
}

fn explain(error: &wasmtime::Error, guest: &Guest) -> Refusal {
    let limits = &guest.limits;
    if let Some(wanted) = guest.budget.exceeded {
        return Refusal::Memory { wanted, limit: limits.memory };
    }
    if guest.calls > limits.host_calls {
        return Refusal::HostCalls { limit: limits.host_calls, used: guest.calls };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Refusal::Fuel { limit: limits.fuel },
        Some(Trap::StackOverflow) => return Refusal::Stack { limit: limits.stack },
        _ => {}
    }
    let used = guest.clock.used();
    if used > limits.time {
        return Refusal::Time { limit: limits.time, used };
    }
    // The backtrace is for the plugin's authors. The names in it are those of the component.
    tracing::debug!(plugin = guest.plugin.as_str(), "{}", printable(&format!("{error:?}")));
    let reason = error.root_cause().to_string();
    if reason.contains("fuel allocated for hostcalls has been exhausted") {
        return Refusal::AnswerSize { limit: limits.answer };
    }
    Refusal::Trap { reason: printable(&reason) }
}
