//! `runner merge`

use runner_chain::Chain;
use runner_chain::RevisionId;
use runner_chain::Selector;

use super::new_file::Growing;
use super::new_file::Header;
use crate::args::Global;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Printer;

/// Write a revision that joins branches
///
/// It has several parents, and usually no SQL of its own: `upgrade` then has one head to go to again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner merge heads             join all heads
  runner merge a1b2 c3d4 -m \"Join billing and scheduling\"
  runner merge billing@head scheduling@head")]
pub(crate) struct Args {
    /// The revisions to join, at least two: ids, `label@head`, `heads`
    #[arg(required = true, value_name = "REVISION")]
    revisions: Vec<Selector>,
    /// Title; further lines become free text of the header
    #[arg(short, long, value_name = "TITLE")]
    message: Option<String>,
    #[command(flatten)]
    header: Header,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let growing = Growing::open(global)?;
        let parents = self.parents(&growing.chain)?;
        let title = match &self.message {
            Some(message) => message.clone(),
            None => {
                let ids: Vec<String> = parents.iter().map(ToString::to_string).collect();
                format!("Merge {}", ids.join(", "))
            }
        };
        growing.write(&self.header, title, parents, true, printer).await
    }

    fn parents(&self, chain: &Chain) -> Result<Vec<RevisionId>> {
        let mut parents: Vec<RevisionId> = Vec::new();
        for selector in &self.revisions {
            for found in chain.resolve(selector, None)? {
                if parents.contains(&found) {
                    return Err(Error::new(ErrorKind::Selector, format!("`{found}` is named twice"))
                        .help("name each revision that is to be joined once"));
                }
                parents.push(found);
            }
        }
        match &parents[..] {
            [_, _, ..] => {}
            [] => {
                return Err(
                    Error::new(ErrorKind::Selector, "there is nothing to merge").help("`runner heads` lists the heads")
                );
            }
            [one] => {
                let heads: Vec<String> = chain.heads().map(|head| format!("`{}`", head.id)).collect();
                let error = Error::new(ErrorKind::Selector, format!("there is nothing to merge with `{one}`"));
                return Err(match heads.len() {
                    0 | 1 => error.help("the chain has one head already"),
                    _ => error.help(format!("the heads are {}: name those that are to be joined", heads.join(", "))),
                });
            }
        }
        for upper in parents.iter().filter_map(|id| chain.get(id.as_str())) {
            let below = chain.ancestors_of(upper);
            if let Some(lower) = parents.iter().find(|lower| **lower != upper.id && below.contains(lower)) {
                return Err(Error::new(ErrorKind::Selector, format!("`{lower}` is part of `{}` already", upper.id))
                    .help(format!("leave out `{lower}`")));
            }
        }
        Ok(parents)
    }
}
