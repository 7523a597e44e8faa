//! What is new, in memory: those who follow read no file.

use super::block::Block;
use std::collections::VecDeque;

/// How much of it stays.
const RING_BYTES: usize = 4 << 20;

#[derive(Debug, Default)]
pub(super) struct Ring {
    blocks: VecDeque<Block>,
    bytes: usize,
}

impl Ring {
    /// Takes in what follows.
    pub fn push(&mut self, block: Block) {
        self.bytes += block.text().len();
        self.blocks.push_back(block);
        while self.bytes > RING_BYTES
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes -= oldest.text().len();
        }
    }

    /// The events after `after`, up to `upto`; none when the first of them is no longer here.
    pub fn between(&self, after: u64, upto: u64) -> Option<Vec<Block>> {
        self.blocks.front().filter(|oldest| oldest.first() <= after + 1)?;
        let begin = self.blocks.partition_point(|block| block.last() <= after);
        let wanted = self.blocks.range(begin..).take_while(|block| block.first() <= upto);
        Some(wanted.filter_map(|block| block.between(after, upto)).collect())
    }
}
