//! `[trust]`, `runner plugin keygen`, `sign` and `verify`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::harness::Project;
use crate::snapshot;

/// A project with the plugin `acme`, a key pair, and the set `team` in force. Gives the public key.
fn project() -> (Project, String) {
    let project = Project::linear(1);
    project.write("acme.wasm", Component::gate().bytes());
    let key =
        project.run(&["plugin", "keygen", "acme.key", "--json"]).exits(0).json()["key"].as_str().unwrap().to_owned();
    trust(&project, &[&key]);
    (project, key)
}

fn trust(project: &Project, keys: &[&str]) {
    project.write(
        "runner.toml",
        format!(
            "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n[trust]\nkeys = {keys:?}\n\
             [plugins.acme]\nsource = \"acme.wasm\"\n[plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n"
        ),
    );
}

fn sign(project: &Project) {
    project.run(&["plugin", "sign", "acme.wasm", "--key", "acme.key"]).exits(0);
}

/// What keeps the plugin from being loaded.
fn refusal(project: &Project) -> String {
    let json = project.run(&["upgrade", "--json"]).exits(3).json();
    let verdicts = json["verdicts"].as_array().unwrap();
    let denials: Vec<_> = verdicts.iter().filter(|verdict| verdict["decision"] == "deny").collect();
    assert_eq!(denials.len(), 1, "{json:#}");
    assert_eq!((&denials[0]["plugin"], &denials[0]["rule"]), (&"acme".into(), &"plugin-signature".into()), "{json:#}");
    assert!(!project.path("app.db").exists());
    denials[0]["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_trusted_key_has_signed_is_loaded_and_nothing_else() {
    let (project, key) = project();
    snapshot!(project.run(&["upgrade"]).exits(3).stderr, @"
    error: refused by `acme`: the plugin is not signed by a trusted key: `acme.wasm.sig` can't be read: there is no such file

      help: `runner plugin sign FILE --key KEY` signs it; `keys` in `[trust]` names the keys that count
      help: nothing was changed
    ");
    sign(&project);
    project.run(&["upgrade", "--dry-run"]).exits(0);
    let verified = project.run(&["plugin", "verify", "acme.wasm", "--json"]).exits(0).json();
    assert_eq!(verified["key"], key.as_str());
    let listed = project.run(&["plugin", "list"]).exits(0);
    assert!(listed.stdout.contains(&format!("signed   by {key}")), "{listed}");
    // A component that was put in its place.
    project.write("acme.wasm", Component::gate().body(Function::Review, &bodies::deny("x")).bytes());
    assert!(
        refusal(&project).contains("is the signature of another component: it names sha256:"),
        "{}",
        refusal(&project)
    );
    project.run(&["plugin", "verify", "acme.wasm"]).exits(3);
}

#[test]
fn one_of_several_keys_is_enough_and_another_is_not() {
    let (project, key) = project();
    let other = project.run(&["plugin", "keygen", "other.key", "--json"]).exits(0).json();
    let other = other["key"].as_str().unwrap();
    project.run(&["plugin", "sign", "acme.wasm", "--key", "other.key"]).exits(0);
    assert!(refusal(&project).contains(&format!("is made with the key {other}, which is not trusted")));
    trust(&project, &[&key, other]);
    project.run(&["upgrade", "--dry-run"]).exits(0);
    // A signature that claims to be by a key that is trusted.
    trust(&project, &[&key]);
    project.edit("acme.wasm.sig", other, &key);
    assert!(refusal(&project).contains("is wrong: it was not made with the key"));
}

#[test]
fn a_signature_of_something_else_or_of_no_form_is_refused() {
    let (project, _) = project();
    sign(&project);
    let text = std::fs::read_to_string(project.path("acme.wasm.sig")).unwrap();
    let with = |text: &[u8]| {
        project.write("acme.wasm.sig", text);
        refusal(&project)
    };
    assert!(with(b"").contains("is not a signature"));
    assert!(with(&text.as_bytes()[..text.len() / 2]).contains("is not a signature"));
    assert!(with(text.replace("ed25519\n", "rsa\n").as_bytes()).contains("its algorithm is `rsa`"));
    assert!(with(b"\xff\xfe").contains("it is not text"));
    assert!(with(&vec![b'a'; 5000]).contains("it is too large for a signature"));
    assert!(!with(b"\x1b[2Jall is well\n").contains('\x1b'));
    // Of another file, under the right name.
    project.write("other.wasm", Component::lint().bytes());
    project.run(&["plugin", "sign", "other.wasm", "--key", "acme.key"]).exits(0);
    let of_other = std::fs::read(project.path("other.wasm.sig")).unwrap();
    assert!(with(&of_other).contains("is the signature of another component"));
    project.remove("acme.wasm.sig");
    assert!(refusal(&project).contains("`acme.wasm.sig` can't be read: there is no such file"));
    std::fs::create_dir(project.path("acme.wasm.sig")).unwrap();
    assert!(refusal(&project).contains("`acme.wasm.sig` can't be read: it is not a regular file"));
}

#[test]
fn audit_mode_does_not_vouch_for_a_component() {
    let (project, _) = project();
    project.edit("runner.toml", "source = \"acme.wasm\"", "source = \"acme.wasm\"\nmode = \"audit\"");
    assert!(refusal(&project).contains("is not signed by a trusted key"));
}

#[test]
fn built_in_plugins_need_no_signature_and_their_replacements_do() {
    let (project, _) = project();
    project.run(&["upgrade", "--dry-run", "--plugins", "strict-prod"]).exits(0);
    project.edit("runner.toml", "[plugin-sets", "[plugins.production-override]\nsource = \"acme.wasm\"\n[plugin-sets");
    project.run(&["upgrade", "--dry-run", "--plugins", "strict-prod"]).exits(3);
    sign(&project);
    project.run(&["upgrade", "--dry-run", "--plugins", "strict-prod"]).exits(0);
}

#[test]
fn keys_are_made_once_and_are_private() {
    let (project, key) = project();
    let mode = |name: &str| std::fs::metadata(project.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("acme.key"), 0o600);
    let private = std::fs::read_to_string(project.path("acme.key")).unwrap();
    snapshot!(project.run(&["plugin", "keygen", "acme.key"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `acme.key.pub` exists already, and a key is never replaced

      help: give another name, or move the old key away; what it signed stays signed
    ");
    assert_eq!(std::fs::read_to_string(project.path("acme.key")).unwrap(), private);
    // Half of a pair is in the way.
    project.write("half.key", "mine");
    project.run(&["plugin", "keygen", "half.key"]).exits(1);
    assert!(!project.path("half.key.pub").exists(), "nothing is left behind");
    let run = project.run(&["plugin", "keygen", "new.key"]).exits(0);
    let secret = std::fs::read_to_string(project.path("new.key")).unwrap();
    assert!(!run.to_string().contains(secret.lines().nth(1).unwrap()), "{run}");
    assert!(run.stdout.contains("keys = [\"ed25519:") && !run.stdout.contains(&key), "{run}");
}

#[test]
fn a_key_that_is_none_or_not_private_signs_nothing() {
    let (project, _) = project();
    let with = |text: &[u8], mode: u32| {
        project.write("wrong.key", text);
        std::fs::set_permissions(project.path("wrong.key"), std::fs::Permissions::from_mode(mode)).unwrap();
        project.run(&["plugin", "sign", "acme.wasm", "--key", "wrong.key"]).exits(2).stderr
    };
    let private = std::fs::read(project.path("acme.key")).unwrap();
    let public = std::fs::read(project.path("acme.key.pub")).unwrap();
    snapshot!(with(&private, 0o644), @"
    error: the key `wrong.key` can be read or changed by others, so it may not be private any more

      help: `chmod 600 wrong.key` closes it; if it was open for long, make another one
    ");
    snapshot!(with(&public, 0o600), @"
    error: the key `wrong.key` holds a public key, and signing needs the private one

      help: give the other file
    ");
    snapshot!(with(b"hello", 0o600), @"
    error: the key `wrong.key` holds no private key in PEM

      help: `runner plugin keygen FILE` makes one, and so does `openssl genpkey -algorithm ed25519`
    ");
    snapshot!(with(b"\x00\xff", 0o600), @"error: the key `wrong.key` can't be read: it is not text; a key is expected in PEM");
    assert!(with(&private[..60], 0o600).contains("is not an Ed25519 key"));
    assert!(!with(&private[..60], 0o600).contains(&String::from_utf8_lossy(&private[30..60]).into_owned()));
    let run = project.run(&["plugin", "sign", "acme.wasm", "--key", "missing.key"]).exits(2);
    assert!(run.stderr.contains("the key `missing.key` can't be read"), "{run}");
    let run = project.run(&["plugin", "sign", "acme.wasm", "--key", "migrations"]).exits(2);
    assert!(run.stderr.contains("it is not a regular file"), "{run}");
    assert!(!project.path("acme.wasm.sig").exists());
}

#[test]
fn only_a_policy_is_signed() {
    let (project, _) = project();
    for (content, part) in [
        (&b"text"[..], "is not a WebAssembly component"),
        (&Component::gate().core_module(), "it is a core module"),
        (&Component::of_another_world(), "is a component of another world"),
    ] {
        project.write("odd.wasm", content);
        let run = project.run(&["plugin", "sign", "odd.wasm", "--key", "acme.key"]).exits(2);
        assert!(run.stderr.contains(part), "{run}");
        assert!(!project.path("odd.wasm.sig").exists());
    }
}

#[test]
fn verifying_takes_keys_in_both_forms() {
    let (project, key) = project();
    sign(&project);
    project.run(&["plugin", "verify", "acme.wasm", "--key", &key]).exits(0);
    project.run(&["plugin", "verify", "acme.wasm", "--key", "acme.key.pub"]).exits(0);
    snapshot!(project.run(&["plugin", "verify", "acme.wasm", "--key", "acme.key"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the key `acme.key` holds a private key where a public one belongs

      help: `openssl pkey -in FILE -pubout` gives the public half
    ");
    snapshot!(project.run(&["plugin", "verify", "acme.wasm", "--key", "ed25519:abc"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `ed25519:abc` is not a public key

      help: it is `ed25519:` and 44 characters, as `runner plugin keygen` prints it
    ");
    trust(&project, &[]);
    snapshot!(project.run(&["plugin", "verify", "acme.wasm"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no key is trusted, so no signature can be checked

      help: name one with `--key`, or in `keys` of `[trust]`
    ");
    // With a key on the command line no project is needed.
    project.remove("runner.toml");
    project.run(&["plugin", "verify", "acme.wasm", "--key", &key]).exits(0);
    project.run(&["plugin", "keygen", "other.key"]).exits(0);
    project.run(&["plugin", "verify", "acme.wasm", "--key", "other.key.pub"]).exits(3);
    project.run(&["plugin", "verify", "acme.wasm", "--key", "other.key.pub", "--key", &key]).exits(0);
}

#[test]
fn a_wrong_key_in_the_configuration_is_an_error() {
    let (project, _) = project();
    trust(&project, &["ed25519:AAAA"]);
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `trust.keys` in `runner.toml`: `ed25519:AAAA` is not a public key

      help: it is `ed25519:` and 44 characters, as `runner plugin keygen` prints it
    ");
    project.edit("runner.toml", "[trust]", "[trust]\nkey = \"ed25519:AAAA\"");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("did you mean `keys`?"));
}

/// Keys and signatures are those of the rest of the world.
#[test]
fn openssl_understands_the_keys_and_its_own_are_understood() {
    let (project, key) = project();
    sign(&project);
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(project.path("")).output();
        let output = output.expect("the program `openssl` is needed by this test: install the package `openssl`");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let public = openssl(&["pkey", "-in", "acme.key", "-pubout"]);
    assert_eq!(public, std::fs::read_to_string(project.path("acme.key.pub")).unwrap());
    let text = std::fs::read_to_string(project.path("acme.wasm.sig")).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim_start().to_owned();
    project.write("message", format!("runner plugin {}", value("digest:")));
    project.write("signature.base64", value("signature:"));
    openssl(&["base64", "-d", "-A", "-in", "signature.base64", "-out", "signature"]);
    openssl(&[
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "acme.key.pub",
        "-rawin",
        "-in",
        "message",
        "-sigfile",
        "signature",
    ]);
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "openssl.key"]);
    std::fs::set_permissions(project.path("openssl.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    openssl(&["pkey", "-in", "openssl.key", "-pubout", "-out", "openssl.pub"]);
    project.run(&["plugin", "sign", "acme.wasm", "--key", "openssl.key"]).exits(0);
    project.run(&["plugin", "verify", "acme.wasm", "--key", "openssl.pub"]).exits(0);
    project.run(&["plugin", "verify", "acme.wasm", "--key", &key]).exits(3);
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "rsa.key"]);
    std::fs::set_permissions(project.path("rsa.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let run = project.run(&["plugin", "sign", "acme.wasm", "--key", "rsa.key"]).exits(2);
    assert!(run.stderr.contains("is not an Ed25519 key"), "{run}");
}
