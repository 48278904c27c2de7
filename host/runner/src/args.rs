//! The command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::FromArgMatches as _;
use clap::Parser;

use crate::commands::Command;
use crate::config::Overrides;
use crate::config::Secret;
use crate::ending;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::exit;
use crate::output::Color;
use crate::output::Printer;
use crate::output::Verbosity;

/// Applies database migrations, governed by sandboxed policies.
#[derive(Debug, Parser)]
#[command(name = "runner", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner init                     start a project in this folder
  runner revision -m \"Add email\"  write a new revision
  runner upgrade                  apply everything that is pending
  runner plan                     show what an upgrade would do, and what the policies say

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused by a policy, 4 problems found or not up to date,
5 lock not obtained, 130 interrupted")]
struct Args {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file
    #[arg(short, long, global = true, value_name = "FILE", default_value = "runner.toml")]
    config: std::path::PathBuf,
    /// Database, instead of the configured one
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<Secret>,
    /// Environment, instead of the configured one
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
    /// Plugin set, or the file of one, instead of the configured one (also `RUNNER_PLUGINS`)
    #[arg(long, global = true, value_name = "SET")]
    plugins: Option<String>,
    /// Refuse every plugin that is not in the lock file as it is (also `RUNNER_LOCKED=true`)
    #[arg(long, global = true)]
    locked: bool,
    /// Wait until the database accepts connections, for at most 60 s or as long as given
    #[arg(long, global = true, value_name = "DURATION", value_parser = crate::config::duration, num_args = 0..=1, require_equals = true, default_missing_value = "60s")]
    pub(crate) wait: Option<std::time::Duration>,
    /// One JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Answer yes to what policies want confirmed
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Errors alone
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// More detail; twice for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Form of log lines on stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl Global {
    /// What takes precedence over the configuration file.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            config: Some(self.config.clone()),
            database_url: self.database_url.clone(),
            environment: self.env.clone(),
            plugin_set: self.plugins.clone(),
            locked: self.locked,
            lock_wait: None,
        }
    }

    /// The same for another database.
    pub(crate) fn at(&self, url: Secret) -> Self {
        Global { database_url: Some(url), ..self.clone() }
    }

    /// The configuration file.
    pub(crate) fn config_file(&self) -> &std::path::Path {
        &self.config
    }
}

/// The definition of the command line, for documentation and completions.
pub fn command_line() -> clap::Command {
    Args::command()
}

/// Runs the command line and gives its exit code.
pub fn main() -> ExitCode {
    ending::comes_soon();
    let words: Vec<OsString> = std::env::args_os().collect();
    let parsed = Args::command().try_get_matches_from(&words).and_then(|matches| Args::from_arg_matches(&matches));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => return usage(&error, &words),
    };
    let global = &args.global;
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Verbose,
    };
    let printer = Printer::new(global.color, verbosity, global.json);
    log_to_stderr(global);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(args.command.run(global, &printer));
            // A statement that was cut off may still be running on a thread of its own.
            runtime.shutdown_background();
            ending::wait();
            ended
        }
        Err(error) => Err(Error::new(ErrorKind::Io, format!("no runtime: {error}"))),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            printer.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Help and version go to stdout; a wrong command line is an error like any other.
fn usage(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_help = !error.use_stderr();
    if is_help || !words.iter().any(|word| word == "--json") {
        let _ = error.print();
        return ExitCode::from(if is_help { exit::DONE } else { exit::USAGE });
    }
    let text = error.render().to_string();
    // The usage follows after a blank line.
    let said: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let message = said.join(" ").trim_start_matches("error: ").to_owned();
    let printer = Printer::new(Color::Never, Verbosity::Quiet, true);
    printer.error(&Error::new(ErrorKind::Usage, message).help("`runner --help` lists commands and options"));
    ExitCode::from(exit::USAGE)
}

fn log_to_stderr(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info,sqlx=warn",
        (false, _) => "debug,sqlx=info,wasmtime=info,cranelift=info,cranelift_codegen=info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("RUNNER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // Only the first subscriber of a process counts; a second call of `main` changes nothing.
    let _ = match global.log_format {
        LogFormat::Text => log.without_time().with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
