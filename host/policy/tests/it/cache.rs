//! Native code on disk: found again, private, and never trusted when it is not what was written.

use std::fs;
use std::path::PathBuf;

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use runner_policy::Cache;
use runner_policy::Decision;
use runner_policy::Host;
use runner_policy::Policies;
use runner_policy::Review;

use crate::support::Folder;
use crate::support::ROLES;
use crate::support::block_on;
use crate::support::request;
use crate::support::set;

/// A plugin that says `name`, and a cache in a folder of the test.
struct Cached {
    folder: Folder,
}

impl Cached {
    fn new() -> Self {
        Cached { folder: Folder::new() }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path("cache")
    }

    fn saying(name: &str) -> Vec<u8> {
        Component::gate().body(Function::Review, &bodies::allow_because(name)).bytes()
    }

    /// Loads and asks a plugin that says its name, and gives whether its native code was found.
    #[track_caller]
    fn load(&self, name: &str) -> bool {
        self.load_with(name, Cache::Folder(self.cache()))
    }

    #[track_caller]
    fn load_with(&self, name: &str, cache: Cache) -> bool {
        let plugin = self.folder.plugin(name, Self::saying(name));
        let host = Host::new(cache).with_variables(|_| None);
        let (cached, review): (bool, Review) = block_on(async {
            let policies = Policies::load(&host, &set([plugin]), &ROLES).await;
            let request = request();
            let identity = policies.identify(&request.context).await;
            (policies.reports().remove(0).cached, policies.review(request, &identity).await)
        });
        let said: Vec<_> = review.verdicts.iter().map(|verdict| (verdict.decision, verdict.message.as_str())).collect();
        assert_eq!(said, [(Decision::Allow, name)], "whatever the cache holds, the component decides");
        cached
    }

    fn entries(&self) -> Vec<PathBuf> {
        let mut entries: Vec<_> = match fs::read_dir(self.cache()) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        };
        entries.sort();
        entries
    }

    fn entry(&self) -> PathBuf {
        let mut entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    }
}

#[test]
fn native_code_is_found_again() {
    let cached = Cached::new();
    assert!(!cached.load("one"), "there is nothing yet");
    let entry = fs::read(cached.entry()).unwrap();
    assert!(cached.load("one"));
    assert_eq!(fs::read(cached.entry()).unwrap(), entry, "it is not written again");
}

#[test]
fn entries_are_named_by_digest() {
    use sha2::Digest as _;
    let cached = Cached::new();
    assert!(!cached.load("one"));
    assert!(!cached.load("two"));
    assert_eq!(cached.entries().len(), 2);
    for name in ["one", "two"] {
        let digest: String =
            sha2::Sha256::digest(Cached::saying(name)).iter().map(|byte| format!("{byte:02x}")).collect();
        let entry = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&digest);
        assert!(cached.entries().iter().any(entry), "{name}");
        assert!(cached.load(name));
    }
}

/// The name of the file is no part of it, its content is.
#[test]
fn a_plugin_that_changes_is_compiled_again() {
    let cached = Cached::new();
    let host = Host::new(Cache::Folder(cached.cache())).with_variables(|_| None);
    for text in ["before", "after"] {
        let plugin = cached.folder.plugin("plugin", Cached::saying(text));
        let (_, review) = block_on(crate::support::consult(&host, &set([plugin]), request()));
        assert_eq!(review.verdicts[0].message, text);
    }
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let cached = Cached::new();
    cached.load("one");
    let entry = cached.entry();
    let whole = fs::read(&entry).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let mut longer = whole.clone();
    longer.extend([0; 64]);
    for (what, bytes) in [
        ("a bit of the header", flipped(0)),
        ("a bit of the checksum", flipped(whole.len() - 20)),
        ("a bit of the code", flipped(whole.len() / 2)),
        ("the last bit", flipped(whole.len() - 1)),
        ("nothing", Vec::new()),
        ("less than a checksum", whole[..10].to_vec()),
        ("a checksum alone", whole[whole.len() - 32..].to_vec()),
        ("a half", whole[..whole.len() / 2].to_vec()),
        ("too much", longer),
        ("text", b"this is no native code, but it is longer than a checksum".to_vec()),
    ] {
        fs::write(&entry, bytes).unwrap();
        assert!(!cached.load("one"), "{what} was trusted");
        assert_eq!(fs::read(&entry).unwrap(), whole, "{what} is repaired");
        assert!(cached.load("one"), "{what}");
    }
}

/// A checksum that fits does not make native code of something else.
#[test]
fn a_sealed_entry_that_is_no_native_code_is_compiled_again() {
    use sha2::Digest as _;
    let cached = Cached::new();
    cached.load("one");
    let entry = cached.entry();
    for code in [b"not an ELF file at all".to_vec(), Cached::saying("two")] {
        let component = sha2::Sha256::digest(Cached::saying("one"));
        let seal = sha2::Sha256::new().chain_update(component).chain_update(&code).finalize();
        fs::write(&entry, [code, seal.to_vec()].concat()).unwrap();
        assert!(!cached.load("one"));
        assert!(cached.load("one"));
    }
}

/// An entry belongs to one component, whatever its file is called.
#[test]
fn an_entry_of_another_component_is_not_taken() {
    let cached = Cached::new();
    cached.load("one");
    let one = cached.entry();
    cached.load("two");
    let two = cached.entries().into_iter().find(|entry| *entry != one).unwrap();
    fs::copy(&one, &two).unwrap();
    assert!(!cached.load("two"));
}

#[cfg(unix)]
#[test]
fn the_folder_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let cached = Cached::new();
    cached.load("one");
    assert_eq!(fs::metadata(cached.cache()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(cached.entry()).unwrap().permissions().mode() & 0o022, 0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o770, 0o720, 0o707, 0o777] {
        let cached = Cached::new();
        fs::create_dir(cached.cache()).unwrap();
        fs::set_permissions(cached.cache(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(!cached.load("one"));
        assert_eq!(cached.entries(), Vec::<PathBuf>::new(), "nothing is written to it ({mode:o})");

        // What is in it is not run either.
        fs::set_permissions(cached.cache(), fs::Permissions::from_mode(0o700)).unwrap();
        cached.load("one");
        assert!(cached.load("one"));
        fs::set_permissions(cached.cache(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(!cached.load("one"), "{mode:o}");
    }
}

/// Somebody else may have put it there before the folder was made private.
#[cfg(unix)]
#[test]
fn an_entry_that_others_could_have_written_is_compiled_again() {
    use std::os::unix::fs::PermissionsExt as _;
    type Planted = fn(&Cached, &PathBuf);
    let others_may_write: Planted = |_, entry| fs::set_permissions(entry, fs::Permissions::from_mode(0o666)).unwrap();
    let its_group_may_write: Planted =
        |_, entry| fs::set_permissions(entry, fs::Permissions::from_mode(0o620)).unwrap();
    let it_has_two_names: Planted = |cached, entry| fs::hard_link(entry, cached.folder.path("kept")).unwrap();
    let of_somebody_else: Planted = |_, entry| {
        // Only root can give a file away; others leave it open to all.
        if std::os::unix::fs::chown(entry, Some(65_534), None).is_err() {
            fs::set_permissions(entry, fs::Permissions::from_mode(0o666)).unwrap();
        }
    };
    for (number, plant) in
        [others_may_write, its_group_may_write, it_has_two_names, of_somebody_else].into_iter().enumerate()
    {
        let cached = Cached::new();
        cached.load("one");
        plant(&cached, &cached.entry());
        assert!(!cached.load("one"), "{number}");
        assert!(cached.load("one"), "it is replaced by one of our own ({number})");
    }
}

/// Whoever can rename the folder can put another one in its place.
#[cfg(unix)]
#[test]
fn a_folder_below_one_that_everybody_may_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let cached = Cached::new();
    let open = cached.folder.path("open");
    let below = open.join("mine/cache");
    fs::create_dir_all(&below).unwrap();
    fs::set_permissions(&below, fs::Permissions::from_mode(0o700)).unwrap();
    for (mode, is_used) in [(0o777, false), (0o1777, true), (0o755, true)] {
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        cached.load_with("one", Cache::Folder(below.clone()));
        assert_eq!(cached.load_with("one", Cache::Folder(below.clone())), is_used, "{mode:o}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let cached = Cached::new();
    cached.load("one");
    let entry = cached.entry();
    let elsewhere = cached.folder.path("elsewhere");
    fs::rename(&entry, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &entry).unwrap();
    assert!(!cached.load("one"), "an entry that is a link");

    let linked = cached.folder.path("linked");
    std::os::unix::fs::symlink(cached.cache(), &linked).unwrap();
    assert!(!cached.load_with("one", Cache::Folder(linked)), "a folder that is a link");
}

#[test]
fn without_a_usable_folder_everything_still_works() {
    let cached = Cached::new();
    let file = cached.folder.path("file");
    fs::write(&file, "x").unwrap();
    for folder in [file.clone(), file.join("below"), PathBuf::from("/proc/self/nothing")] {
        assert!(!cached.load_with("one", Cache::Folder(folder)));
    }
    assert!(!cached.load_with("one", Cache::None));
    assert_eq!(fs::read(file).unwrap(), b"x");
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_read_or_written_is_done_without() {
    use std::os::unix::fs::PermissionsExt as _;
    let cached = Cached::new();
    for mode in [0o000, 0o500] {
        fs::create_dir_all(cached.cache()).unwrap();
        fs::set_permissions(cached.cache(), fs::Permissions::from_mode(mode)).unwrap();
        // Whether it is found depends on who runs the test: nothing is closed to root.
        cached.load("one");
        cached.load("one");
        fs::set_permissions(cached.cache(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    // An entry that is a folder is in the way of both reading and writing.
    cached.load("two");
    let entries = cached.entries();
    for entry in &entries {
        fs::remove_file(entry).unwrap();
        fs::create_dir(entry).unwrap();
    }
    assert!(!cached.load("two"));
    assert_eq!(cached.entries(), entries, "nothing half-written is left");
}

#[test]
fn hosts_that_fill_a_cache_at_the_same_time_do_not_disturb_each_other() {
    let cached = Cached::new();
    for round in 0..4 {
        let name = format!("round-{round}");
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let host = Host::new(Cache::Folder(cached.cache())).with_variables(|_| None);
                    let own = Folder::new();
                    let plugin = own.plugin("plugin", Cached::saying(&name));
                    let (_, review) = block_on(crate::support::consult(&host, &set([plugin]), request()));
                    assert_eq!(review.verdicts[0].message, name);
                });
            }
        });
        assert_eq!(cached.entries().len(), round + 1, "one entry, and nothing half-written: {:?}", cached.entries());
        assert!(cached.load(&name));
    }
}

#[test]
fn a_relative_or_missing_place_means_no_cache() {
    assert!(matches!(Cache::of_user(Some("relative/folder".into())), Cache::None));
    let folder = Folder::new();
    assert!(matches!(Cache::of_user(Some(folder.path("cache"))), Cache::Folder(_)));
}
