//! `(text "…")` in bodies: the texts go into the module's data, and address and length take their place.

/// Where the texts begin. What lies below is never written, so that an address of 0 is not by chance a text.
pub(crate) const START: usize = 1024;

/// Collects the texts of all bodies of a module.
#[derive(Default)]
pub(crate) struct Texts {
    data: String,
    length: usize,
}

impl Texts {
    /// The body with every `(text "…")` replaced by two constants.
    pub(crate) fn replace(&mut self, body: &str) -> String {
        let mut replaced = String::new();
        let mut rest = body;
        while let Some((before, after)) = rest.split_once("(text \"") {
            let end = closing_quote(after);
            let text = &after[..end];
            let length = length(text);
            replaced.push_str(before);
            replaced.push_str(&format!("(i32.const {}) (i32.const {length})", START + self.length));
            self.data.push_str(text);
            self.length += length;
            rest = after[end..].strip_prefix("\")").expect("`(text \"…\")` is closed");
        }
        replaced.push_str(rest);
        replaced
    }

    /// The data segment, and the first address after it that is a multiple of 8.
    pub(crate) fn segment(&self) -> (String, usize) {
        let segment = format!("(data (i32.const {START}) \"{}\")", self.data);
        (segment, (START + self.length).next_multiple_of(8))
    }
}

/// A text as WebAssembly text writes it, so that it can stand in `(text "…")`.
pub(crate) fn quoted(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => char::from(byte).to_string(),
            _ => format!("\\{byte:02x}"),
        })
        .collect()
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.expect("a text ends with a quote")
}

/// Bytes of a text once its escapes (`\hh`, `\n`, `\"` …) are resolved.
fn length(text: &str) -> usize {
    let mut bytes = text.bytes();
    let mut count = 0;
    while let Some(byte) = bytes.next() {
        count += 1;
        if byte == b'\\' && bytes.next().is_some_and(|escape| escape.is_ascii_hexdigit()) {
            bytes.next();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_addresses() {
        let mut texts = Texts::default();
        let body =
            texts.replace(r#"(call $put (local.get $at) (text "a\ff\"b")) (call $log (i32.const 0) (text "ü"))"#);
        assert_eq!(
            body,
            "(call $put (local.get $at) (i32.const 1024) (i32.const 4)) (call $log (i32.const 0) (i32.const 1028) (i32.const 2))"
        );
        assert_eq!(texts.segment(), (r#"(data (i32.const 1024) "a\ff\"bü")"#.to_owned(), 1032));
    }

    #[test]
    fn any_text_can_be_quoted() {
        assert_eq!(quoted("a\"b\\\u{1b}ü"), r"a\22b\5c\1b\c3\bc");
    }
}
