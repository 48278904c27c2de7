//! End to end: the real binary, real databases, real components, real processes killed. One test binary, so that it links
//! once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod harness;

mod building;
mod chain_problems;
mod check;
mod compatibility;
mod concurrency;
mod configuration;
mod current;
mod database_problems;
mod demo;
mod downgrade;
mod drift;
mod environments;
mod examples;
mod facts;
mod failures;
mod help;
mod hierarchy;
mod history;
mod hostile;
mod hostile_registries;
mod init;
mod interrupt;
mod kill;
mod locks;
mod log;
mod notify;
mod plan;
mod plugin_bench;
mod plugin_build;
mod plugin_inspect;
mod plugin_list;
mod plugin_lock;
mod plugin_new;
mod plugin_replay;
mod plugin_run;
mod plugin_sets;
mod plugin_test;
mod production;
mod registries;
mod repair;
mod revision;
mod room;
mod secrets;
mod servers;
mod set_file;
mod signatures;
mod stamp;
mod status;
mod transactions;
mod two_person;
mod upgrade;
