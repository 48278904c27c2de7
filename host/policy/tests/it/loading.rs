//! Files that are no policy: each is refused with its own message that says what it is, before anything of it runs.

use policy_components::Component;
use policy_components::Role;
use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Policies;
use runner_policy::Source;
use runner_policy::Verdict;
use runner_policy::builtin_definition;

use crate::support::Folder;
use crate::support::ROLES;
use crate::support::block_on;
use crate::support::consult;
use crate::support::denial;
use crate::support::host;
use crate::support::request;
use crate::support::review;
use crate::support::rule;
use crate::support::set;

#[track_caller]
fn refused(bytes: &[u8], expected: &str, message: &str) -> Verdict {
    let folder = Folder::new();
    let verdict = denial(&block_on(review(folder.plugin("evil", bytes))), "evil");
    assert_eq!(rule(&verdict), expected, "{verdict:#?}");
    assert!(verdict.message.contains(message), "{}", verdict.message);
    assert!(verdict.help.as_deref().is_some_and(|help| !help.is_empty()), "it says what to do: {verdict:#?}");
    assert_eq!((verdict.role, verdict.version.as_deref()), (None, None));
    verdict
}

#[test]
fn a_file_that_is_something_else() {
    const RULE: &str = "plugin-not-a-component";
    refused(&Component::gate().core_module(), RULE, "it is a core module");
    refused(b"(component)", RULE, "it is text");
    refused("[plugins]\nsource = \"x\"\n".as_bytes(), RULE, "it is text");
    refused(b"", RULE, "it is empty");
    refused(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0", RULE, "it is native code");
    refused(b"\0asm\x0e\0\x01\0", RULE, "of a version of WebAssembly that is not known");
    refused(b"\0as", RULE, "does not start as WebAssembly does");
    refused(&[0xff; 4096], RULE, "does not start as WebAssembly does");
}

#[test]
fn a_component_that_is_cut_off_or_damaged() {
    let whole = Component::gate().bytes();
    for length in [8, 9, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let folder = Folder::new();
        let verdict = denial(&block_on(review(folder.plugin("evil", &whole[..length]))), "evil");
        // The first eight bytes alone are a component, and an empty one.
        let expected = if length == 8 { "plugin-other-world" } else { "plugin-not-a-component" };
        assert_eq!(rule(&verdict), expected, "{length} of {}: {verdict:#?}", whole.len());
    }
    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 32].fill(0xee);
    refused(&damaged, "plugin-not-a-component", "");
}

#[test]
fn native_code_of_the_cache_is_not_a_plugin() {
    let folder = Folder::new();
    let cached = runner_policy::Host::new(runner_policy::Cache::Folder(folder.path("cache")));
    let plugin = folder.plugin("good", Component::gate().bytes());
    let (_, review) = block_on(consult(&cached, &set([plugin]), request()));
    assert_eq!(review.outcome, Outcome::Allowed);
    let entry = std::fs::read_dir(folder.path("cache")).unwrap().next().unwrap().unwrap().path();
    let native = std::fs::read(entry).unwrap();
    refused(&native, "plugin-not-a-component", "it is native code");
}

#[test]
fn a_component_of_another_world() {
    const RULE: &str = "plugin-other-world";
    refused(&Component::of_another_world(), RULE, "another world: it exports `acme:tools/clock@1.0.0`");
    refused(&Component::of(&[]).bytes(), RULE, "exports no role");
}

#[test]
fn a_component_for_another_version_of_the_contract() {
    for version in ["0.2.0", "1.0.0", "0.0.9"] {
        for role in Role::ALL {
            let verdict = refused(
                &Component::of(&[role]).version(version).bytes(),
                "plugin-other-world",
                &format!("@{version}`"),
            );
            assert!(verdict.message.contains("version 0.1"), "it says what this runner knows: {}", verdict.message);
        }
    }
}

/// Otherwise it would be loaded, and never be asked in that role.
#[test]
fn a_role_that_would_not_be_found_refuses_the_component() {
    const RULE: &str = "plugin-other-world";
    let lint = Component::lint();
    for (name, message) in [
        ("runner:policy/gate@0.1.2-rc.1", "is built for `runner:policy/gate@0.1.2-rc.1`"),
        ("runner:policy/gate@0.1.0-0.1.2", "is built for `runner:policy/gate@0.1.0-0.1.2`"),
        ("runner:policy/approval@0.1.2", "exports `runner:policy/approval@0.1.2`, which this runner does not know"),
        ("runner:policy/log@0.1.0", "exports `runner:policy/log@0.1.0`, which this runner does not know"),
        ("runner:policy/lint@0.1.7", "exports `runner:policy/lint` more than once"),
    ] {
        let bytes = lint.exporting_again("runner:policy/lint@0.1.0", name);
        refused(&bytes, RULE, message);
    }
    for role in Role::ALL {
        refused(&Component::of(&[role]).version("0.1.2-rc.1").bytes(), RULE, "@0.1.2-rc.1`");
    }
}

#[cfg(unix)]
#[test]
fn nobody_waits_at_a_pipe() {
    let folder = Folder::new();
    let plugin = folder.missing("evil");
    let pipe = folder.path("evil.wasm");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let verdict = denial(&block_on(review(plugin)), "evil");
    assert_eq!(rule(&verdict), "plugin-unreadable");
    assert!(verdict.message.ends_with("it is not a regular file"), "{}", verdict.message);
}

#[test]
fn an_interface_that_only_looks_like_the_contract() {
    // `review` takes nothing and gives a number.
    let text = r#"(component
        (core module $module (func (export "f") (result i32) (i32.const 0)))
        (core instance $instance (instantiate $module))
        (func $review (result u32) (canon lift (core func $instance "f")))
        (instance $role (export "review" (func $review)) (export "describe" (func $review)) (export "check-settings" (func $review)))
        (export "runner:policy/plugin@0.1.0" (instance $role))
        (export "runner:policy/gate@0.1.0" (instance $role)))"#;
    refused(&wat(text), "plugin-other-world", "not as version 0.1 defines it");
}

/// Encodes WebAssembly text through the crate that tests make components with.
fn wat(text: &str) -> Vec<u8> {
    policy_components::encoded(text)
}

#[test]
fn what_no_policy_is_given_can_not_be_imported() {
    for (interface, definition) in [
        ("acme:net/socket@1.0.0", "connect: func();"),
        ("wasi:http/outgoing-handler@0.2.0", "handle: func();"),
        ("wasi:keyvalue/store@0.2.0", "open: func();"),
        ("wasi:nn/graph@0.2.0", "load: func();"),
        ("wasi:cli/environment@0.3.0", "mine: func();"),
        ("wasi:cli/environment@0.2.0", "set-environment: func();"),
    ] {
        // It is refused although it is never called.
        let component = Component::gate().import(interface, definition, "");
        refused(&component.bytes(), "plugin-import", interface.split('@').next().unwrap());
    }
}

#[test]
fn a_path_that_leads_to_no_file() {
    let folder = Folder::new();
    let verdict = denial(&block_on(review(folder.missing("evil"))), "evil");
    assert_eq!(rule(&verdict), "plugin-unreadable");
    assert!(verdict.message.contains("evil.wasm`: there is no such file"), "{}", verdict.message);
    assert_eq!(verdict.digest, None);
    assert_eq!(verdict.help.as_deref(), Some("check `source` in `[plugins.evil]`"));

    std::fs::create_dir(folder.path("evil.wasm")).unwrap();
    let verdict = denial(&block_on(review(folder.missing("evil"))), "evil");
    assert_eq!(rule(&verdict), "plugin-unreadable");
    assert!(verdict.message.contains("not a regular file"), "{}", verdict.message);
}

/// Reading from it would never end.
#[cfg(unix)]
#[test]
fn a_device_is_not_read() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/dev/zero", folder.path("evil.wasm")).unwrap();
    let verdict = denial(&block_on(review(folder.missing("evil"))), "evil");
    assert_eq!(rule(&verdict), "plugin-unreadable");
}

#[test]
fn a_file_that_is_far_too_large_is_not_read() {
    let folder = Folder::new();
    // Sparse: it takes no room on the disk.
    std::fs::File::create(folder.path("evil.wasm")).unwrap().set_len(1 << 40).unwrap();
    let verdict = denial(&block_on(review(folder.missing("evil"))), "evil");
    assert_eq!(rule(&verdict), "plugin-unreadable");
    assert!(verdict.message.contains("larger than"), "{}", verdict.message);
}

#[test]
fn a_built_in_plugin_that_does_not_exist() {
    let plugin = PluginDefinition {
        name: "mine".to_owned(),
        source: Source::Builtin("production-overide".to_owned()),
        ..builtin_definition("production-override").unwrap()
    };
    let verdict = denial(&block_on(review(plugin)), "mine");
    assert_eq!(rule(&verdict), "plugin-unknown");
    assert!(verdict.message.contains("`production-overide`"), "{}", verdict.message);
    assert!(verdict.help.unwrap().contains("production-override"));
}

#[test]
fn a_second_environment_policy_is_refused() {
    let folder = Folder::new();
    let bytes = Component::environment().bytes();
    let set = set([folder.plugin("first", &bytes), folder.plugin("second", &bytes)]);
    let (identity, review) = block_on(consult(&host(), &set, request()));
    assert_eq!((identity.name.as_str(), identity.level), ("development", Some(10)), "the first one still answers");
    let verdict = denial(&review, "second");
    assert_eq!(rule(&verdict), "plugin-second-environment");
    assert!(verdict.message.contains("`first`"), "{}", verdict.message);
}

#[test]
fn a_plugin_that_is_not_asked_for_is_not_run() {
    let folder = Folder::new();
    let trap = Component::notify().body(policy_components::Function::Describe, "unreachable");
    let (_, review) = block_on(consult(&host(), &set([folder.plugin("teller", trap.bytes())]), request()));
    assert_eq!((review.outcome, review.verdicts.len()), (Outcome::Allowed, 0));
    // A file whose roles can't be seen might have been a gate.
    let (_, review) = block_on(consult(&host(), &set([folder.plugin("teller", "text")]), request()));
    assert_eq!(rule(&denial(&review, "teller")), "plugin-not-a-component");
}

#[test]
fn the_report_of_a_refused_plugin_says_why() {
    let folder = Folder::new();
    let policies = block_on(Policies::load(&host(), &set([folder.missing("evil")]), &ROLES));
    let report = policies.reports().remove(0);
    assert_eq!((report.name.as_str(), report.source.as_str()), ("evil", "evil.wasm"));
    assert!(report.error.unwrap().contains("there is no such file"));
    assert_eq!(policies.identities()[0].name, "evil");
    assert!(!policies.has(runner_policy::Role::Gate));
}

#[test]
fn one_bad_plugin_denies_what_the_others_allow() {
    let folder = Folder::new();
    let good = folder.plugin("good", Component::gate().bytes());
    let (_, review) = block_on(consult(&host(), &set([good, folder.missing("evil")]), request()));
    denial(&review, "evil");
    let allowed = review.verdicts.iter().find(|verdict| verdict.plugin == "good").unwrap();
    assert_eq!(allowed.decision, Decision::Allow);
}
