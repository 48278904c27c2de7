//! The reference of the contract, `docs/wit.md`, is written from `wit/`; this test checks that it still is.
//! `UPDATE_DOCS=1 cargo test -p runner-policy --test it wit_reference` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use wit_parser::Docs;
use wit_parser::Function;
use wit_parser::Interface;
use wit_parser::Resolve;
use wit_parser::Type;
use wit_parser::TypeDefKind;
use wit_parser::TypeId;
use wit_parser::TypeOwner;
use wit_parser::World;
use wit_parser::WorldItem;

/// The version that the reference is about.
const VERSION: &str = "0.1.2";

/// Interfaces in the order in which an author meets them.
const ORDER: [&str; 10] =
    ["plugin", "environment", "lint", "revision-lint", "gate", "notify", "log", "files", "facts", "types"];

fn reference() -> String {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).join(VERSION);
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&folder).unwrap();
    let package = &resolve.packages[package];
    let mut text = format!(
        "# The contract\n\nWritten from `wit/{VERSION}`; do not edit.\n\n{}\n\n## Interfaces\n\n",
        docs(&package.docs)
    );
    let mut listed: Vec<&str> = package.interfaces.keys().map(String::as_str).collect();
    listed
        .sort_by_key(|name| ORDER.iter().position(|known| known == name).expect("an interface that is not in `ORDER`"));
    let what = |name: &str| match name {
        "plugin" => "every policy exports it",
        "log" => "import, given to every policy",
        "files" => "import, with the grant `read`",
        "facts" => "import, with the grant `facts`",
        "types" => "data of all others",
        _ => "a role; a policy exports at least one",
    };
    for name in &listed {
        writeln!(text, "- [`{name}`](#{name}): {}", what(name)).unwrap();
    }
    for name in listed {
        interface(&mut text, &resolve, &resolve.interfaces[package.interfaces[name]], name);
    }
    text.push_str("\n## Worlds\n");
    for id in package.worlds.values() {
        world(&mut text, &resolve, &resolve.worlds[*id]);
    }
    text
}

/// A comment as Markdown.
fn docs(docs: &Docs) -> &str {
    docs.contents.as_deref().unwrap_or_default().trim()
}

/// The same on one line, for a cell of a table.
fn line(text: &Docs) -> String {
    docs(text).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn interface(text: &mut String, resolve: &Resolve, interface: &Interface, name: &str) {
    writeln!(text, "\n## `{name}`\n\n{}", docs(&interface.docs)).unwrap();
    for function in interface.functions.values() {
        writeln!(
            text,
            "\n### {name}: `{}`\n\n```wit\n{}\n```\n\n{}",
            function.name,
            signature(resolve, function),
            docs(&function.docs)
        )
        .unwrap();
    }
    for (type_name, id) in &interface.types {
        definition(text, resolve, name, type_name, *id);
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters =
        function.params.iter().map(|parameter| format!("{}: {}", parameter.name, shown(resolve, &parameter.ty)));
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let result = function.result.map_or_else(String::new, |result| format!(" -> {}", shown(resolve, &result)));
    format!("{}: func({parameters}){result}", function.name)
}

/// A type that an interface defines itself; what it takes from another is described there.
fn definition(text: &mut String, resolve: &Resolve, interface: &str, name: &str, id: TypeId) {
    let defined = &resolve.types[id];
    let (kind, head, rows): (&str, &str, Vec<[String; 3]>) = match &defined.kind {
        TypeDefKind::Record(record) => (
            "record",
            "field | type",
            record
                .fields
                .iter()
                .map(|field| [field.name.clone(), shown(resolve, &field.ty), line(&field.docs)])
                .collect(),
        ),
        TypeDefKind::Variant(variant) => (
            "variant",
            "case | holds",
            variant
                .cases
                .iter()
                .map(|case| {
                    let holds = case.ty.map_or_else(String::new, |ty| shown(resolve, &ty));
                    [case.name.clone(), holds, line(&case.docs)]
                })
                .collect(),
        ),
        TypeDefKind::Enum(cases) => (
            "enum",
            "case | ",
            cases.cases.iter().map(|case| [case.name.clone(), String::new(), line(&case.docs)]).collect(),
        ),
        TypeDefKind::Type(_) => return,
        other => panic!("`{interface}/{name}` is a {}, which the reference does not know", other.as_str()),
    };
    writeln!(text, "\n### {interface}: {kind} `{name}`\n\n{}\n", docs(&defined.docs)).unwrap();
    let is_enum = kind == "enum";
    if is_enum {
        text.push_str("| case | meaning |\n| --- | --- |\n");
    } else {
        writeln!(text, "| {head} | meaning |\n| --- | --- | --- |").unwrap();
    }
    for [name, ty, meaning] in rows {
        match (is_enum, ty.is_empty()) {
            (true, _) => writeln!(text, "| `{name}` | {meaning} |").unwrap(),
            (false, true) => writeln!(text, "| `{name}` | | {meaning} |").unwrap(),
            (false, false) => writeln!(text, "| `{name}` | `{ty}` | {meaning} |").unwrap(),
        }
    }
}

/// A type as WIT writes it.
fn shown(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return match ty {
            Type::Bool => "bool",
            Type::String => "string",
            Type::U8 => "u8",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S64 => "s64",
            Type::F64 => "f64",
            other => panic!("{other:?} is not used by the contract"),
        }
        .to_owned();
    };
    let defined = &resolve.types[*id];
    if let Some(name) = &defined.name {
        return name.clone();
    }
    let of = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| shown(resolve, ty));
    match &defined.kind {
        TypeDefKind::List(item) => format!("list<{}>", shown(resolve, item)),
        TypeDefKind::Option(item) => format!("option<{}>", shown(resolve, item)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", of(&result.ok), of(&result.err)),
        other => panic!("a {} without a name", other.as_str()),
    }
}

fn world(text: &mut String, resolve: &Resolve, world: &World) {
    writeln!(text, "\n### world `{}`\n\n{}\n", world.name, docs(&world.docs)).unwrap();
    let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, WorldItem>| {
        let names = items.keys().map(|key| resolve.name_world_key(key));
        let names = names.filter_map(|name| Some(name.strip_prefix("runner:policy/")?.split('@').next()?.to_owned()));
        names.map(|name| format!("[`{name}`](#{name})")).collect::<Vec<_>>().join(", ")
    };
    writeln!(text, "Imports {}. Exports {}.", names(&world.imports), names(&world.exports)).unwrap();
}

#[test]
fn the_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wit.md");
    let current = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == current,
        "docs/wit.md is out of date; run `UPDATE_DOCS=1 cargo test -p runner-policy --test it wit_reference`"
    );
}

#[test]
fn nothing_of_the_contract_lacks_a_comment() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).join(VERSION);
    let mut resolve = Resolve::default();
    resolve.push_dir(&folder).unwrap();
    let mut bare = Vec::new();
    let mut check = |what: String, docs: &Docs| {
        if docs.contents.is_none() {
            bare.push(what);
        }
    };
    for (_, interface) in &resolve.interfaces {
        let name = interface.name.clone().unwrap_or_default();
        check(name.clone(), &interface.docs);
        interface.functions.values().for_each(|function| check(format!("{name}/{}", function.name), &function.docs));
    }
    for (_, defined) in &resolve.types {
        let name = defined.name.clone().unwrap_or_default();
        let is_own = matches!(defined.owner, TypeOwner::Interface(_));
        match &defined.kind {
            TypeDefKind::Record(record) => {
                check(name.clone(), &defined.docs);
                record.fields.iter().for_each(|field| check(format!("{name}.{}", field.name), &field.docs));
            }
            TypeDefKind::Variant(variant) => {
                check(name.clone(), &defined.docs);
                variant.cases.iter().for_each(|case| check(format!("{name}.{}", case.name), &case.docs));
            }
            TypeDefKind::Enum(cases) => {
                check(name.clone(), &defined.docs);
                cases.cases.iter().for_each(|case| check(format!("{name}.{}", case.name), &case.docs));
            }
            _ => assert!(!is_own || defined.name.is_none() || matches!(defined.kind, TypeDefKind::Type(_)), "{name}"),
        }
    }
    assert_eq!(bare, [""; 0]);
}
