//! The interface `files`: granted folders under their own name, read-only, and no way out of them.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use policy_components::Component;
use policy_components::Function;
use policy_components::Granted;
use policy_components::bodies;
use policy_components::layout::file_answer;
use runner_policy::Limits;
use runner_policy::PluginDefinition;
use runner_policy::ReadGrant;

use crate::support::Folder;
use crate::support::denial;
use crate::support::review;
use crate::support::rule;

/// A folder with a secret beside the one that is granted.
struct Place(Folder);

impl Place {
    fn new() -> Self {
        let folder = Folder::new();
        fs::create_dir_all(folder.path("data/inner")).unwrap();
        fs::write(folder.path("secret.txt"), "hunter2").unwrap();
        fs::write(folder.path("data/owners.txt"), "ada, grace").unwrap();
        fs::write(folder.path("data/inner/more.txt"), "edsger").unwrap();
        Place(folder)
    }

    /// The plugin with the folder `data` granted under the name `policies/data`.
    fn plugin(&self, component: &Component) -> PluginDefinition {
        let mut plugin = self.0.plugin("reader", component.bytes());
        plugin.grants.read.push(ReadGrant { path: self.0.path("data"), name: "policies/data".to_owned() });
        plugin
    }

    async fn notices(&self, component: &Component) -> Vec<String> {
        notices(self.plugin(component)).await
    }

    /// What comes of reading a path.
    async fn read(&self, path: &str) -> String {
        self.notices(&reading(path)).await.concat()
    }
}

async fn notices(plugin: PluginDefinition) -> Vec<String> {
    let review = review(plugin).await;
    assert_eq!(review.outcome, runner_policy::Outcome::Allowed, "{review:#?}");
    review.notices.into_iter().map(|notice| notice.text).collect()
}

fn reading(path: &str) -> Component {
    Component::gate().import_granted(Granted::Read).body(Function::Review, &bodies::show_file(path))
}

/// Shows the names of what a folder holds, or the words of the problem `other`.
fn listing(path: &str) -> Component {
    Component::gate().import_granted(Granted::Entries).body(
        Function::Review,
        &format!(
            "(local.set $from (call $allocate (i32.const 24)))
            (call $entries (text \"{path}\") (local.get $from))
            (if (i32.load8_u (local.get $from))
              (then (i64.store offset=4 align=4 (local.get $from) (i64.load offset=8 align=4 (local.get $from)))))
            {}",
            bodies::show_each(0, file_answer::ENTRY_SIZE)
        ),
    )
}

#[tokio::test]
async fn granted_files_are_read_under_the_name_of_their_folder() {
    let place = Place::new();
    assert_eq!(place.read("policies/data/owners.txt").await, "ada, grace");
    assert_eq!(place.read("policies/data/inner/more.txt").await, "edsger");
    assert_eq!(place.read("policies/data//inner/./more.txt").await, "edsger");
    assert_eq!(place.read("policies/data/inner/../owners.txt").await, "ada, grace", "it stays inside");
    assert_eq!(place.read("policies/data/nothing.txt").await, "MISSING");
    assert_eq!(place.read("policies/data/nothing/at/all.txt").await, "MISSING");
}

#[tokio::test]
async fn no_path_leads_out() {
    let place = Place::new();
    let absolute = place.0.path("data/owners.txt");
    for path in [
        "secret.txt",
        "data/owners.txt",
        "owners.txt",
        "",
        ".",
        "/",
        "/etc/passwd",
        absolute.to_str().unwrap(),
        "policies",
        "policies/database/owners.txt",
        "policies/data/../secret.txt",
        "policies/data/../../../../../../../../etc/passwd",
        "policies/data/inner/../../secret.txt",
        "policies/data/..",
        "../policies/data/owners.txt",
        "./policies/data/owners.txt",
        "policies/data\\..\\..\\secret.txt\\",
    ] {
        let seen = place.read(path).await;
        assert!(["OUTSIDE", "MISSING"].contains(&seen.as_str()), "{path}: {seen}");
        if !path.contains('\\') {
            assert_eq!(seen, "OUTSIDE", "{path}");
        }
    }
}

#[tokio::test]
async fn no_symbolic_link_leads_out() {
    let place = Place::new();
    symlink("inner/more.txt", place.0.path("data/inside.txt")).unwrap();
    symlink("../secret.txt", place.0.path("data/up.txt")).unwrap();
    symlink(place.0.path("secret.txt"), place.0.path("data/absolute.txt")).unwrap();
    symlink("/", place.0.path("data/root")).unwrap();
    symlink("up.txt", place.0.path("data/twice.txt")).unwrap();
    symlink("loop.txt", place.0.path("data/loop.txt")).unwrap();
    assert_eq!(place.read("policies/data/inside.txt").await, "edsger", "it stays inside");
    for path in ["up.txt", "absolute.txt", "root/etc/passwd", "twice.txt"] {
        assert_eq!(place.read(&format!("policies/data/{path}")).await, "OUTSIDE", "{path}");
    }
    let seen = place.read("policies/data/loop.txt").await;
    assert!(!seen.is_empty() && seen != "MISSING", "{seen}");
    // What leads out is not even listed.
    assert_eq!(place.notices(&listing("policies/data")).await, ["inner", "inside.txt", "owners.txt"]);
}

#[tokio::test]
async fn what_is_no_file_is_named() {
    let place = Place::new();
    let pipe = place.0.path("data/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(place.read("policies/data/pipe").await, "it is not a regular file", "and nobody waits for a writer");
    assert_eq!(place.read("policies/data").await, "it is a folder");
    assert_eq!(place.read("policies/data/").await, "it is a folder");
    assert_eq!(place.read("policies/data/inner").await, "it is a folder");
    let seen = place.read("policies/data/owners.txt/more").await;
    assert!(seen.contains("ot a directory"), "{seen}");
    let seen = place.read("policies/data/a\0b").await;
    assert!(!seen.is_empty() && seen != "MISSING", "{seen}");
    assert_eq!(place.notices(&listing("policies/data")).await, ["inner", "owners.txt"], "a pipe is left out");
    let devices = Folder::new();
    let mut plugin = devices.plugin("reader", reading("dev/zero").bytes());
    plugin.grants.read.push(ReadGrant { path: "/dev".into(), name: "dev".to_owned() });
    assert_eq!(notices(plugin).await, ["it is not a regular file"]);
}

#[tokio::test]
async fn a_huge_file_is_not_read() {
    let place = Place::new();
    fs::File::create(place.0.path("data/huge")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(place.read("policies/data/huge").await, "TOO LARGE");
    let mut plugin = place.plugin(&reading("policies/data/owners.txt"));
    plugin.limits = Limits { answer: 9, ..Limits::default() };
    // The notice itself would be too large.
    let shown = Component::gate().import_granted(Granted::Read).body(
        Function::Review,
        "(local.set $from (call $allocate (i32.const 24)))
        (call $read (text \"policies/data/owners.txt\") (local.get $from))
        (i32.store8 (local.get $answer) (i32.eqz (i32.and (i32.load8_u (local.get $from))
            (i32.eq (i32.load8_u offset=4 (local.get $from)) (i32.const 2)))))",
    );
    plugin = PluginDefinition { limits: Limits { answer: 1000, ..Limits::default() }, ..plugin };
    assert_eq!(notices(plugin.clone()).await, ["ada, grace"]);
    fs::write(place.0.path("data/owners.txt"), vec![b'x'; 1001]).unwrap();
    let limited = place.plugin(&shown);
    assert_eq!(notices(PluginDefinition { limits: plugin.limits, ..limited }).await, Vec::<String>::new());
}

#[tokio::test]
async fn content_need_not_be_text() {
    let place = Place::new();
    fs::write(place.0.path("data/owners.txt"), [0xff, 0, 0xfe]).unwrap();
    let seen = place.0.plugin("reader", reading("policies/data/owners.txt").bytes());
    let mut plugin = PluginDefinition { ..seen };
    plugin.grants.read.push(ReadGrant { path: place.0.path("data"), name: "policies/data".to_owned() });
    // As an answer it would have to be text; as content it arrives.
    assert_eq!(rule(&denial(&review(plugin).await, "reader")), "plugin-trap");
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_a_problem() {
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"data/\xff.txt");
    fs::write(place.0.path("").join(name), "").unwrap();
    let seen = place.notices(&listing("policies/data")).await.concat();
    assert!(seen.contains("not UTF-8") && seen.contains("\\xFF"), "{seen}");
    assert_eq!(place.read("policies/data/owners.txt").await, "ada, grace", "the others can be read");
}

#[tokio::test]
async fn folders_are_listed_by_name() {
    let place = Place::new();
    assert_eq!(place.notices(&listing("policies/data")).await, ["inner", "owners.txt"]);
    assert_eq!(place.notices(&listing("policies/data/inner/")).await, ["more.txt"]);
    let folders = Component::gate().import_granted(Granted::Folders).body(
        Function::Review,
        "(local.set $from (call $allocate (i32.const 24)))
        (call $folders (local.get $from))
        (i64.store offset=24 align=4 (local.get $answer) (i64.load align=4 (local.get $from)))",
    );
    let mut plugin = place.plugin(&folders);
    plugin.grants.read.push(ReadGrant { path: place.0.path("data/inner"), name: "a/../b".to_owned() });
    assert_eq!(notices(plugin).await, ["policies/data", "a/../b"], "as the configuration writes them");
}

#[tokio::test]
async fn of_two_folders_the_inner_one_counts() {
    let place = Place::new();
    let mut plugin = place.plugin(&reading("policies/data/inner/owners.txt"));
    plugin.grants.read.push(ReadGrant { path: place.0.path("data"), name: "policies/data/inner/".to_owned() });
    assert_eq!(notices(plugin).await, ["ada, grace"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_refuses_the_plugin() {
    let place = Place::new();
    let mut plugin = place.plugin(&reading("policies/data/owners.txt"));
    plugin.grants.read.push(ReadGrant { path: place.0.path("nowhere"), name: "nowhere".to_owned() });
    let verdict = denial(&review(plugin).await, "reader");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(verdict.message.contains("can't be given the folder `nowhere`"), "{}", verdict.message);
}

#[tokio::test]
async fn without_the_grant_the_import_is_refused_with_the_line_to_add() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("reader", reading("policies/data/owners.txt").bytes());
    let verdict = denial(&review(plugin.clone()).await, "reader");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(
        verdict.message.contains("imports `runner:policy/files@0.1.2`, which is not granted"),
        "{}",
        verdict.message
    );
    let help = "add `grants = { read = [\"…\"] }` to `[plugins.reader]` if it shall have it";
    assert_eq!(verdict.help.as_deref(), Some(help));
    plugin.grants.env.push("TEAM".to_owned());
    let verdict = denial(&review(plugin).await, "reader");
    let help = "add `grants = { env = [\"TEAM\"], read = [\"…\"] }` to `[plugins.reader]` if it shall have it";
    assert_eq!(verdict.help.as_deref(), Some(help), "what it has is kept");
}
