//! What the author of a policy needs: a project to start from, and a component made of its source.

mod c;
mod contract;
mod javascript;
mod language;
mod project;
mod python;
mod rust;
mod template;
mod tool;
mod world;

use std::path::Path;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

pub(crate) use language::Language;
pub(crate) use project::NewProject;

/// A component made of a project's source.
#[derive(Debug)]
pub(crate) struct Built {
    /// The project's own name for it.
    pub(crate) name: String,
    /// The component.
    pub(crate) component: Vec<u8>,
}

/// Makes a component of a project.
///
/// # Errors
/// A tool is missing, or the source is wrong. What compilers say goes to stderr as they say it.
pub(crate) fn build(language: Language, folder: &Path, profile: Option<&str>) -> Result<Built> {
    if profile.is_some() && language != Language::Rust {
        return Err(Error::new(ErrorKind::Usage, format!("`--profile` is for Rust, and this is {language}")));
    }
    match language {
        Language::Rust => rust::build(folder, profile),
        Language::Javascript => javascript::build(folder),
        Language::Python => python::build(folder),
        Language::C => c::build(folder),
    }
}
