//! Plugins from OCI registries: `runner plugin push`, `pull` and `lock`, the store, and runs. With a real registry.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use test_servers::REGISTRY_ACCOUNT;
use test_servers::Registry;

use crate::harness::Project;
use crate::snapshot;

/// A gate that denies in these words.
fn denying(words: &str) -> Vec<u8> {
    Component::gate().body(Function::Review, &bodies::deny(words)).bytes()
}

/// Ships a component and gives the source that pins it.
fn push(project: &Project, component: &[u8], reference: &str) -> String {
    project.write("shipped.wasm", component);
    let json = project.run(&["plugin", "push", "shipped.wasm", reference, "--json"]).exits(0).json();
    json["source"].as_str().unwrap().to_owned()
}

/// Puts a plugin from this source into force.
fn use_source(project: &Project, source: &str) {
    project.write(
        "runner.toml",
        format!(
            "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n[plugins.acme]\nsource = \"{source}\"\n\
             [plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n"
        ),
    );
}

/// The rule and the message of the only denial of an upgrade.
fn denial(project: &Project, arguments: &[&str]) -> (String, String) {
    let json = project.run(&[&["upgrade", "--json"], arguments].concat()).exits(3).json();
    let verdicts = json["verdicts"].as_array().unwrap();
    let denials: Vec<_> = verdicts.iter().filter(|verdict| verdict["decision"] == "deny").collect();
    assert_eq!(denials.len(), 1, "{json:#}");
    let text = |key: &str| denials[0][key].as_str().unwrap_or("none").to_owned();
    (text("rule"), text("message"))
}

fn store(project: &Project) -> Vec<std::path::PathBuf> {
    let folder = project.path(".local/share/runner/store");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn shipped_fetched_and_run_without_a_network() {
    let registry = Registry::start();
    let project = Project::linear(1);
    project.write("acme.wasm", denying("from afar"));
    let reference = format!("oci://{}/team/acme:1.0", registry.address());
    let run = project.run(&["plugin", "push", "acme.wasm", &reference]).exits(0);
    let masked = |text: &str| text.replace(registry.address(), "[REGISTRY]");
    snapshot!(masked(&run.stdout), @r#"
    shipping acme.wasm to oci://[REGISTRY]/team/acme:1.0
    done, without a signature; use it with
    source = "oci://[REGISTRY]/team/acme:1.0@sha256:[DIGEST]"
    "#);
    let source = push(&project, &denying("from afar"), &reference);
    assert!(run.stdout.contains(&format!("source = \"{source}\"")), "the same component has the same digest");
    use_source(&project, &source);
    snapshot!(masked(&project.run(&["plugin", "pull"]).stdout), @"fetched  acme  sha256:[DIGEST]  7204 bytes");
    snapshot!(masked(&project.run(&["plugin", "pull", "acme"]).stdout), @"present  acme  sha256:[DIGEST]  7204 bytes");
    registry.kill();
    assert_eq!(denial(&project, &[]).1, "from afar");
    project.run(&["plugin", "lock", "--check"]).exits(4);
}

#[test]
fn a_run_fetches_what_is_pinned_unless_it_must_not() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let source = push(&project, &denying("from afar"), &format!("oci://{}/acme:1", registry.address()));
    use_source(&project, &source);
    let offline = project.run_with(&[("RUNNER_OFFLINE", "true")], &["upgrade"]).exits(3);
    assert!(
        offline.stderr.contains("is not in the store")
            && offline.stderr.contains("`runner plugin pull acme` fetches it"),
        "{offline}"
    );
    // Listing fetches nothing either.
    project.run(&["plugin", "list"]).exits(3);
    assert!(store(&project).is_empty());
    assert_eq!(denial(&project, &[]).1, "from afar");
    assert_eq!(store(&project).len(), 2);
    assert!(project.run_with(&[("RUNNER_OFFLINE", "true")], &["upgrade"]).exits(3).stderr.contains("from afar"));

    project.run(&["plugin", "lock"]).exits(0);
    std::fs::remove_dir_all(project.path(".local")).unwrap();
    assert_eq!(denial(&project, &["--locked"]).0, "plugin-not-fetched");
    project.run(&["plugin", "pull", "--locked"]).exits(0);
    assert_eq!(denial(&project, &["--locked"]).1, "from afar");
}

#[test]
fn a_tag_alone_is_refused_until_it_is_locked_and_then_stays_what_it_was() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let tag = format!("oci://{}/acme:latest", registry.address());
    push(&project, &denying("the first"), &tag);
    use_source(&project, &tag);
    let (rule, message) = denial(&project, &[]);
    assert_eq!(rule, "plugin-digest");
    assert!(message.contains("nothing pins what that tag means"), "{message}");
    let pull = project.run(&["plugin", "pull"]).exits(3);
    assert!(pull.stderr.contains("`runner plugin lock` fetches it and pins it"), "{pull}");
    project.run(&["plugin", "lock", "--check"]).exits(4);

    project.run(&["plugin", "lock"]).exits(0);
    project.run(&["plugin", "lock", "--check"]).exits(0);
    assert_eq!(denial(&project, &["--locked"]).1, "the first");
    // The tag moves on, and another machine has nothing in its store.
    push(&project, &denying("the second"), &tag);
    std::fs::remove_dir_all(project.path(".local")).unwrap();
    assert_eq!(denial(&project, &[]).1, "the first");
    std::fs::remove_dir_all(project.path(".local")).unwrap();
    project.run(&["plugin", "pull"]).exits(0);
    assert_eq!(denial(&project, &["--locked"]).1, "the first");

    let locked = project.run(&["plugin", "lock"]).exits(0);
    assert!(locked.stdout.contains("changed  acme"), "{locked}");
    assert_eq!(denial(&project, &["--locked"]).1, "the second");
}

#[test]
fn what_the_registry_does_not_have() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let source = push(&project, &denying("x"), &format!("oci://{}/acme:1", registry.address()));
    let other = format!("sha256:{}", "0".repeat(64));
    let (tagged, _) = source.split_once('@').unwrap();
    use_source(&project, &format!("{tagged}@{other}"));
    let run = project.run(&["plugin", "pull"]).exits(1);
    assert!(run.stderr.contains(&format!("the registry has no `{tagged}@{other}`")), "{run}");
    let (rule, message) = denial(&project, &[]);
    assert_eq!(rule, "plugin-not-fetched");
    assert!(message.contains("the registry has no `"), "{message}");
    use_source(&project, &format!("{tagged}23"));
    let run = project.run(&["plugin", "lock"]).exits(1);
    assert!(run.stderr.contains(&format!("the registry has no `{tagged}23`")), "{run}");
    assert!(!project.path("runner.lock").exists());
    registry.kill();
    use_source(&project, &source);
    let run = project.run(&["plugin", "pull"]).exits(1);
    assert!(run.stderr.contains("can't be reached: "), "{run}");
    let (rule, message) = denial(&project, &[]);
    assert_eq!(rule, "plugin-not-fetched");
    assert!(message.contains("can't be reached: "), "{message}");
}

#[test]
fn a_damaged_store_is_noticed_and_mended() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let source = push(&project, &denying("from afar"), &format!("oci://{}/acme:1", registry.address()));
    use_source(&project, &source);
    project.run(&["plugin", "pull"]).exits(0);
    for file in store(&project) {
        for damage in [&b""[..], b"something else"] {
            std::fs::write(&file, damage).unwrap();
            let (rule, message) = denial(&project, &[]);
            assert_eq!(rule, "plugin-store", "{message}");
            assert!(message.contains("in the store is damaged"), "{message}");
            project.run(&["plugin", "pull"]).exits(0);
            assert_eq!(denial(&project, &[]).1, "from afar");
        }
    }
    // A component that was put in the place of another.
    let files = store(&project);
    std::fs::write(&files[0], Component::gate().bytes()).unwrap();
    assert_eq!(denial(&project, &[]).0, "plugin-store");
}

#[test]
fn what_a_registry_has_changed_is_noticed() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let source = push(&project, &denying("from afar"), &format!("oci://{}/acme:1", registry.address()));
    use_source(&project, &source);
    let content = std::fs::read(project.path("shipped.wasm")).unwrap();
    let mut folders = vec![registry.data()];
    let mut damaged = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).unwrap() == content {
                std::fs::write(&path, Component::gate().bytes()).unwrap();
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1);
    let run = project.run(&["plugin", "pull"]).exits(1);
    assert!(run.stderr.contains("the registry sent something else than sha256:"), "{run}");
    assert_eq!(denial(&project, &[]).0, "plugin-not-fetched");
    assert!(store(&project).is_empty());
}

#[test]
fn a_signature_travels_along() {
    let registry = Registry::start();
    let project = Project::linear(1);
    let reference = format!("oci://{}/acme:1", registry.address());
    let key = project.run(&["plugin", "keygen", "acme.key", "--json"]).exits(0).json();
    let key = key["key"].as_str().unwrap();
    let unsigned = push(&project, &denying("from afar"), &reference);
    project.run(&["plugin", "sign", "shipped.wasm", "--key", "acme.key"]).exits(0);
    let signed = push(&project, &denying("from afar"), &reference);
    assert_ne!(unsigned, signed);
    let trusting = |source: &str, key: &str| {
        use_source(&project, source);
        project.edit("runner.toml", "[plugins.acme]", &format!("[trust]\nkeys = [\"{key}\"]\n[plugins.acme]"));
    };
    trusting(&signed, key);
    assert_eq!(denial(&project, &[]).1, "from afar");
    project.run(&["plugin", "lock"]).exits(0);
    assert_eq!(denial(&project, &["--locked"]).1, "from afar");
    project.remove("runner.lock");
    trusting(&unsigned, key);
    let (rule, message) = denial(&project, &[]);
    assert_eq!(rule, "plugin-signature");
    assert!(message.contains("can't be read: it has none"), "{message}");
    let other = project.run(&["plugin", "keygen", "other.key", "--json"]).exits(0).json();
    trusting(&signed, other["key"].as_str().unwrap());
    assert!(denial(&project, &[]).1.contains("which is not trusted"));
    // A signature of something else is not shipped.
    project.write("shipped.wasm", denying("changed after it was signed"));
    let run = project.run(&["plugin", "push", "shipped.wasm", &reference]).exits(2);
    assert!(run.stderr.contains("is the signature of another component"), "{run}");
}

#[test]
fn credentials_come_from_docker_or_from_variables_and_are_never_shown() {
    let registry = Registry::start_with_account();
    let (user, password) = REGISTRY_ACCOUNT;
    let project = Project::linear(1);
    project.write("acme.wasm", denying("from afar"));
    let reference = format!("oci://{}/acme:1", registry.address());
    let push = |variables: &[(&str, &str)]| {
        let run = project.run_with(variables, &["plugin", "push", "acme.wasm", &reference, "-vv"]);
        assert!(!run.to_string().contains(password), "{run}");
        run
    };
    let refused = push(&[]).exits(1);
    assert!(refused.stderr.contains("refuses: ") && refused.stderr.contains("docker login"), "{refused}");
    let named = |registry: &'static str| registry;
    let variables = |registry, password| {
        [("RUNNER_REGISTRY", registry), ("RUNNER_REGISTRY_USER", user), ("RUNNER_REGISTRY_PASSWORD", password)]
    };
    push(&variables(registry.address(), password)).exits(0);
    push(&variables(registry.address(), "wrong")).exits(1);
    // They count for the registry that they name and for no other.
    push(&variables(named("ghcr.io"), password)).exits(1);
    let incomplete = push(&[("RUNNER_REGISTRY", registry.address()), ("RUNNER_REGISTRY_USER", user)]).exits(1);
    assert!(incomplete.stderr.contains("`RUNNER_REGISTRY_PASSWORD` is not set"), "{incomplete}");

    let login = |auth: &str| format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}", registry.address());
    // `tester:hunter2` in base64.
    project.write(".docker/config.json", login("dGVzdGVyOmh1bnRlcjI="));
    push(&[]).exits(0);
    project.write("elsewhere/config.json", login("dGVzdGVyOmh1bnRlcjI="));
    project.write(".docker/config.json", login("bm9ib2R5Ong="));
    push(&[]).exits(1);
    push(&[("DOCKER_CONFIG", project.path("elsewhere").to_str().unwrap())]).exits(0);
    project.write(".docker/config.json", "{");
    push(&[]).exits(1);
}

#[test]
fn only_policies_are_shipped_and_only_under_a_tag() {
    let project = Project::empty();
    let error = |arguments: &[&str]| project.run(&[&["plugin", "push"], arguments].concat()).exits(2).stderr;
    project.write("acme.wasm", Component::gate().bytes());
    project.write("module.wasm", Component::gate().core_module());
    snapshot!(error(&["module.wasm", "oci://127.0.0.1:1/acme:1"]), @"
    error: `module.wasm` is not a WebAssembly component: it is a core module

      help: encode it as a component, for example with `wasm-tools component new`
    ");
    snapshot!(error(&["missing.wasm", "oci://127.0.0.1:1/acme:1"]), @"error: `missing.wasm` can't be read: there is no such file");
    snapshot!(error(&["acme.wasm", "oci://127.0.0.1:1/acme"]), @"
    error: `oci://127.0.0.1:1/acme` has neither a tag nor a digest

      help: write `oci://registry/name:tag`, or `oci://registry/name:tag@sha256:…` to pin it
    ");
    snapshot!(error(&["acme.wasm", "127.0.0.1:1/acme:1"]), @"
    error: `127.0.0.1:1/acme:1` does not begin with `oci://`

      help: write `oci://registry/name:tag`, or `oci://registry/name:tag@sha256:…` to pin it
    ");
    snapshot!(error(&["acme.wasm", "oci://me:hunter2@127.0.0.1:1/acme:1"]), @"
    error: the name of a registry holds an `@`

      help: credentials come from Docker's configuration or from variables, never from a source
    ");
    let digest = format!("oci://127.0.0.1:1/acme:1@sha256:{}", "0".repeat(64));
    assert!(error(&["acme.wasm", &digest]).contains("a component is shipped under a tag"));
}

#[test]
fn a_source_of_wrong_form_is_a_configuration_error() {
    let project = Project::linear(1);
    use_source(&project, "oci://acme:1");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `plugins.acme.source` in `runner.toml`: `oci://acme:1` names a registry and nothing in it

      help: write `oci://registry/name:tag`, or `oci://registry/name:tag@sha256:…` to pin it
    ");
    use_source(&project, "oci://me:hunter2@ghcr.io/acme:1");
    let run = project.run(&["upgrade"]).exits(2);
    assert!(!run.to_string().contains("hunter2"), "{run}");
}
