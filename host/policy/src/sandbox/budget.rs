//! Memory: all memories and tables of an instance together.

use wasmtime::ResourceLimiter;

/// Memories, tables and instances that one component may have; Python's interpreter needs about a dozen.
const PARTS: usize = 100;
/// What a table element costs of the memory limit.
const TABLE_ELEMENT: usize = 16;

/// Counts all memories and tables of an instance together.
pub(super) struct Budget {
    limit: u64,
    pub(super) used: u64,
    /// What was wanted, once it was too much.
    pub(super) exceeded: Option<u64>,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Budget { limit, used: 0, exceeded: None }
    }

    fn take(&mut self, current: usize, desired: usize, size: usize) -> wasmtime::Result<bool> {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(size as u64);
        let wanted = self.used.saturating_add(more);
        if wanted > self.limit {
            self.exceeded = Some(wanted);
            // An error ends the call; a mere refusal would be the guest's to interpret.
            return Err(wasmtime::Error::msg("memory limit"));
        }
        self.used = wanted;
        Ok(true)
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired, TABLE_ELEMENT)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}
