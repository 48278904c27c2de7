//! What `bindgen!` makes of the package `runner:policy`: the world `policy` with all roles. A component that lacks some of
//! them is still usable, because each role is looked up on its own.

#![expect(missing_docs, reason = "generated; the documentation is in `wit/`")]

wasmtime::component::bindgen!({
    path: "../../wit/0.1.2",
    world: "policy",
    imports: {
        "runner:policy/facts.recent": async | trappable,
        "runner:policy/facts.relations": async | trappable,
        "runner:policy/files.entries": async | trappable,
        "runner:policy/files.read": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});

/// The plain data that goes in and out.
pub mod data {
    pub use super::exports::runner::policy::environment::Judgement;
    pub use super::exports::runner::policy::environment::Level;
    pub use super::exports::runner::policy::environment::StepDecision;
    pub use super::exports::runner::policy::gate::Decision as GateDecision;
    pub use super::exports::runner::policy::gate::Ruling;
    pub use super::exports::runner::policy::lint::Finding;
    pub use super::exports::runner::policy::lint::Rule as LintRule;
    pub use super::exports::runner::policy::lint::Source as LintSource;
    pub use super::exports::runner::policy::notify::Event;
    pub use super::exports::runner::policy::notify::Message;
    pub use super::exports::runner::policy::notify::RunResult;
    pub use super::exports::runner::policy::notify::StepResult;
    pub use super::exports::runner::policy::plugin::Description;
    pub use super::exports::runner::policy::plugin::Grant;
    pub use super::exports::runner::policy::plugin::Need;
    pub use super::exports::runner::policy::plugin::SettingProblem;
    pub use super::exports::runner::policy::revision_lint::Blocked;
    pub use super::exports::runner::policy::revision_lint::Circumstances as LintCircumstances;
    pub use super::exports::runner::policy::revision_lint::Edit;
    pub use super::exports::runner::policy::revision_lint::Finding as RevisionFinding;
    pub use super::exports::runner::policy::revision_lint::Fix;
    pub use super::exports::runner::policy::revision_lint::FollowUp;
    pub use super::exports::runner::policy::revision_lint::Level as KnownLevel;
    pub use super::exports::runner::policy::revision_lint::Lock;
    pub use super::exports::runner::policy::revision_lint::Note;
    pub use super::exports::runner::policy::revision_lint::Relative;
    pub use super::exports::runner::policy::revision_lint::Report as LintReport;
    pub use super::exports::runner::policy::revision_lint::Rule as RevisionRule;
    pub use super::exports::runner::policy::revision_lint::Section;
    pub use super::exports::runner::policy::revision_lint::Source as RevisionSource;
    pub use super::exports::runner::policy::revision_lint::Span;
    pub use super::exports::runner::policy::revision_lint::Surroundings;
    pub use super::runner::policy::facts::Column;
    pub use super::runner::policy::facts::ForeignKey;
    pub use super::runner::policy::facts::Index;
    pub use super::runner::policy::facts::LedgerEntry;
    pub use super::runner::policy::facts::Outcome as LedgerOutcome;
    pub use super::runner::policy::facts::Relation;
    pub use super::runner::policy::facts::RelationKind;
    pub use super::runner::policy::facts::Trigger;
    pub use super::runner::policy::types::*;
}
