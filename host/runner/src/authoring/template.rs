//! Templates of projects: texts with `{{names}}`, and lines that belong to some roles or languages alone.

/// Fills a template. Lines between `%%if a b` and `%%end` stay if one of the words holds, between `%%if not a b` and `%%end` if
/// none does; `a&b` holds if both do. Conditions can't be nested, except in a condition that holds.
pub(super) fn fill(template: &str, holds: &dyn Fn(&str) -> bool, names: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut open: Vec<bool> = Vec::new();
    for line in template.split_inclusive('\n') {
        if let Some(condition) = line.trim().strip_prefix("%%if ") {
            open.push(condition_holds(condition, holds));
        } else if line.trim() == "%%end" {
            open.pop();
        } else if open.iter().all(|holds| *holds) {
            text.push_str(line);
        }
    }
    for (name, value) in names {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    // What was left out at the end leaves blank lines.
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    text
}

fn condition_holds(condition: &str, holds: &dyn Fn(&str) -> bool) -> bool {
    let mut words = condition.split_whitespace().peekable();
    let negated = words.next_if_eq(&"not").is_some();
    words.any(|word| word.split('&').all(holds)) != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_if_their_condition_holds() {
        let template = "{{a}}\n%%if x\nx {{a}}\n%%end\n%%if not x y\nneither\n%%end\n%%if x&y z\nboth\n%%end\nend\n\n";
        let filled = |words: &'static [&'static str]| fill(template, &|word| words.contains(&word), &[("a", "b")]);
        assert_eq!(filled(&["x"]), "b\nx b\nend\n");
        assert_eq!(filled(&[]), "b\nneither\nend\n");
        assert_eq!(filled(&["x", "y"]), "b\nx b\nboth\nend\n");
        assert_eq!(filled(&["z"]), "b\nneither\nboth\nend\n");
    }
}
