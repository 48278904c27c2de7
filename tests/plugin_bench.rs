//! `runner plugin bench`

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::harness::Project;

#[test]
fn everything_is_measured() {
    let project = Project::empty();
    let component = Component::lint().body(Function::Check, &bodies::find(1, "r0002", "no index"));
    project.write("acme.wasm", component.bytes());
    let run = project.run(&["plugin", "bench", "acme.wasm", "--steps", "3", "--rounds", "5", "--json"]).exits(0);
    let json = run.json();
    assert_eq!((json["steps"].as_u64(), json["rounds"].as_u64()), (Some(3), Some(5)), "{json:#}");
    for key in ["warm_load_us", "instantiate_us"] {
        let times: Vec<f64> = ["p50", "p90", "p99", "max"].iter().map(|at| json[key][at].as_f64().unwrap()).collect();
        assert!(times.is_sorted() && times[0] > 0.0, "{key}: {times:?}");
    }
    assert!(json["cold_load_us"].as_f64().unwrap() > 0.0);
    let functions = json["functions"].as_array().unwrap();
    let names: Vec<&str> = functions.iter().map(|function| function["function"].as_str().unwrap()).collect();
    assert_eq!(names, ["plugin.describe, plugin.check-settings", "lint.check", "lint.rules"]);
    assert!(functions.iter().all(|function| function["fuel"].as_u64().unwrap() > 0), "{json:#}");
    let text = project.run(&["plugin", "bench", "acme.wasm", "--steps", "3", "--rounds", "5"]).exits(0);
    for words in ["a plan of 3 steps, made up; 5 rounds", "load, compiled", "load, from the cache", "lint.check"] {
        assert!(text.stdout.contains(words), "{text}");
    }
}

#[test]
fn built_in_policies_and_recorded_plans() {
    let project = Project::linear(2);
    let plan = project.run(&["plan", "--json"]).exits(0);
    project.write("plan.json", &plan.stdout);
    let arguments =
        ["plugin", "bench", "builtin:environment-hierarchy", "--plan", "plan.json", "--rounds", "2", "--json"];
    let json = project.run(&arguments).exits(0).json();
    assert_eq!(json["steps"], 2);
    let again = project.run(&arguments).exits(0).json();
    let fuel = |json: &serde_json::Value| -> Vec<u64> {
        json["functions"].as_array().unwrap().iter().map(|function| function["fuel"].as_u64().unwrap()).collect()
    };
    assert_eq!(fuel(&json), fuel(&again));
    assert_eq!(fuel(&json).len(), 4, "{json:#}");
}

#[test]
fn no_steps_and_too_many_rounds() {
    let project = Project::empty();
    project.write("acme.wasm", Component::gate().bytes());
    project.run(&["plugin", "bench", "acme.wasm", "--steps", "0", "--rounds", "1"]).exits(0);
    project.run(&["plugin", "bench", "acme.wasm", "--rounds", "0"]).exits(2);
    project.run(&["plugin", "bench", "acme.wasm", "--steps", "999999999"]).exits(2);
}
