//! Where quoted text ends.

use super::tokens::{is_space, is_word};

/// Length of what is between two quotes, both counted in; a doubled quote does not end it.
pub(super) fn quote(text: &str, quote: u8, backslashes: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\\' && backslashes {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// Length of `E'…'`. Strings that follow after a line end belong to it, and in them a backslash takes the next character
/// as well.
pub(super) fn escape_string(text: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += quote(text.get(end..)?, b'\'', true)?;
        match continuation(text.get(end..)?) {
            Some(gap) => end += gap,
            None => return Some(end),
        }
    }
}

/// Length of the white space and `--` comments, with a line end among them, before a string that goes on.
fn continuation(text: &str) -> Option<usize> {
    let mut end = 0;
    let mut line_ended = false;
    loop {
        let rest = text.get(end..)?;
        match rest.bytes().next()? {
            b'\'' if line_ended => return Some(end),
            byte if is_space(byte) => {
                line_ended |= matches!(byte, b'\n' | b'\r');
                end += 1;
            }
            _ if rest.starts_with("--") => end += rest.find(['\n', '\r'])?,
            _ => return None,
        }
    }
}

/// Length of a text that begins with a tag, to the end of the same tag.
pub(super) fn dollar_quote(text: &str, tag: &str) -> Option<usize> {
    let inside = text.get(tag.len()..)?;
    inside.find(tag).map(|end| end + 2 * tag.len())
}

/// `$$` or `$tag$` at the beginning of a text.
pub(super) fn dollar_tag(text: &str) -> Option<&str> {
    let name = text.get(1..)?;
    let end = name.find('$')?;
    let tag = &name[..end];
    let is_name = tag.bytes().all(is_word) && !tag.starts_with(|first: char| first.is_ascii_digit());
    if is_name { text.get(..end + 2) } else { None }
}
