//! The core module: memory, an allocator, small functions that bodies use, and the exports around the bodies.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Function;
use crate::component::Import;
use crate::contract;
use crate::text::Texts;

/// What every module holds. Memory that was never allocated before is zero, so what `$allocate` gives is zero too.
const GROUND: &str = r#"
  (func $allocate (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.shl (memory.size) (i32.const 16)))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.add (i32.const 1)
                (i32.shr_u (i32.sub (global.get $heap) (i32.shl (memory.size) (i32.const 16))) (i32.const 16)))))
          (then unreachable))))
    (local.get $at))

  ;; A text or a list: its address and its length, at $to.
  (func $put (param $to i32) (param $address i32) (param $length i32)
    (i32.store (local.get $to) (local.get $address))
    (i32.store offset=4 (local.get $to) (local.get $length)))

  ;; Whether two texts are the same.
  (func $same (param $a i32) (param $a_length i32) (param $b i32) (param $b_length i32) (result i32)
    (if (i32.ne (local.get $a_length) (local.get $b_length)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.eqz (local.get $a_length)) (then (return (i32.const 1))))
      (if (i32.eq (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b)))
        (then
          (local.set $a (i32.add (local.get $a) (i32.const 1)))
          (local.set $b (i32.add (local.get $b) (i32.const 1)))
          (local.set $a_length (i32.sub (local.get $a_length) (i32.const 1)))
          (br $next))))
    (i32.const 0))

  ;; A number as a text of 16 hexadecimal digits, at $to.
  (func $hex (param $to i32) (param $number i64)
    (local $digits i32) (local $index i32) (local $digit i32)
    (local.set $digits (call $allocate (i32.const 16)))
    (call $put (local.get $to) (local.get $digits) (i32.const 16))
    (local.set $index (i32.const 15))
    (loop $next
      (local.set $digit (i32.and (i32.wrap_i64 (local.get $number)) (i32.const 15)))
      (i32.store8 (i32.add (local.get $digits) (local.get $index))
        (i32.add (local.get $digit)
          (select (i32.const 87) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 9)))))
      (local.set $number (i64.shr_u (local.get $number) (i64.const 4)))
      (local.set $index (i32.sub (local.get $index) (i32.const 1)))
      (br_if $next (i32.ge_s (local.get $index) (i32.const 0)))))
"#;

/// Body of `cabi_realloc`.
const ALLOCATOR: &str = "
    (local $new i32)
    (local.set $new (call $allocate (local.get $size)))
    (memory.copy (local.get $new) (local.get $old)
      (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))
    (local.get $new)";

/// What differs from module to module.
pub(crate) struct Parts<'a> {
    pub(crate) bodies: &'a BTreeMap<Function, String>,
    pub(crate) imports: &'a [Import],
    pub(crate) allocator: Option<&'a str>,
    pub(crate) fields: &'a str,
    pub(crate) version: &'a str,
}

/// The text of a module.
pub(crate) fn text(parts: &Parts<'_>) -> String {
    let Parts { bodies, imports, allocator, fields, version } = *parts;
    let mut texts = Texts::default();
    let fields = texts.replace(fields);
    let allocator = allocator.unwrap_or(ALLOCATOR);
    let mut functions = String::new();
    for (function, body) in bodies {
        export(&mut functions, *function, version, &texts.replace(body));
    }
    let (data, heap) = texts.segment();
    let mut module = String::from("(module\n");
    writeln!(module, "(import \"runner:policy/log@{version}\" \"write\" (func $log (param i32 i32 i32)))").unwrap();
    // What has no function only defines types for the others.
    for import in imports.iter().filter(|import| !import.function.is_empty()) {
        let (path, name) = (contract::path(import), &import.function);
        let called = name.rsplit('.').next().unwrap_or(name);
        writeln!(module, "(import \"{path}\" \"{name}\" (func ${called} {}))", import.signature).unwrap();
    }
    writeln!(module, "(memory (export \"memory\") {})", heap / 65536 + 1).unwrap();
    writeln!(
        module,
        "(func (export \"cabi_realloc\") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
          {allocator})"
    )
    .unwrap();
    writeln!(module, "(global $heap (mut i32) (i32.const {heap}))\n{data}{GROUND}{fields}\n{functions})").unwrap();
    module
}

fn export(text: &mut String, function: Function, version: &str, body: &str) {
    let (interface, name) = function.path();
    let parameters = match function {
        Function::Describe | Function::Rules => "",
        Function::CheckSettings => "(param $settings i32) (param $settings_length i32)",
        _ => "(param $arguments i32)",
    };
    write!(
        text,
        "(func (export \"runner:policy/{interface}@{version}#{name}\") {parameters} (result i32)
          (local $answer i32) (local $at i32) (local $count i32) (local $from i32) (local $to i32)
          (local.set $answer (call $allocate (i32.const 256)))
          {body}
          (local.get $answer))\n"
    )
    .unwrap();
}
