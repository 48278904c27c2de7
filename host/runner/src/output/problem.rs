//! Problems in files, shown as rustc shows them: message, place, the line itself, and what to do.

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use runner_chain::Problem;

/// Renders a problem, with a newline at the end. `color` adds terminal codes.
pub(super) fn render(problem: &Problem, color: bool) -> String {
    let mut text = match &problem.source_line {
        Some(line) => with_source(problem, line, color),
        None => format!("error: {}\n --> {}:{}:{}\n", problem.message, problem.file, problem.line, problem.column),
    };
    if problem.source_line.is_none() {
        if let Some(help) = &problem.help {
            text.push_str(&format!("  = help: {help}\n"));
        }
    }
    text
}

fn with_source(problem: &Problem, line: &str, color: bool) -> String {
    let start = byte_of(line, problem.column.saturating_sub(1));
    let end = byte_of(line, problem.column.saturating_sub(1) + problem.length).max(start);
    let annotation = AnnotationKind::Primary.span(start..end);
    let annotation = match &problem.label {
        Some(label) => annotation.label(label.as_str()),
        None => annotation,
    };
    let snippet = Snippet::source(line).line_start(problem.line).path(problem.file.as_str()).annotation(annotation);
    let mut group: Group<'_> = Level::ERROR.primary_title(problem.message.as_str()).element(snippet);
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
