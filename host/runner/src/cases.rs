//! Case files: what a policy is asked, and what it must answer, written down so that people can read it.

mod answers;
mod difference;
mod expect;
mod facts;
mod file;
mod made_up;
mod plan;
mod record;
mod rewrite;
mod text_or;
mod trial;

pub(crate) use difference::Difference;
pub(crate) use difference::Line;
pub(crate) use file::Case;
pub(crate) use file::CaseFile;
pub(crate) use made_up::made_up;
pub(crate) use record::Recording;
pub(crate) use record::record;
pub(crate) use rewrite::update;
pub(crate) use trial::Ran;
pub(crate) use trial::has_roles;
pub(crate) use trial::run;
