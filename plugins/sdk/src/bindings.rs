//! What `wit-bindgen` makes of the package `runner:policy`, one module a role, so that a component embeds exactly the
//! roles it exports.

#![expect(missing_docs, reason = "generated; the documentation is in `wit/`")]

/// The plain data.
pub mod data {
    wit_bindgen::generate!({
        path: "../../wit/0.1.2",
        inline: "package runner:sdk; world data { import runner:policy/types@0.1.2; import runner:policy/log@0.1.2; }",
        world: "runner:sdk/data",
        generate_all,
        additional_derives: [PartialEq],
    });
}

/// `describe` and `check-settings`.
pub mod plugin {
    wit_bindgen::generate!({
        path: "../../wit/0.1.2",
        inline: "package runner:sdk; world plugin-part { export runner:policy/plugin@0.1.2; }",
        world: "runner:sdk/plugin-part",
        pub_export_macro: true,
        export_macro_name: "export_plugin",
        default_bindings_module: "runner_policy_sdk::bindings::plugin",
        additional_derives: [PartialEq],
    });
}

macro_rules! role {
    ($role:ident, $macro:literal, $module:literal, $inline:literal, $world:literal) => {
        /// One role.
        pub mod $role {
            wit_bindgen::generate!({
                path: "../../wit/0.1.2",
                inline: $inline,
                world: $world,
                with: { "runner:policy/types@0.1.2": crate::bindings::data::runner::policy::types },
                pub_export_macro: true,
                export_macro_name: $macro,
                default_bindings_module: $module,
                additional_derives: [PartialEq],
            });
        }
    };
}

role!(
    environment,
    "export_environment",
    "runner_policy_sdk::bindings::environment",
    "package runner:sdk; world environment-part { export runner:policy/environment@0.1.2; }",
    "runner:sdk/environment-part"
);
role!(
    gate,
    "export_gate",
    "runner_policy_sdk::bindings::gate",
    "package runner:sdk; world gate-part { export runner:policy/gate@0.1.2; }",
    "runner:sdk/gate-part"
);
role!(
    lint,
    "export_lint",
    "runner_policy_sdk::bindings::lint",
    "package runner:sdk; world lint-part { export runner:policy/lint@0.1.2; }",
    "runner:sdk/lint-part"
);
role!(
    revision_lint,
    "export_revision_lint",
    "runner_policy_sdk::bindings::revision_lint",
    "package runner:sdk; world revision-lint-part { export runner:policy/revision-lint@0.1.2; }",
    "runner:sdk/revision-lint-part"
);
role!(
    notify,
    "export_notify",
    "runner_policy_sdk::bindings::notify",
    "package runner:sdk; world notify-part { export runner:policy/notify@0.1.2; }",
    "runner:sdk/notify-part"
);

/// Facts about the target, for policies with the grant `facts`.
pub mod facts {
    wit_bindgen::generate!({
        path: "../../wit/0.1.2",
        inline: "package runner:sdk; world facts-part { import runner:policy/facts@0.1.2; }",
        world: "runner:sdk/facts-part",
        with: { "runner:policy/types@0.1.2": crate::bindings::data::runner::policy::types },
        generate_all,
    });
}

/// Granted folders, for policies with the grant `read`.
pub mod files {
    wit_bindgen::generate!({
        path: "../../wit/0.1.2",
        inline: "package runner:sdk; world files-part { import runner:policy/files@0.1.2; }",
        world: "runner:sdk/files-part",
        generate_all,
        additional_derives: [PartialEq],
    });
}
