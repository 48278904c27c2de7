//! Write a policy for `runner` in Rust: a type, a trait a role, and one macro.
//!
//! ```
//! use runner_policy_sdk::{Context, Description, Failure, Gate, Plan, Policy, Ruling};
//!
//! struct SmallPlans;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
//! struct Settings {
//!     max_steps: usize,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Settings { max_steps: 10 }
//!     }
//! }
//!
//! impl Policy for SmallPlans {
//!     type Settings = Settings;
//!
//!     fn describe() -> Description {
//!         Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), "Refuses plans of many steps")
//!     }
//! }
//!
//! impl Gate for SmallPlans {
//!     fn review(settings: &Settings, _context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
//!         if plan.steps.len() > settings.max_steps {
//!             return Ok(Ruling::deny("too-many-steps", format!("the plan has {} steps", plan.steps.len())));
//!         }
//!         Ok(Ruling::allow())
//!     }
//! }
//!
//! runner_policy_sdk::export_policy!(SmallPlans: gate);
//! ```
//!
//! Build it for `wasm32-unknown-unknown` as a `cdylib`, and encode the module as a component. The policy is ordinary Rust,
//! so its unit tests run natively.

pub mod bindings;
mod builders;
pub mod facts;
pub mod files;
pub mod log;
pub mod revision_lint;
mod roles;
mod statements;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod time;

use std::marker::PhantomData;

pub use bindings::data::runner::policy::types::Actor;
pub use bindings::data::runner::policy::types::AppliedRevision;
pub use bindings::data::runner::policy::types::Context;
pub use bindings::data::runner::policy::types::Dialect;
pub use bindings::data::runner::policy::types::Direction;
pub use bindings::data::runner::policy::types::Environment;
pub use bindings::data::runner::policy::types::EnvironmentTag;
pub use bindings::data::runner::policy::types::Failure;
pub use bindings::data::runner::policy::types::Operation;
pub use bindings::data::runner::policy::types::Plan;
pub use bindings::data::runner::policy::types::Reason;
pub use bindings::data::runner::policy::types::Recorded;
pub use bindings::data::runner::policy::types::Revision;
pub use bindings::data::runner::policy::types::Severity;
pub use bindings::data::runner::policy::types::Statement;
pub use bindings::data::runner::policy::types::Step;
pub use bindings::data::runner::policy::types::Target;
pub use bindings::data::runner::policy::types::Timestamp;
pub use bindings::data::runner::policy::types::Variable;
pub use bindings::environment::exports::runner::policy::environment::Judgement;
pub use bindings::environment::exports::runner::policy::environment::Level;
pub use bindings::environment::exports::runner::policy::environment::StepDecision;
pub use bindings::environment::exports::runner::policy::environment::StepRuling;
pub use bindings::gate::exports::runner::policy::gate::Decision;
pub use bindings::gate::exports::runner::policy::gate::Ruling;
pub use bindings::lint::exports::runner::policy::lint::Finding;
pub use bindings::lint::exports::runner::policy::lint::Rule;
pub use bindings::lint::exports::runner::policy::lint::Source;
pub use bindings::notify::exports::runner::policy::notify::Event;
pub use bindings::notify::exports::runner::policy::notify::Field;
pub use bindings::notify::exports::runner::policy::notify::Message;
pub use bindings::notify::exports::runner::policy::notify::RunResult;
pub use bindings::notify::exports::runner::policy::notify::StepResult;
pub use bindings::plugin::exports::runner::policy::plugin::Description;
pub use bindings::plugin::exports::runner::policy::plugin::Grant;
pub use bindings::plugin::exports::runner::policy::plugin::Need;
pub use bindings::plugin::exports::runner::policy::plugin::SettingProblem;
pub use builders::settings_schema;
pub use roles::Gate;
pub use roles::Lint;
pub use roles::NoSettings;
pub use roles::Notify;
pub use roles::Policy;
pub use roles::RevisionLint;
pub use roles::check_settings;
pub use schemars;
pub use schemars::JsonSchema;
pub use time::Date;
pub use time::TimeOfDay;
pub use time::Weekday;

/// The role `environment` as a trait. Its name differs from the data type [`Environment`].
pub use roles::Environments;

/// What the macro exports on behalf of a policy.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<P>(PhantomData<P>);

/// Exports a policy's roles from the component: `export_policy!(Type: environment, gate, lint, notify);` with any
/// non-empty choice of the four. `revision_lint` is `lint`, asked about one revision at a time.
#[macro_export]
macro_rules! export_policy {
    ($policy:ty : $($role:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        #[expect(unsafe_code, reason = "the component's entry points")]
        const _: () = {
            type Exported = $crate::Exported<$policy>;
            $crate::bindings::plugin::export_plugin!(Exported with_types_in $crate::bindings::plugin);
            $($crate::__export_role!($role);)+
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            $($crate::__check_role!($role, $policy);)+
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (environment) => {
        $crate::bindings::environment::export_environment!(Exported with_types_in $crate::bindings::environment);
    };
    (gate) => {
        $crate::bindings::gate::export_gate!(Exported with_types_in $crate::bindings::gate);
    };
    (lint) => {
        $crate::bindings::lint::export_lint!(Exported with_types_in $crate::bindings::lint);
    };
    (revision_lint) => {
        $crate::bindings::revision_lint::export_revision_lint!(Exported with_types_in $crate::bindings::revision_lint);
    };
    (notify) => {
        $crate::bindings::notify::export_notify!(Exported with_types_in $crate::bindings::notify);
    };
}

// Natively there is nothing to export, but a role that the policy lacks is an error there as well.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_role {
    (environment, $policy:ty) => {
        const fn has_environment_role<P: $crate::Environments>() {}
        has_environment_role::<$policy>();
    };
    (gate, $policy:ty) => {
        const fn has_gate_role<P: $crate::Gate>() {}
        has_gate_role::<$policy>();
    };
    (lint, $policy:ty) => {
        const fn has_lint_role<P: $crate::Lint>() {}
        has_lint_role::<$policy>();
    };
    (revision_lint, $policy:ty) => {
        const fn has_revision_lint_role<P: $crate::RevisionLint>() {}
        has_revision_lint_role::<$policy>();
    };
    (notify, $policy:ty) => {
        const fn has_notify_role<P: $crate::Notify>() {}
        has_notify_role::<$policy>();
    };
}
