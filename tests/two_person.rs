//! The example `two-person`, built from source: nobody changes production alone.

use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use serde_json::Value;

use crate::building::component;
use crate::building::repository;
use crate::harness::Project;

/// A project whose production needs one approval, by Ada or Grace.
fn project() -> Project {
    let project = Project::linear(2);
    std::fs::copy(component(&repository("plugins/examples/two-person")), project.path("two_person.wasm")).unwrap();
    std::fs::create_dir(project.path("approvals")).unwrap();
    let [ada, grace] = ["ada", "grace"].map(|person| {
        let key = project.run(&["plugin", "keygen", &format!("{person}.key"), "--json"]).exits(0).json();
        key["key"].as_str().unwrap().to_owned()
    });
    project.configure(&format!(
        "[plugin-sets.two]\nextends = \"default\"\nplugins = [\"two-person\"]\n\
         [plugins.two-person]\nsource = \"two_person.wasm\"\ngrants = {{ read = [\"approvals\"] }}\n\
         settings = {{ approvers = {{ ada = \"{ada}\", grace = \"{grace}\" }} }}\n"
    ));
    project
}

/// Signs as the README of the example says.
fn approval(project: &Project, person: &str, hash: &str) -> String {
    use base64ct::Encoding as _;
    let pem = std::fs::read_to_string(project.path(&format!("{person}.key"))).unwrap();
    let signature = SigningKey::from_pkcs8_pem(&pem).unwrap().sign(format!("approve {hash}\n").as_bytes());
    format!("approver: {person}\nsignature: {}\n", base64ct::Base64::encode_string(&signature.to_bytes()))
}

/// What Ada is told when she changes production: the exit code, and what the policy says.
fn upgrade(project: &Project) -> (i32, Vec<String>) {
    let variables = [("ALLOW_PRODUCTION_MIGRATE", "true"), ("RUNNER_ACTOR", "ada")];
    let run = project.run_with(&variables, &["upgrade", "--env", "production", "--plugins", "two", "--yes", "--json"]);
    let json = run.json();
    let own = |verdict: &&Value| verdict["plugin"] == "two-person";
    let said = json["verdicts"].as_array().unwrap().iter().filter(own);
    (run.code, said.map(|verdict| verdict["message"].as_str().unwrap().to_owned()).collect())
}

fn hash(project: &Project) -> String {
    let plan = project.run(&["plan", "--env", "production", "--json"]).exits(0).json();
    plan["plan_hash"].as_str().unwrap().to_owned()
}

#[test]
fn production_is_changed_with_the_approval_of_somebody_else() {
    let project = project();
    let hash = hash(&project);
    let file = format!("approvals/{hash}.approval");
    let missing = format!("this plan needs an approval by somebody other than `ada`, and `{file}` holds 0");
    assert_eq!(upgrade(&project), (3, vec![missing.clone()]));

    project.write(&file, approval(&project, "ada", &hash));
    let own = "`ada` can't approve a change of their own".to_owned();
    assert_eq!(upgrade(&project), (3, vec![missing.clone(), own]));

    let forged = approval(&project, "ada", &hash).replace("ada", "grace");
    project.write(&file, forged);
    let wrong = "the signature of `grace` is not one over this plan".to_owned();
    assert_eq!(upgrade(&project), (3, vec![missing, wrong]));
    assert!(!project.path("app.db").exists());

    project.write(&file, approval(&project, "grace", &hash));
    assert_eq!(upgrade(&project), (0, vec!["approved by grace".to_owned()]));
    assert_eq!(project.tables(), ["t0001", "t0002"]);
}

#[test]
fn an_approval_covers_one_plan() {
    let project = project();
    let hash = hash(&project);
    project.write(&format!("approvals/{hash}.approval"), approval(&project, "grace", &hash));
    project.edit("migrations/r0002.sql", "-- migrate:up", "-- migrate:up\nCREATE TABLE slipped_in (id INTEGER);");
    let (code, said) = upgrade(&project);
    assert_eq!(code, 3);
    assert!(said[0].starts_with("this plan needs an approval"), "{said:?}");
    assert!(!project.path("app.db").exists());
}

#[test]
fn the_folder_must_be_granted_and_a_link_out_of_it_is_no_approval() {
    let project = project();
    let hash = hash(&project);
    project.write("elsewhere", approval(&project, "grace", &hash));
    std::os::unix::fs::symlink(project.path("elsewhere"), project.path(&format!("approvals/{hash}.approval"))).unwrap();
    let (code, said) = upgrade(&project);
    assert_eq!(code, 3);
    assert!(said[0].contains("it is outside of the granted folders"), "{said:?}");

    project.edit("runner.toml", "grants = { read = [\"approvals\"] }", "");
    let (code, said) = upgrade(&project);
    assert_eq!(code, 3);
    assert!(said[0].contains("grant"), "{said:?}");
    assert!(!project.path("app.db").exists());
}
