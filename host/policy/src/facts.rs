//! Facts about the target: what they are, and where policies with the grant `facts` get them from.
//!
//! This crate knows of no database. Whoever asks the policies gives the facts, or answers when they are asked for.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::data::Failure;
use crate::data::LedgerEntry;
use crate::data::Relation;

/// The latest steps that a policy can ask for.
pub const RECENT_STEPS: usize = 1000;

/// What the target holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// All tables and views of the session's schema, ordered by name.
    pub relations: Vec<Relation>,
    /// The latest steps, newest first; at most [`RECENT_STEPS`].
    pub ledger: Vec<LedgerEntry>,
}

/// Where policies get facts from. Clones share what was collected.
#[derive(Clone, Default)]
pub struct FactsSource(Arc<Source>);

#[derive(Default)]
enum Source {
    /// There is no target.
    #[default]
    Nowhere,
    Given {
        facts: Facts,
        digest: OnceCell<String>,
    },
    Asked {
        requests: mpsc::Sender<Request>,
        answer: OnceCell<Result<Facts, Failure>>,
        digest: OnceCell<String>,
    },
}

type Request = oneshot::Sender<Result<Facts, Failure>>;

impl FactsSource {
    /// Facts that are known already, for example those of a recorded case.
    pub fn given(facts: Facts) -> Self {
        FactsSource(Arc::new(Source::Given { facts, digest: OnceCell::new() }))
    }

    /// Facts that are collected when the first policy asks for them; see [`FactsRequests::serve`].
    pub fn asked() -> (Self, FactsRequests) {
        let (requests, receiver) = mpsc::channel(1);
        (
            FactsSource(Arc::new(Source::Asked { requests, answer: OnceCell::new(), digest: OnceCell::new() })),
            FactsRequests(receiver),
        )
    }

    /// What was collected, if any policy has asked.
    pub fn collected(&self) -> Option<&Result<Facts, Failure>> {
        match &*self.0 {
            Source::Asked { answer, .. } => answer.get(),
            Source::Nowhere | Source::Given { .. } => None,
        }
    }

    /// Whether there is a target to have facts about.
    pub(crate) fn is_somewhere(&self) -> bool {
        !matches!(&*self.0, Source::Nowhere)
    }

    /// A digest over all tables and views, collected now if need be.
    pub(crate) async fn digest(&self) -> Result<String, Failure> {
        use sha2::Digest as _;

        let facts = self.get().await?;
        let known = match &*self.0 {
            Source::Nowhere => return Err(unavailable()),
            Source::Given { digest, .. } | Source::Asked { digest, .. } => digest,
        };
        let digest = known.get_or_try_init(async || {
            let relations = serde_json::to_vec(&facts.relations).map_err(|_| unavailable())?;
            Ok(crate::cache::hex(&sha2::Sha256::digest(relations)))
        });
        digest.await.cloned()
    }

    /// The facts, collected now if need be.
    pub(crate) async fn get(&self) -> Result<&Facts, Failure> {
        match &*self.0 {
            Source::Nowhere => Err(unavailable()),
            Source::Given { facts, .. } => Ok(facts),
            Source::Asked { requests, answer, .. } => {
                let collected = answer.get_or_init(|| async {
                    let (sender, receiver) = oneshot::channel();
                    if requests.send(sender).await.is_err() {
                        return Err(unavailable());
                    }
                    receiver.await.unwrap_or_else(|_| Err(unavailable()))
                });
                collected.await.as_ref().map_err(Clone::clone)
            }
        }
    }
}

impl fmt::Debug for FactsSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match &*self.0 {
            Source::Nowhere => "nowhere",
            Source::Given { .. } => "given",
            Source::Asked { .. } => "asked",
        })
    }
}

fn unavailable() -> Failure {
    Failure {
        message: "facts about the target can't be had here".to_owned(),
        help: Some("ask for them in `judge`, `check` or `review`, when the target is connected".to_owned()),
    }
}

/// The requests of policies for facts.
#[derive(Debug)]
pub struct FactsRequests(mpsc::Receiver<Request>);

impl FactsRequests {
    /// Asks policies, and collects facts when the first of them wants some: at most once. The work and the collection take
    /// turns on one task, so `collect` may use what the work does not.
    pub async fn serve<T>(
        mut self,
        work: impl Future<Output = T>,
        collect: impl AsyncFnOnce() -> Result<Facts, Failure>,
    ) -> T {
        let collecting = async {
            if let Some(request) = self.0.recv().await {
                // Whoever asks from now on without sharing the answer must not wait for one.
                self.0.close();
                // Whoever asked may have given up.
                let _ = request.send(collect().await);
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            done = work => done,
            never = collecting => match never {},
        }
    }
}
