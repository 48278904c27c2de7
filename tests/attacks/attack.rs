//! One attack, and what must come of it.

use std::rc::Rc;
use std::time::Duration;

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use serde_json::Value;

use crate::project::Project;
use crate::project::Run;

/// What must come of an attack.
#[derive(Clone)]
pub(crate) enum Expected {
    /// A denial of one of these rules, whose message holds the words.
    Refused(&'static [&'static str], &'static str),
    /// It gets nothing out of it, and so nothing is refused; `stderr` holds the words.
    Harmless(&'static str),
}

/// Prepares the project in which an attack happens.
pub(crate) type Setting = Rc<dyn Fn(&Project)>;

/// One attack.
#[derive(Clone)]
pub(crate) struct Attack {
    pub(crate) name: String,
    /// What is in the file of the plugin.
    bytes: Vec<u8>,
    /// Further keys of the plugin, as in `limits = { … }`.
    further: String,
    setting: Option<Setting>,
    expected: Expected,
}

/// How an attack ended.
pub(crate) struct Ended {
    pub(crate) by: String,
    pub(crate) said: String,
    pub(crate) time: Duration,
}

impl Attack {
    /// A file that must be refused.
    pub(crate) fn with(
        name: &str,
        bytes: impl Into<Vec<u8>>,
        rule: &'static [&'static str],
        words: &'static str,
    ) -> Self {
        Attack {
            name: name.to_owned(),
            bytes: bytes.into(),
            // A clock that does not strike before the fuel is used up, however busy the machine is.
            further: "limits = { time = \"60s\" }".to_owned(),
            setting: None,
            expected: Expected::Refused(rule, words),
        }
    }

    /// A gate with this body.
    pub(crate) fn gate(name: &str, body: &str, rule: &'static [&'static str], words: &'static str) -> Self {
        Attack::with(name, Component::gate().body(Function::Review, body).bytes(), rule, words)
    }

    /// One attack a role that is asked about a plan, with the same body.
    pub(crate) fn each(name: &str, body: &str, rule: &'static [&'static str], words: &'static str) -> Vec<Self> {
        [Role::Lint, Role::Gate]
            .into_iter()
            .map(|role| {
                let component = Component::of(&[role]).body(role.question(), body);
                Attack::with(&format!("{name}, as {}", role.name()), component.bytes(), rule, words)
            })
            .collect()
    }

    pub(crate) fn harmless(mut self, words: &'static str) -> Self {
        self.expected = Expected::Harmless(words);
        self
    }

    pub(crate) fn further(mut self, keys: &str) -> Self {
        keys.clone_into(&mut self.further);
        self
    }

    /// Does something to the project before the attack.
    pub(crate) fn after(mut self, setting: impl Fn(&Project) + 'static) -> Self {
        self.setting = Some(Rc::new(setting));
        self
    }

    pub(crate) fn run(&self) -> Ended {
        let project = Project::new(&self.further);
        std::fs::write(project.path("evil.wasm"), &self.bytes).unwrap();
        if let Some(setting) = &self.setting {
            setting(&project);
        }
        let before = project.database();
        let run = project.run(&["upgrade", "--json"]);
        let steers = |text: &str| text.chars().any(|character| character.is_control() && character != '\n');
        assert!(
            !steers(&run.stdout) && !steers(&run.stderr),
            "it steers the terminal: {:?} {:?}",
            run.stdout,
            run.stderr
        );
        assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "it sees what is not granted");
        match &self.expected {
            Expected::Refused(rules, words) => {
                let (rule, message) = refused(&run, rules, words);
                assert!(project.database() == before, "the database was changed");
                afterwards(&project);
                Ended { by: rule, said: message, time: run.time }
            }
            Expected::Harmless(words) => {
                assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
                assert!(run.stderr.contains(words), "{}", run.stderr);
                let said =
                    run.stderr.lines().find(|line| line.contains(words) && !words.is_empty()).unwrap_or_default();
                Ended { by: "nothing gained".to_owned(), said: short(said), time: run.time }
            }
        }
    }
}

fn refused(run: &Run, rules: &[&str], words: &str) -> (String, String) {
    let shown = format!("{}\n{}", run.stdout.chars().take(4000).collect::<String>(), run.stderr);
    assert_eq!(run.code, 3, "{shown}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["outcome"], "denied", "{shown}");
    let verdicts = document["verdicts"].as_array().unwrap();
    let denials: Vec<&Value> = verdicts.iter().filter(|verdict| verdict["decision"] == "deny").collect();
    let [denial] = denials.as_slice() else { panic!("not one denial: {shown}") };
    assert_eq!(denial["plugin"], "evil", "{shown}");
    let (rule, message) = (denial["rule"].as_str().unwrap_or_default(), denial["message"].as_str().unwrap());
    assert!(rules.contains(&rule), "{rule}: {message}");
    assert!(message.contains(words), "{message}");
    let heard =
        |plugin: &str| verdicts.iter().any(|verdict| verdict["plugin"] == plugin && verdict["decision"] == "allow");
    for other in ["environment-hierarchy", "production-override", "witness"] {
        assert!(heard(other), "`{other}` was not heard: {shown}");
    }
    (rule.to_owned(), short(message))
}

/// With a well-behaved plugin in its place, the same project goes on.
fn afterwards(project: &Project) {
    let evil = project.path("evil.wasm");
    let _ = std::fs::remove_dir(&evil).or_else(|_| std::fs::remove_file(&evil));
    std::fs::write(&evil, Component::gate().bytes()).unwrap();
    let grants_and_limits = std::fs::read_to_string(project.path("runner.toml")).unwrap();
    let usual = grants_and_limits.lines().filter(|line| !line.starts_with("grants") && !line.starts_with("limits"));
    std::fs::write(project.path("runner.toml"), usual.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let next = project.run(&["upgrade"]);
    assert_eq!(next.code, 0, "the next run: {}", next.stderr);
}

fn short(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
