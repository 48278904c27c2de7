//! `runner environments`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn levels_and_aliases() {
    let project = Project::linear(1);
    snapshot!(project.run(&["environments"]), @"
    exit: 0
    --- stdout
    development  10               dev         current
    local        10
    test         20
    qa           30
    staging      30               stage
    production   100  production  prod, main
    --- stderr
    ");
    snapshot!(project.run(&["environments", "--env", "prod", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "current": "production",
      "environments": [
        {
          "aliases": [
            "dev"
          ],
          "level": 10,
          "name": "development",
          "production": false
        },
        {
          "aliases": [],
          "level": 10,
          "name": "local",
          "production": false
        },
        {
          "aliases": [],
          "level": 20,
          "name": "test",
          "production": false
        },
        {
          "aliases": [],
          "level": 30,
          "name": "qa",
          "production": false
        },
        {
          "aliases": [
            "stage"
          ],
          "level": 30,
          "name": "staging",
          "production": false
        },
        {
          "aliases": [
            "prod",
            "main"
          ],
          "level": 100,
          "name": "production",
          "production": true
        }
      ]
    }
    --- stderr
    "#);
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn levels_of_the_project() {
    let project = Project::linear(1);
    project.configure(
        "[plugins.environment-hierarchy]\nsettings = { levels = { laptop = 5, live = 100 }, aliases = { l = \"live\" } }\n",
    );
    snapshot!(project.run(&["environments", "--env", "laptop"]), @"
    exit: 0
    --- stdout
    laptop  5                   current
    live    100  production  l
    --- stderr
    ");
}

#[test]
fn an_environment_that_nobody_knows() {
    snapshot!(Project::linear(1).run(&["environments", "--env", "moon"]), @"
    exit: 0
    --- stdout
    development  10               dev
    local        10
    test         20
    qa           30
    staging      30               stage
    production   100  production  prod, main
    --- stderr
    warning: `moon` is not an environment
    ");
}

#[test]
fn no_policy_knows_environments() {
    let project = Project::linear(1);
    project.configure("[plugin-sets.none]\nplugins = []\n");
    snapshot!(project.run(&["environments", "--plugins", "none"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the plugin set `none` has no plugin with the role `environment`
    ");
}
