//! Forms for services: each is what its reader expects.

use serde_json::Value;

use crate::harness::Project;
use crate::lint::with;
use crate::lint::words;
use crate::snapshot;

/// One finding of each kind: about a statement, about the runner's own rules, suppressed by a comment and by a baseline.
fn all_kinds() -> Project {
    let settings = "message = \"50 % <bad>, & \\\"worse\\\": ü\"\nreplacement = \"good\"";
    let project =
        words(settings, "[lint]\nbaseline = \"b.json\"\n[lint.rules]\nno-such-word = { production = \"error\" }");
    project.write("b.json", "{\"version\": 1, \"findings\": []}");
    with(&project, "c3", "SELECT 'BAD', 'c';");
    project.run(&["lint", "--write-baseline"]).exits(0);
    with(
        &project,
        "b2",
        "SELECT 'ä BAD';\nSELECT 'BAD', 2; -- lint:ignore no-such-word it is a test\nSELECT 'BAD',\n3; -- lint:ignore W1 gone, W2\n-- lint:ignore nothing-such old\n",
    );
    project
}

fn schema() -> jsonschema::Validator {
    // Alone, a `]` means itself; the validator wants that to be said.
    let text = include_str!("fixtures/sarif/sarif-schema-2.1.0.json").replace("{2}]?$", r"{2}\\]?$");
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[track_caller]
fn is_sarif(document: &Value) {
    let problems: Vec<String> =
        schema().iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(problems, [""; 0]);
}

#[test]
fn sarif_is_what_its_schema_says() {
    let project = all_kinds();
    let document = project.run(&["lint", "--format", "sarif"]).exits(0).json();
    is_sarif(&document);
    let run = &document["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(results.len() >= 5, "{document}");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["help"]["markdown"].is_string());
    }
    let kinds: Vec<&str> = results.iter().filter_map(|result| result["suppressions"][0]["kind"].as_str()).collect();
    assert_eq!(kinds, ["inSource", "inSource", "external"]);
    let first = &results[0];
    assert_eq!(first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "good");
    let region = &first["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"], &region["endColumn"]),
        (&7.into(), &11.into(), &14.into())
    );
    let mut prints: Vec<String> = results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), results.len(), "each finding has a fingerprint of its own");
}

#[test]
fn sarif_of_a_broken_chain_and_of_a_failing_policy_is_valid() {
    let project = all_kinds();
    project.write("migrations/broken.sql", "-- T\n");
    let document = project.run(&["lint", "--format", "sarif"]).exits(4).json();
    is_sarif(&document);
    assert_eq!(document["runs"][0]["results"].as_array().unwrap().len(), 3);
    project.remove("migrations/broken.sql");
    project.edit("runner.toml", "word = \"BAD\"", "word = \"BAD\"\nmanner = \"fail\"");
    let document = project.run(&["lint", "--format", "sarif"]).exits(4).json();
    is_sarif(&document);
    assert_eq!(document["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let empty = words("", "").run(&["lint", "--format", "sarif", "--recent", "0"]).exits(0).json();
    is_sarif(&empty);
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let project = all_kinds();
    let prints = |format: &str| {
        let document = project.run(&["lint", "--format", format]).json();
        let list = if format == "gitlab" { document } else { document["runs"][0]["results"].clone() };
        let print = |entry: &Value| match format {
            "gitlab" => entry["fingerprint"].to_string(),
            _ => entry["partialFingerprints"].to_string(),
        };
        let mut prints: Vec<String> = list.as_array().unwrap().iter().map(print).collect();
        prints.sort();
        prints
    };
    let before = (prints("sarif"), prints("gitlab"));
    project.edit("migrations/b2.sql", "-- migrate:up\n", "-- migrate:up\n\n-- moved\n\n");
    assert_eq!((prints("sarif"), prints("gitlab")), before);
}

#[test]
fn github_gets_workflow_commands() {
    let project = all_kinds();
    snapshot!(project.run(&["lint", "--format", "github", "--env", "production"]), @r#"
    exit: 4
    --- stdout
    ::error file=migrations/b2.sql,line=7,endLine=7,col=11,endColumn=14,title=no-such-word::50 %25 <bad>, & "worse": ü
    ::warning file=migrations/b2.sql,line=11,endLine=11,col=16,endColumn=28,title=unknown-rule::no lint policy in force has a rule `nothing-such`%0A`runner lint --rules` lists the rules
    --- stderr
    "#);
}

#[test]
fn paths_are_those_of_the_checkout() {
    let project = all_kinds();
    let top = project.path("..").canonicalize().unwrap();
    let name = project.path(".").canonicalize().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let run = project.run_with(&[("GITHUB_WORKSPACE", top.to_str().unwrap())], &["lint", "--format", "github"]);
    assert!(run.stdout.contains(&format!("file={name}/migrations/b2.sql,")), "{run}");
}

#[test]
fn gitlab_gets_a_code_quality_report() {
    let project = all_kinds();
    let issues = project.run(&["lint", "--format", "gitlab", "--env", "production"]).exits(4).json();
    for issue in issues.as_array().unwrap() {
        assert!(
            issue["description"].is_string() && issue["check_name"].is_string() && issue["fingerprint"].is_string()
        );
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].is_u64() && issue["location"]["path"].is_string());
    }
    assert_eq!(issues[0]["severity"], "critical");
    assert_eq!(issues[0]["location"]["path"], "migrations/b2.sql");
}

#[test]
fn junit_counts_what_refuses_as_failures() {
    let project = all_kinds();
    let run = project.run(&["lint", "--format", "junit", "--env", "production"]).exits(4);
    let document = roxmltree::Document::parse(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let root = document.root_element();
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
    assert_eq!(root.attribute("tests"), Some(count("testcase").as_str()));
    assert_eq!((root.attribute("failures"), count("failure").as_str()), (Some("1"), "1"));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("50 % <bad>, & \"worse\": ü"));
    // A file without findings is a test that passes.
    let passed = document.descendants().find(|node| node.attribute("classname") == Some("migrations/a1.sql")).unwrap();
    assert!(!passed.has_children());
}

#[test]
fn a_form_of_its_own_and_json_contradict_each_other() {
    let project = all_kinds();
    project.run(&["lint", "--format", "sarif", "--json"]).exits(2);
    project.run(&["lint", "--format", "json", "--json"]).exits(0);
    let run = project.run(&["lint", "--format", "json", "nowhere"]).exits(1);
    assert_eq!(run.json()["error"]["kind"], "selector");
    let run = project.run(&["lint", "--format", "sarif", "nowhere"]).exits(1);
    assert_eq!(run.stdout, "");
}
