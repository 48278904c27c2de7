//! Files that are something else than a policy.

use policy_components::Component;
use policy_components::Function;

use crate::attack::Attack;
use crate::project::Project;

const OTHER: &[&str] = &["plugin-not-a-component"];

pub(crate) fn all() -> Vec<Attack> {
    let gate = Component::gate().bytes();
    let mut damaged = gate.clone();
    for byte in damaged.iter_mut().skip(40).step_by(97) {
        *byte ^= 0x55;
    }
    let later_patch = Component::gate().version("0.1.7").body(Function::Review, "").bytes();
    vec![
        Attack::with("a component of 200 MB", padded(200 << 20), &["plugin-unreadable"], "larger than 64.0 MiB"),
        Attack::with("a component with 60 MB of nothing", padded(60 << 20), &[], "").harmless(""),
        Attack::with("a component that is cut off", gate[..gate.len() / 2].to_vec(), OTHER, ""),
        Attack::with("a component with flipped bits", damaged, OTHER, ""),
        Attack::with("a core module", Component::gate().core_module(), OTHER, "core module"),
        Attack::with("an empty file", Vec::new(), OTHER, "it is empty"),
        Attack::with("text", b"(component)\n".to_vec(), OTHER, "it is text"),
        Attack::with("an ELF program", b"\x7fELF\x02\x01\x01\0".to_vec(), OTHER, "native code"),
        Attack::with("native code of the cache as a plugin", gate.clone(), OTHER, "native code").after(native_code),
        Attack::with(
            "a component of another world",
            Component::of_another_world(),
            &["plugin-other-world"],
            "acme:tools/clock",
        ),
        Attack::with("a component without a role", Component::of(&[]).bytes(), &["plugin-other-world"], "no role"),
        Attack::with(
            "a component for a later contract",
            Component::gate().version("0.9.0").bytes(),
            &["plugin-other-world"],
            "@0.9.0",
        ),
        Attack::with("a component for a later patch of the contract", later_patch, &[], "").harmless(""),
        Attack::with("a folder", Vec::new(), &["plugin-unreadable"], "not a regular file").after(|project| {
            replace(project, |path| std::fs::create_dir(path).unwrap());
        }),
        #[cfg(unix)]
        Attack::with("an endless device", Vec::new(), &["plugin-unreadable"], "not a regular file").after(|project| {
            replace(project, |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap());
        }),
        Attack::with("nothing at all", Vec::new(), &["plugin-unreadable"], "no such file").after(|project| {
            replace(project, |_| {});
        }),
    ]
}

fn replace(project: &Project, with: impl Fn(&std::path::Path)) {
    let evil = project.path("evil.wasm");
    std::fs::remove_file(&evil).unwrap();
    with(&evil);
}

/// A well-behaved component with a custom section of zeros behind it.
fn padded(size: usize) -> Vec<u8> {
    let mut bytes = Component::gate().bytes();
    let name = b"\x04rest";
    bytes.push(0);
    let mut length = size + name.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(name);
    bytes.resize(bytes.len() + size, 0);
    bytes
}

/// Lets the runner compile the component, and hands its native code in as the plugin.
fn native_code(project: &Project) {
    std::fs::create_dir(project.cache()).unwrap();
    make_private(&project.cache());
    assert_eq!(project.run(&["plan"]).code, 0);
    let entries: Vec<_> = std::fs::read_dir(project.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let native = entries.iter().find(|entry| entry.extension().is_some_and(|extension| extension == "native")).unwrap();
    std::fs::copy(native, project.path("evil.wasm")).unwrap();
}

#[cfg(unix)]
pub(crate) fn make_private(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}
