//! `runner plugin bench`

use std::time::Duration;
use std::time::Instant;

use runner_policy::Cache;
use runner_policy::Call;
use runner_policy::FactsSource;
use runner_policy::Host;
use runner_policy::PluginDefinition;
use runner_policy::Question;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::Trial;
use runner_policy::Verdict;
use runner_policy::data;
use serde::Serialize;
use serde_json::json;

use super::subject::Given;
use super::subject::grouped;
use super::subject::heading;
use crate::args::Global;
use crate::cases;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Table;
use crate::pipeline::policy_host;
use crate::recorded;
use crate::recorded::Recorded;

/// Measure one plugin: loading, making an instance, and each of its functions
///
/// The plan is a recorded one, or one made up of `--steps` steps. Fuel is the same everywhere; times are those of this
/// machine. Exits with 3 if the plugin can't be used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin bench policies/acme.wasm
  runner plugin bench builtin:environment-hierarchy --steps 1000 --rounds 200
  runner plugin bench acme --plan plan.json --json")]
pub(crate) struct Args {
    /// The plugin: a path, `builtin:NAME`, or a name in `runner.toml`
    #[arg(value_name = "FILE")]
    plugin: String,
    /// The document of `runner plan --json`, or the request in it; `-` is stdin
    #[arg(long, value_name = "PLAN", conflicts_with = "steps")]
    plan: Option<String>,
    /// Steps of the plan that is made up
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    steps: u32,
    /// How often everything is done, but for compiling
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    #[command(flatten)]
    given: Given,
}

/// Times of many repetitions, in microseconds.
#[derive(Serialize)]
struct Times {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        // The smallest value that so many percent do not exceed.
        let at = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        Times { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }

    fn cells(&self) -> [String; 4] {
        [self.p50, self.p90, self.p99, self.max].map(shown)
    }
}

fn shown(microseconds: f64) -> String {
    match microseconds {
        short if short < 1000.0 => format!("{short:.0} µs"),
        long if long < 1_000_000.0 => format!("{:.2} ms", long / 1000.0),
        longer => format!("{:.2} s", longer / 1_000_000.0),
    }
}

/// What was measured of a function.
#[derive(Serialize)]
struct Function {
    function: &'static str,
    fuel: u64,
    /// Bytes.
    memory: u64,
    time_us: Times,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let plugin = self.given.plugin(&self.plugin, global)?;
        let recorded = match &self.plan {
            Some(plan) => recorded::read(plan)?,
            None => Recorded { request: cases::made_up(self.steps)?, facts: None },
        };
        let request = recorded.request;
        let (_, cold) = load(&Host::new(Cache::None), &plugin).await?;
        let host = policy_host();
        // From now on its code is in the cache, if there is a cache.
        let (mut trial, _) = load(&host, &plugin).await?;
        if let Some(facts) = recorded.facts {
            trial.offer_facts(&FactsSource::given(facts));
        }
        let mut warm = Vec::new();
        let mut calls = Vec::new();
        for _ in 0..self.rounds {
            let (trial, took) = load(&host, &plugin).await?;
            warm.push(took);
            calls.extend_from_slice(trial.loading());
        }
        for _ in 0..self.rounds {
            calls.extend(ask(&trial, &request).await?);
        }
        let instances: Vec<Duration> = calls.iter().map(|call| call.instantiation).collect();
        let (warm, instances) = (Times::of(warm), Times::of(instances));
        let functions = functions(&calls);
        heading(printer, trial.report().as_ref());
        let made = if self.plan.is_some() { "recorded" } else { "made up" };
        let steps = request.plan.steps.len();
        printer.say(format_args!("  a plan of {steps} steps, {made}; {} rounds", self.rounds));
        print(printer, cold, &warm, &instances, &functions);
        printer.document(&json!({
            "plugin": trial.report(),
            "steps": steps,
            "rounds": self.rounds,
            "cold_load_us": cold.as_secs_f64() * 1e6,
            "warm_load_us": warm,
            "instantiate_us": instances,
            "functions": functions,
        }));
        Ok(exit::DONE)
    }
}

/// Loads the plugin and tells how long that took.
async fn load(host: &Host, plugin: &PluginDefinition) -> Result<(Trial, Duration)> {
    let began = Instant::now();
    let trial = Trial::load(host, plugin.clone()).await;
    let took = began.elapsed();
    match trial.refusal() {
        Some(refusal) => Err(refused(&refusal)),
        None => Ok((trial, took)),
    }
}

/// Asks everything once.
async fn ask(trial: &Trial, request: &Request) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    if trial.has(Role::Environment) {
        let levels = trial.levels(&request.context).await;
        calls.extend(levels.map_err(|refusal| refusal.map_or_else(unanswered, |refusal| refused(&refusal)))?.1);
    }
    let steps = u32::try_from(request.plan.steps.len()).unwrap_or(u32::MAX);
    let event = data::Event::Finished(data::RunResult { steps, skipped: 0, duration_ms: 0 });
    let answer = trial.ask(request.clone(), Question { roles: &Role::ALL, event: Some(&event) }).await;
    match answer.review.verdicts.iter().find(|verdict| verdict.refusal) {
        Some(refusal) => Err(refused(refusal)),
        None => {
            calls.extend(answer.calls);
            Ok(calls)
        }
    }
}

fn unanswered() -> Error {
    Error::new(ErrorKind::Refused, "the plugin gives no answer")
}

fn refused(verdict: &Verdict) -> Error {
    let rule = verdict.rule.as_deref().unwrap_or("refused");
    Error::new(ErrorKind::Refused, format!("`{}` can't be measured: {rule}: {}", verdict.plugin, verdict.message))
        .maybe_help(verdict.help.clone())
}

fn functions(calls: &[Call]) -> Vec<Function> {
    let mut names: Vec<&'static str> = Vec::new();
    for call in calls {
        if !names.contains(&call.function) {
            names.push(call.function);
        }
    }
    let measure = |function: &'static str| {
        let of_it = || calls.iter().filter(move |call| call.function == function);
        Function {
            function,
            fuel: of_it().map(|call| call.fuel).max().unwrap_or(0),
            memory: of_it().map(|call| call.memory).max().unwrap_or(0),
            time_us: Times::of(of_it().map(|call| call.time).collect()),
        }
    };
    names.into_iter().map(measure).collect()
}

fn print(printer: &Printer, cold: Duration, warm: &Times, instances: &Times, functions: &[Function]) {
    let mut table = Table::new();
    table.row(["", "p50", "p90", "p99", "max", "fuel", "memory"]);
    table.row(["  load, compiled", &shown(cold.as_secs_f64() * 1e6)]);
    let row = |name: &str, times: &Times| [vec![format!("  {name}")], times.cells().to_vec()].concat();
    table.row(row("load, from the cache", warm));
    table.row(row("make an instance", instances));
    for function in functions {
        let mut cells = row(function.function, &function.time_us);
        cells.push(grouped(function.fuel));
        cells.push(format!("{} KiB", function.memory / 1024));
        table.row(cells);
    }
    table.lines().iter().for_each(|line| printer.line(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let times = Times::of((1..=200).rev().map(Duration::from_micros).collect());
        let rounded = [times.p50, times.p90, times.p99, times.max].map(f64::round);
        assert!(rounded.iter().zip([100.0, 180.0, 198.0, 200.0]).all(|(a, b)| (a - b).abs() < 0.5), "{rounded:?}");
        let one = Times::of(vec![Duration::from_micros(7)]);
        assert!((one.p50 - 7.0).abs() < 0.5 && (one.max - 7.0).abs() < 0.5);
    }
}
