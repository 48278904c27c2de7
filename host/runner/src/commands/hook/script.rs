//! The hook itself, a script for the shell that git brings or finds on every system.

use std::path::Path;

/// By this line we know our own hook.
const OURS: &str = "# Installed by `runner hook install`; `runner hook uninstall` takes it away.";

/// The name of a hook that runs before ours.
pub(super) const BEFORE: &str = "pre-commit.before-runner";

/// Whether a hook is one of ours.
pub(super) fn is_ours(text: &str) -> bool {
    text.lines().any(|line| line == OURS)
}

/// The text of the hook. `config` is the configuration, from the top of the work tree; `program` is this program, for those
/// that have it in no `PATH`.
pub(super) fn text(config: &Path, program: Option<&Path>) -> String {
    let config = quoted(&config.to_string_lossy());
    let program = program.map_or_else(|| "runner".to_owned(), |program| quoted(&program.to_string_lossy()));
    format!(
        r#"#!/bin/sh
{OURS}
# Lints the revisions that are staged. `git commit --no-verify` commits without it.

before="$(dirname "$0")/{BEFORE}"
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi

runner=runner
command -v "$runner" > /dev/null 2>&1 || runner={program}
if ! command -v "$runner" > /dev/null 2>&1; then
    echo 'pre-commit: the program `runner` is not in PATH, so revisions can not be linted' >&2
    echo 'install it, or commit with `git commit --no-verify`' >&2
    exit 1
fi
"$runner" --config {config} lint --staged && exit 0
echo 'pre-commit: nothing was committed; `git commit --no-verify` commits without the hook' >&2
exit 1
"#
    )
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        let text = text(Path::new("it's $(here)/runner.toml"), None);
        assert!(text.contains(r"--config 'it'\''s $(here)/runner.toml' lint"), "{text}");
        assert!(is_ours(&text) && !is_ours("#!/bin/sh\necho Installed by `runner hook install`\n"));
    }
}
