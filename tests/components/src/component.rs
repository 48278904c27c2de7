//! The builder.

use std::collections::BTreeMap;

use wit_component::ComponentEncoder;
use wit_component::StringEncoding;

use crate::bodies;
use crate::contract;
use crate::module;

/// What a component can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `runner:policy/environment`
    Environment,
    /// `runner:policy/lint`
    Lint,
    /// `runner:policy/gate`
    Gate,
    /// `runner:policy/notify`
    Notify,
}

impl Role {
    /// All roles, in the order in which a host asks them.
    pub const ALL: [Role; 4] = [Role::Environment, Role::Lint, Role::Gate, Role::Notify];

    /// Name of the interface.
    pub fn name(self) -> &'static str {
        match self {
            Role::Environment => "environment",
            Role::Lint => "lint",
            Role::Gate => "gate",
            Role::Notify => "notify",
        }
    }

    /// The function that decides on a plan, or for `notify` words an event.
    pub fn question(self) -> Function {
        match self {
            Role::Environment => Function::Judge,
            Role::Lint => Function::Check,
            Role::Gate => Function::Review,
            Role::Notify => Function::Announce,
        }
    }

    fn functions(self) -> &'static [Function] {
        match self {
            Role::Environment => &[Function::Levels, Function::Identify, Function::Judge],
            Role::Lint => &[Function::Rules, Function::Check],
            Role::Gate => &[Function::Review],
            Role::Notify => &[Function::Announce],
        }
    }
}

/// A function of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// `plugin.describe`
    Describe,
    /// `plugin.check-settings`
    CheckSettings,
    /// `environment.levels`
    Levels,
    /// `environment.identify`
    Identify,
    /// `environment.judge`
    Judge,
    /// `lint.rules`
    Rules,
    /// `lint.check`
    Check,
    /// `gate.review`
    Review,
    /// `notify.announce`
    Announce,
}

impl Function {
    /// Interface and name, as in `gate` and `review`.
    pub(crate) fn path(self) -> (&'static str, &'static str) {
        match self {
            Function::Describe => ("plugin", "describe"),
            Function::CheckSettings => ("plugin", "check-settings"),
            Function::Levels => ("environment", "levels"),
            Function::Identify => ("environment", "identify"),
            Function::Judge => ("environment", "judge"),
            Function::Rules => ("lint", "rules"),
            Function::Check => ("lint", "check"),
            Function::Review => ("gate", "review"),
            Function::Announce => ("notify", "announce"),
        }
    }

    fn well_behaved(self) -> String {
        match self {
            Function::Describe => bodies::describe("tester", "1.0.0", "A policy for tests.", &[]),
            Function::Levels => bodies::levels(),
            Function::Identify => bodies::identify(),
            Function::Judge => bodies::judge_each(bodies::Step::Allow, ""),
            Function::Rules => bodies::rules(),
            Function::CheckSettings | Function::Check | Function::Review | Function::Announce => String::new(),
        }
    }
}

/// A function that a component may import if the operator grants it. Each takes as its last parameter the address of 24
/// bytes for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// `files.folders`
    Folders,
    /// `files.read`, of an address and a length
    Read,
    /// `files.entries`, of an address and a length
    Entries,
    /// `facts.relations`
    Relations,
    /// `facts.recent`, of a limit
    Recent,
}

impl Granted {
    /// Interface, name and core signature.
    fn path(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Granted::Folders => ("files", "folders", "(param i32)"),
            Granted::Read => ("files", "read", "(param i32 i32 i32)"),
            Granted::Entries => ("files", "entries", "(param i32 i32 i32)"),
            Granted::Relations => ("facts", "relations", "(param i32)"),
            Granted::Recent => ("facts", "recent", "(param i32 i32)"),
        }
    }
}

/// Something that a component imports beyond the contract.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// As in `wasi:cli`.
    pub(crate) package: String,
    /// As in `environment`.
    pub(crate) interface: String,
    /// As in `0.2.0`.
    pub(crate) version: String,
    /// As in `get-environment`.
    pub(crate) function: String,
    /// In WIT, as in `get-environment: func() -> list<tuple<string, string>>;`, with the types it needs.
    pub(crate) definition: String,
    /// Of the core function, as in `(param i32)`.
    pub(crate) signature: String,
}

impl Import {
    /// Whether `wit/` defines it.
    pub(crate) fn is_of_contract(&self) -> bool {
        self.definition.is_empty()
    }
}

/// A policy component in the making.
#[derive(Clone, Debug)]
pub struct Component {
    bodies: BTreeMap<Function, String>,
    imports: Vec<Import>,
    allocator: Option<String>,
    fields: String,
    version: String,
}

impl Component {
    /// A component with these roles, well-behaved in each of them. No role at all is possible.
    pub fn of(roles: &[Role]) -> Self {
        let functions = roles.iter().flat_map(|role| role.functions()).copied();
        let bodies = [Function::Describe, Function::CheckSettings].into_iter().chain(functions);
        Component {
            bodies: bodies.map(|function| (function, function.well_behaved())).collect(),
            imports: Vec::new(),
            allocator: None,
            fields: String::new(),
            version: contract::FIRST.to_owned(),
        }
    }

    /// A gate that allows.
    pub fn gate() -> Self {
        Component::of(&[Role::Gate])
    }

    /// An environment policy that knows `development` (10) and `production` (100), and allows every step.
    pub fn environment() -> Self {
        Component::of(&[Role::Environment])
    }

    /// A lint that has a rule `tested` and finds nothing.
    pub fn lint() -> Self {
        Component::of(&[Role::Lint])
    }

    /// A notifier without messages.
    pub fn notify() -> Self {
        Component::of(&[Role::Notify])
    }

    /// Replaces the body of a function, in WebAssembly text. The function need not belong to a role of the component; then
    /// nothing changes.
    #[must_use]
    pub fn body(mut self, function: Function, body: &str) -> Self {
        if let Some(replaced) = self.bodies.get_mut(&function) {
            body.clone_into(replaced);
        }
        self
    }

    /// Adds fields to the core module: functions, globals, tables, further memories.
    #[must_use]
    pub fn fields(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Replaces the body of `cabi_realloc`, through which the host asks for the memory that it puts arguments into. Its
    /// parameters are `$old`, `$had`, `$align` and `$size`.
    #[must_use]
    pub fn allocator(mut self, body: &str) -> Self {
        self.allocator = Some(body.to_owned());
        self
    }

    /// Builds against the contract under another version number.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Imports a function beyond the contract. `interface` is written as in `wasi:cli/environment@0.2.0`, `definition` is
    /// WIT and starts with the name of the function, which is also its name in bodies; `signature` is that of the core
    /// function, as in `(param i32)`.
    ///
    /// # Panics
    /// When `interface` is not of that form.
    #[must_use]
    pub fn import(self, interface: &str, definition: &str, signature: &str) -> Self {
        let (function, _) = definition.split_once(':').expect("the definition starts with a name");
        self.import_as(interface, definition, function, signature)
    }

    /// The same, where the core function has a name of its own, as in `[method]pollable.block`. In bodies it is called by
    /// what follows the dot.
    ///
    /// # Panics
    /// When `interface` is not of the form `wasi:io/poll@0.2.0`.
    #[must_use]
    pub fn import_as(mut self, interface: &str, definition: &str, function: &str, signature: &str) -> Self {
        let (path, version) = interface.split_once('@').expect("the interface has a version");
        let (package, name) = path.split_once('/').expect("the interface has a package");
        self.imports.push(Import {
            package: package.to_owned(),
            interface: name.to_owned(),
            version: version.to_owned(),
            function: function.to_owned(),
            definition: definition.to_owned(),
            signature: signature.to_owned(),
        });
        self
    }

    /// Defines types of an interface that other imports use, in WIT, and calls nothing of it.
    ///
    /// # Panics
    /// When `interface` is not of the form `wasi:io/poll@0.2.0`.
    #[must_use]
    pub fn types(self, interface: &str, definition: &str) -> Self {
        self.import_as(interface, definition, "", "")
    }

    /// Imports a function of `files` or `facts`, as the newest version of the contract defines it. In bodies it is called by
    /// its name.
    #[must_use]
    pub fn import_granted(self, granted: Granted) -> Self {
        let (interface, function, signature) = granted.path();
        self.import_as(&format!("runner:policy/{interface}@{}", contract::CURRENT), "", function, signature)
    }

    /// The core module alone, without the description that makes a component of it.
    ///
    /// # Panics
    /// When a body is not WebAssembly text.
    pub fn core_module(&self) -> Vec<u8> {
        let text = module::text(&module::Parts {
            bodies: &self.bodies,
            imports: &self.imports,
            allocator: self.allocator.as_deref(),
            fields: &self.fields,
            version: &self.version,
        });
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// The component.
    ///
    /// # Panics
    /// When a body is not valid WebAssembly, or imports and exports do not fit together.
    pub fn bytes(&self) -> Vec<u8> {
        let mut module = self.core_module();
        let interfaces = self.bodies.keys().map(|function| function.path().0);
        let (resolve, world) = contract::world(interfaces, &self.imports, &self.version);
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
            .expect("the world can be embedded");
        let encoded = ComponentEncoder::default().validate(true).module(&module).and_then(ComponentEncoder::encode);
        encoded.unwrap_or_else(|error| panic!("{error:#}"))
    }
}

impl Component {
    /// The component, which exports the interface `exported` under the name `again` as well. Both are written as in
    /// `runner:policy/gate@0.1.0`.
    ///
    /// # Panics
    /// When it exports no such interface.
    pub fn exporting_again(&self, exported: &str, again: &str) -> Vec<u8> {
        /// In the binary form: the sort of an instance, and the section of exports.
        const INSTANCE: u8 = 5;
        const EXPORTS: u8 = 11;
        let mut bytes = self.bytes();
        let entry = [exported.as_bytes(), &[INSTANCE]].concat();
        let at = bytes.windows(entry.len()).rposition(|window| window == entry).expect("it is exported") + entry.len();
        let (index, name_length) = (bytes[at], u8::try_from(again.len()).expect("the name is short"));
        assert!(index < 0x80 && again.len() < 100, "numbers of one byte");
        let section = [&[1, 0, name_length], again.as_bytes(), &[INSTANCE, index, 0]].concat();
        bytes.extend([EXPORTS, u8::try_from(section.len()).expect("the section is short")]);
        bytes.extend(section);
        bytes
    }

    /// A component that is no policy: it exports the interface `acme:tools/clock` and nothing of the contract.
    ///
    /// # Panics
    /// Never; the text is constant.
    pub fn of_another_world() -> Vec<u8> {
        let text = r#"(component
            (core module $module (func (export "tick") (result i32) (i32.const 1)))
            (core instance $instance (instantiate $module))
            (func $tick (result u32) (canon lift (core func $instance "tick")))
            (instance $clock (export "tick" (func $tick)))
            (export "acme:tools/clock@1.0.0" (instance $clock)))"#;
        wat::parse_str(text).expect("the text is a component")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mix_of_roles_makes_a_component() {
        for first in Role::ALL {
            for second in Role::ALL {
                assert!(Component::of(&[first, second]).bytes().starts_with(b"\0asm\x0d\0\x01\0"));
            }
        }
        assert!(Component::of(&[]).bytes().starts_with(b"\0asm\x0d\0\x01\0"));
        assert!(Component::of_another_world().starts_with(b"\0asm\x0d\0\x01\0"));
    }

    #[test]
    fn imports_beyond_the_contract_are_possible() {
        let component = Component::gate()
            .import("acme:net/socket@1.0.0", "connect: func();", "")
            .import("acme:net/dns@1.0.0", "resolve: func(name: string) -> u32;", "(param i32 i32) (result i32)")
            .body(Function::Review, "(call $connect) (drop (call $resolve (text \"example.org\")))");
        assert!(component.bytes().len() > component.core_module().len());
    }
}
