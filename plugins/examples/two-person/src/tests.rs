use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use runner_policy_sdk::Decision;
use runner_policy_sdk::files::Files;
use runner_policy_sdk::testing;

use super::*;

fn key(person: &str) -> SigningKey {
    let mut secret = [7; 32];
    secret[..person.len()].copy_from_slice(person.as_bytes());
    SigningKey::from_bytes(&secret)
}

fn public(person: &str) -> String {
    use base64ct::Encoding as _;
    format!("ed25519:{}", base64ct::Base64::encode_string(key(person).verifying_key().as_bytes()))
}

fn settings(signatures: usize) -> Settings {
    let approvers = ["ada", "bob", "grace"].into_iter().map(|name| (name.to_owned(), public(name))).collect();
    Settings { folder: "approvals".to_owned(), approvers, signatures }
}

fn signed(person: &str, hash: &str) -> String {
    use base64ct::Encoding as _;
    let signature = key(person).sign(approval::message(hash).as_bytes());
    format!("approver: {person}\nsignature: {}\n", base64ct::Base64::encode_string(&signature.to_bytes()))
}

/// What is said of a change by Ada, with this file of approvals.
fn review(settings: &Settings, approvals: Option<&str>) -> (bool, Vec<String>) {
    let plan = testing::plan([testing::step("DROP TABLE patient;")]);
    let context = testing::context().in_production().by("ada");
    let mut files = Files::new().folder("approvals");
    if let Some(approvals) = approvals {
        files = files.file(&format!("approvals/{}.approval", plan.hash), approvals);
    }
    let ruling = files::with(files, || TwoPerson::review(settings, &context, &plan)).unwrap();
    (matches!(ruling.decision, Decision::Allow), ruling.reasons.into_iter().map(|reason| reason.message).collect())
}

#[test]
fn somebody_else_approves() {
    assert_eq!(
        review(&settings(1), Some(&signed("grace", testing::HASH))),
        (true, vec!["approved by grace".to_owned()])
    );
    let (allowed, said) = review(&settings(1), None);
    assert!(!allowed);
    assert_eq!(
        said,
        [format!(
            "this plan needs an approval by somebody other than `ada`, and `approvals/{}.approval` holds 0",
            testing::HASH
        )]
    );
}

#[test]
fn what_does_not_count_is_told() {
    let other = testing::HASH.replace('0', "1");
    let mallory = signed("mallory", testing::HASH);
    let borrowed = signed("grace", testing::HASH).replace("grace", "bob");
    for (approvals, doubt) in [
        (signed("ada", testing::HASH), "`ada` can't approve a change of their own"),
        (mallory, "`mallory` is none of the approvers"),
        (signed("grace", &other), "the signature of `grace` is not one over this plan"),
        (borrowed, "the signature of `bob` is not one over this plan"),
        ("approver: bob\nsignature: ???\n".to_owned(), "the signature of `bob` is not one in base64"),
    ] {
        let (allowed, said) = review(&settings(1), Some(&approvals));
        assert!(!allowed, "{approvals}");
        assert_eq!(said[1], doubt);
    }
}

#[test]
fn two_signatures_are_of_two_people() {
    let twice = signed("grace", testing::HASH).repeat(2);
    assert!(!review(&settings(2), Some(&twice)).0);
    let both = signed("grace", testing::HASH) + &signed("bob", testing::HASH);
    assert_eq!(review(&settings(2), Some(&both)), (true, vec!["approved by bob and grace".to_owned()]));
}

#[test]
fn other_environments_and_plans_without_steps_need_nothing() {
    let (plan, none) = (testing::plan([testing::step("DROP TABLE patient;")]), testing::plan([]));
    let review = |context: &Context, plan: &Plan| TwoPerson::review(&settings(1), context, plan);
    assert!(matches!(review(&testing::context(), &plan).unwrap().decision, Decision::Allow));
    assert!(matches!(review(&testing::context().in_production(), &none).unwrap().decision, Decision::Allow));
    let unknown = testing::context().in_unknown_environment("moon");
    assert!(review(&unknown, &plan).is_err(), "without the folder nobody can tell");
}

#[test]
fn somebody_without_a_name_may_be_the_approver() {
    let plan = testing::plan([testing::step("DROP TABLE patient;")]);
    let context = testing::context().in_production().by("unknown");
    let approvals = signed("grace", testing::HASH) + &signed("bob", testing::HASH);
    let file = format!("approvals/{}.approval", plan.hash);
    let review = |signatures| {
        let files = Files::new().folder("approvals").file(&file, &approvals);
        files::with(files, || TwoPerson::review(&settings(signatures), &context, &plan))
    };
    assert_eq!(review(1).unwrap_err().message, "nobody can tell who makes this change");
    assert!(matches!(review(2).unwrap().decision, Decision::Allow));
}

#[test]
fn wrong_settings_are_told_with_their_path() {
    let mut wrong = settings(0);
    wrong.approvers.insert("eve".to_owned(), "ed25519:AAAA".to_owned());
    wrong.approvers.insert("ben".to_owned(), public("bob"));
    let paths: Vec<String> = wrong.problems().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["approvers.eve", "approvers", "signatures"]);
    assert_eq!(settings(3).problems()[0].message, "they are too few: nobody approves a change of their own");
}
