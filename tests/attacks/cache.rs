//! Native code is executed, so the folder that holds it is a target.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::attack::Attack;
use crate::files::make_private;
use crate::project::Project;

/// Whatever is done to the cache, the plugin is the one in its file: it denies.
pub(crate) fn all() -> Vec<Attack> {
    let denies = Component::gate().body(Function::Review, &bodies::deny("not today")).bytes();
    let attack =
        |name: &str, setting: fn(&Project)| Attack::with(name, denies.clone(), &["tested"], "not today").after(setting);
    vec![
        attack("a cache entry with flipped bits", |project| {
            for entry in filled(project) {
                let mut bytes = std::fs::read(&entry).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(&entry, bytes).unwrap();
            }
        }),
        attack("a cache entry that is cut off", |project| {
            for entry in filled(project) {
                let bytes = std::fs::read(&entry).unwrap();
                std::fs::write(&entry, &bytes[..bytes.len() / 2]).unwrap();
            }
        }),
        attack("the cache entry of a plugin that allows, put in its place", |project| {
            let denying = filled(project);
            let evil = std::fs::read(project.path("evil.wasm")).unwrap();
            std::fs::write(project.path("evil.wasm"), Component::gate().bytes()).unwrap();
            let allowing: Vec<PathBuf> = filled(project).into_iter().filter(|entry| !denying.contains(entry)).collect();
            std::fs::write(project.path("evil.wasm"), evil).unwrap();
            for entry in denying {
                std::fs::copy(&allowing[0], entry).unwrap();
            }
        }),
        attack("a cache entry that is a link to something else", |project| {
            for entry in filled(project) {
                let elsewhere = project.path("elsewhere");
                std::fs::rename(&entry, &elsewhere).unwrap();
                std::os::unix::fs::symlink(&elsewhere, &entry).unwrap();
            }
        }),
        attack("a cache folder that everybody may write to", |project| {
            filled(project);
            std::fs::set_permissions(project.cache(), std::fs::Permissions::from_mode(0o777)).unwrap();
        }),
        attack("a cache folder that is a file", |project| {
            std::fs::write(project.cache(), "").unwrap();
        }),
        attack("a cache folder of somebody else", |project| {
            filled(project);
            // Tests that don't run as root can't give a folder away; then the folder is a link, which is no folder of ours.
            if std::os::unix::fs::chown(project.cache(), Some(65_534), Some(65_534)).is_err() {
                let elsewhere = project.path("elsewhere");
                std::fs::rename(project.cache(), &elsewhere).unwrap();
                std::os::unix::fs::symlink(&elsewhere, project.cache()).unwrap();
            }
        }),
        attack("eight runners that fill one cache", |project| {
            std::fs::create_dir(project.cache()).unwrap();
            make_private(&project.cache());
            std::thread::scope(|scope| {
                for number in 0..8 {
                    scope.spawn(move || assert_eq!(project.run_aside(number, &["plan"]), 0));
                }
            });
        }),
    ]
}

/// The entries of the cache after a command that loaded every plugin.
fn filled(project: &Project) -> Vec<PathBuf> {
    let _ = std::fs::create_dir(project.cache());
    make_private(&project.cache());
    assert_eq!(project.run(&["plan"]).code, 0);
    std::fs::read_dir(project.cache()).unwrap().map(|entry| entry.unwrap().path()).collect()
}
