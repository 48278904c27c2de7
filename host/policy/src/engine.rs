//! The WebAssembly engine: deterministic, metered, and shared by all plugins of a process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use sha2::Digest as _;
use sha2::Sha256;
use wasmtime::Config;
use wasmtime::Engine;
use wasmtime::OptLevel;

use crate::Cache;
use crate::Memory;
use crate::cache::hex;
use crate::meter::Meter;

/// What plugins are loaded with.
#[derive(Clone)]
pub struct Host {
    pub(crate) cache: Cache,
    pub(crate) variables: Variables,
    /// Hears of every call of the plugins.
    pub(crate) meter: Option<Meter>,
}

/// Gives the value of a variable that is set.
type Variables = Arc<dyn Fn(&str) -> Result<Option<String>, NotText> + Send + Sync>;

/// A variable is set, and is not UTF-8 text. What it was meant to say is unknown, so that it can't count as not set.
pub(crate) struct NotText;

/// A variable of the process.
fn of_process(name: &str) -> Result<Option<String>, NotText> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(NotText),
    }
}

impl Host {
    /// A host that keeps native code in `cache` and reads granted variables from the process environment.
    pub fn new(cache: Cache) -> Self {
        Host { cache, variables: Arc::new(of_process), meter: None }
    }

    /// What lint policies have said before about a project is kept beside the native code.
    pub fn memory(&self, project: &str) -> Memory {
        Memory::new(self.cache.clone(), project)
    }

    /// A host that reads granted variables with `variables`.
    #[must_use]
    pub fn with_variables(mut self, variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.variables = Arc::new(move |name: &str| Ok(variables(name)));
        self
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Host").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// Beyond the guest's stack, what the host's own functions need when the guest calls them.
const HOST_STACK: usize = 512 << 10;

/// The engine that runs policies with so many bytes of stack, made when the first of them is loaded. It cannot compile, which
/// most commands need not and which takes a while to prepare. Native code does not depend on the stack: each engine takes the
/// same.
pub(crate) fn engine(stack: u64) -> Result<&'static Engine, String> {
    /// One for each size that the configuration names, so there are few.
    static ENGINES: Mutex<BTreeMap<usize, &'static Engine>> = Mutex::new(BTreeMap::new());
    let stack = usize::try_from(stack).map_err(|_| format!("a stack of {stack} bytes does not fit into memory"))?;
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = engines.get(&stack) {
        return Ok(engine);
    }
    let engine =
        Engine::new(config().max_wasm_stack(stack).async_stack_size(stack + HOST_STACK).enable_compiler(false))
            .map_err(|error| format!("{error:#}"))?;
    let engine = &*Box::leak(Box::new(engine));
    engines.insert(stack, engine);
    Ok(engine)
}

/// Compiles a component for [`engine`]. `runs_long`: it is known to run long enough for better code to be worth its time.
pub(crate) fn compile(wasm: &[u8], runs_long: bool) -> wasmtime::Result<Vec<u8>> {
    let mut config = config();
    // The same verdict on every machine.
    config.cranelift_nan_canonicalization(true);
    // Most policies run for microseconds: what compiling them costs is more than better code would save.
    config.cranelift_opt_level(if runs_long { OptLevel::Speed } else { OptLevel::None });
    Engine::new(&config)?.precompile_component(wasm)
}

/// Names everything that native code depends on, unless wasmtime itself notices when it loads the code: its own version, and
/// a processor that lacks something.
pub(crate) fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut hasher = Sha256::new();
        // The configuration below, as it is written.
        hasher.update(include_bytes!("engine.rs"));
        // What was compiled when more was allowed is not taken.
        hasher.update(include_bytes!("component/extent.rs"));
        for part in [env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS] {
            hasher.update(part);
            hasher.update([0]);
        }
        hex(&hasher.finalize()[..8])
    })
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.consume_fuel(true);
    config.wasm_relaxed_simd(false);
    // Native code is loaded at every start: without what only a debugger reads it is half the size.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.debug_symbols(false);
    // Not needed by any policy, and each makes the sandbox larger.
    config.wasm_memory64(false);
    config.concurrency_support(false);
    config
}
