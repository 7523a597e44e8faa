//! Acking in bulk: what a group commit finished together goes back to the broker in one frame.
//!
//! `basic.ack` with `multiple` settles everything up to a delivery tag (AMQP 0-9-1, section 1.8.3.13). So it reaches
//! just below the oldest delivery that is still at work; what was finished behind that one is acked by itself.

use lapin::types::DeliveryTag;
use std::collections::BTreeSet;

/// The deliveries of one channel that its worker has begun and not settled.
#[derive(Debug, Default)]
pub struct AtWork(BTreeSet<DeliveryTag>);

/// One `basic.ack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The delivery, or the last of several.
    pub tag: DeliveryTag,
    /// Whether all before it are meant too.
    pub multiple: bool,
}

impl AtWork {
    /// A delivery is begun; they are begun in the order of their tags.
    pub fn begin(&mut self, tag: DeliveryTag) {
        self.0.insert(tag);
    }

    /// A delivery is settled otherwise: it was put back.
    pub fn end(&mut self, tag: DeliveryTag) {
        self.0.remove(&tag);
    }

    /// The fewest acks for these deliveries, which are finished.
    pub fn acks(&mut self, finished: &[DeliveryTag]) -> Vec<Ack> {
        for tag in finished {
            self.0.remove(tag);
        }
        let oldest = self.0.first().copied().unwrap_or(DeliveryTag::MAX);
        let (together, alone): (Vec<_>, Vec<_>) = finished.iter().partition(|tag| **tag < oldest);
        let last = together.iter().max().map(|tag| Ack { tag: *tag, multiple: together.len() > 1 });
        last.into_iter().chain(alone.into_iter().map(|tag| Ack { tag, multiple: false })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn begun(tags: impl IntoIterator<Item = DeliveryTag>) -> AtWork {
        let mut at_work = AtWork::default();
        tags.into_iter().for_each(|tag| at_work.begin(tag));
        at_work
    }

    #[test]
    fn what_is_finished_in_a_row_is_one_ack_and_what_is_behind_a_slow_one_is_acked_alone() {
        let mut at_work = begun(1..=6);
        let multiple = |tag| Ack { tag, multiple: true };
        let single = |tag| Ack { tag, multiple: false };
        assert_eq!(at_work.acks(&[2, 1, 4]), [multiple(2), single(4)]);
        assert_eq!(at_work.acks(&[3]), [single(3)]);
        assert_eq!(at_work.acks(&[5, 6]), [multiple(6)]);
    }

    proptest! {
        /// A broker that takes the acks at their word settles each delivery once it is finished, and none before.
        #[test]
        fn no_ack_ever_settles_what_is_still_at_work(order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
                                                     cuts in proptest::collection::vec(1..8_usize, 40)) {
            let mut at_work = begun(1..=40);
            let mut unsettled: BTreeSet<DeliveryTag> = (1..=40).collect();
            let mut finished = BTreeSet::new();
            let mut rest = &order[..];
            for cut in cuts {
                let (batch, others) = rest.split_at(cut.min(rest.len()));
                rest = others;
                finished.extend(batch.iter().copied());
                for ack in at_work.acks(batch) {
                    prop_assert!(unsettled.contains(&ack.tag), "an unknown tag closes the channel");
                    unsettled.retain(|tag| *tag != ack.tag && !(ack.multiple && *tag < ack.tag));
                }
                let left: BTreeSet<_> = (1..=40).filter(|tag| !finished.contains(tag)).collect();
                prop_assert_eq!(&unsettled, &left);
            }
        }
    }
}
