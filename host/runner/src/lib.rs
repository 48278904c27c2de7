//! Database migrations governed by sandboxed policies, as a library: a Rust application can bring its own database up to
//! date when it starts.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # std::fs::create_dir("migrations")?;
//! # std::fs::write("migrations/a1_start.sql", "-- Start\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up\nCREATE TABLE t (id INTEGER);\n\n-- migrate:down\nDROP TABLE t;\n")?;
//! # std::fs::write("runner.toml", "environment = \"test\"\n[database]\nurl = \"sqlite://app.db\"\n")?;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let project = runner::Project::open("runner.toml")?;
//! let report = project.upgrade("heads").await?;
//! println!("applied {} revisions", report.count(runner::StepStatus::Applied));
//! # assert_eq!(report.count(runner::StepStatus::Applied), 1);
//! # Ok::<(), runner::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same configuration, policies, lock and ledger apply as for the command line.

mod args;
mod authoring;
mod backup;
mod bounded;
mod cases;
mod chain_file;
mod commands;
pub mod config;
mod convert;
mod dependents;
mod ending;
pub mod error;
mod git;
mod lint;
#[cfg(test)]
mod lint_reference;
mod output;
pub mod pipeline;
mod project;
mod recorded;
#[cfg(test)]
mod reference;
mod rehearsal;
mod revision_file;
mod suggest;

pub use args::command_line;
pub use error::Error;
pub use error::ErrorKind;
pub use pipeline::Outcome;
pub use pipeline::Report;
pub use pipeline::StepStatus;
pub use project::Project;

pub use args::main;
