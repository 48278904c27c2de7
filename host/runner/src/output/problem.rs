//! Problems in files, shown as rustc shows them: message, place, the line itself, and what to do.

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use runner_chain::Problem;

/// Renders a problem, with a newline at the end. `color` adds terminal codes.
pub(super) fn render(problem: &Problem, color: bool) -> String {
    render_as(problem, None, color)
}

/// The same with the name of what kind of problem it is.
pub(super) fn render_as(problem: &Problem, kind: Option<&str>, color: bool) -> String {
    if let Some(source) = &problem.source_line {
        return with_source(problem, source, kind, color);
    }
    let help = problem.help.as_ref().map(|help| format!("  = help: {help}\n")).unwrap_or_default();
    let kind = kind.map(|kind| format!("[{kind}]")).unwrap_or_default();
    format!("error{kind}: {}\n --> {}:{}:{}\n{help}", problem.message, problem.file, problem.line, problem.column)
}

fn with_source(problem: &Problem, source: &str, kind: Option<&str>, color: bool) -> String {
    let lines_before = source.split_inclusive('\n').take(problem.lines_before);
    let line_start: usize = lines_before.map(str::len).sum();
    let line = source[line_start..].lines().next().unwrap_or("");
    let start = line_start + byte_of(line, problem.column.saturating_sub(1));
    let end = (line_start + byte_of(line, problem.column.saturating_sub(1) + problem.length)).max(start);
    let annotation = AnnotationKind::Primary.span(start..end);
    let annotation = match &problem.label {
        Some(label) => annotation.label(label.as_str()),
        None => annotation,
    };
    let snippet = Snippet::source(source)
        .line_start(problem.line.saturating_sub(problem.lines_before))
        .path(problem.file.as_str())
        .annotation(annotation)
        .fold(false);
    let title = Level::ERROR.primary_title(problem.message.as_str());
    let title = match kind {
        Some(kind) => title.id(kind),
        None => title,
    };
    let mut group: Group<'_> = title.element(snippet);
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

fn byte_of(line: &str, character: usize) -> usize {
    line.char_indices().nth(character).map_or(line.len(), |(byte, _)| byte)
}
