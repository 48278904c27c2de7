//! The interface `facts`: what the host knows of the target, as plain data.

use super::FactsUse;
use super::Guest;
use crate::bindings::runner::policy::facts;
use crate::bindings::runner::policy::facts::LedgerEntry;
use crate::bindings::runner::policy::facts::Relation;
use crate::data::Failure;
use crate::facts::Facts;
use crate::facts::RECENT_STEPS;

impl facts::Host for Guest {
    async fn relations(&mut self) -> wasmtime::Result<Result<Vec<Relation>, Failure>> {
        self.count();
        self.facts_used = self.facts_used.max(FactsUse::Relations);
        Ok(self.facts(|facts| facts.relations.clone()).await)
    }

    async fn recent(&mut self, limit: u32) -> wasmtime::Result<Result<Vec<LedgerEntry>, Failure>> {
        self.count();
        self.facts_used = FactsUse::Ledger;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(RECENT_STEPS);
        Ok(self.facts(|facts| facts.ledger.iter().take(limit).cloned().collect()).await)
    }
}

impl Guest {
    /// A part of the facts. What the host takes to collect them is not the plugin's time.
    async fn facts<T>(&mut self, part: impl FnOnce(&Facts) -> T) -> Result<T, Failure> {
        // Copying is, so the clock gets a chance to end the call.
        tokio::task::yield_now().await;
        let facts = self.clock.pause(self.facts.get()).await?;
        Ok(part(facts))
    }
}
