//! Which queues our exchanges reach, and by which ways: directly, or over exchanges that others bound to them.

use flow::{Id, Style, picture::Binding};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque, hash_map::Entry};

/// The ways from each style's exchange into one queue.
pub type Ways = [BTreeSet<Binding>; 2];

/// What a binding leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A queue, by its name.
    Queue(Id),
    /// An exchange, by its name.
    Exchange(Id),
}

/// All bindings of a broker.
#[derive(Debug, Default)]
pub struct Reach {
    /// What is bound to each, by exchange and key. Bindings that differ in their arguments alone are counted.
    into: HashMap<Target, BTreeMap<(Id, Id), usize>>,
    /// What each exchange leads to.
    from: HashMap<Id, HashMap<Target, usize>>,
}

impl Reach {
    /// A binding is there from now on.
    pub fn add(&mut self, source: &Id, target: &Target, key: &Id) {
        *self.into.entry(target.clone()).or_default().entry((source.clone(), key.clone())).or_default() += 1;
        *self.from.entry(source.clone()).or_default().entry(target.clone()).or_default() += 1;
    }

    /// A binding is gone.
    pub fn remove(&mut self, source: &Id, target: &Target, key: &Id) {
        if let Entry::Occupied(mut bound) = self.into.entry(target.clone()) {
            let binding = (source.clone(), key.clone());
            if bound.get_mut().get_mut(&binding).is_some_and(is_last) {
                bound.get_mut().remove(&binding);
            }
            if bound.get().is_empty() {
                bound.remove();
            }
        }
        if let Entry::Occupied(mut targets) = self.from.entry(source.clone()) {
            if targets.get_mut().get_mut(target).is_some_and(is_last) {
                targets.get_mut().remove(target);
            }
            if targets.get().is_empty() {
                targets.remove();
            }
        }
    }

    /// The ways into a queue. Of two ways that begin with the same binding to the same exchange, the shorter.
    #[must_use]
    pub fn ways_into(&self, queue: &Id) -> Ways {
        [Style::Choreography, Style::Orchestration].map(|style| self.ways_from(style.exchange().name, queue))
    }

    fn ways_from(&self, exchange: &str, queue: &Id) -> BTreeSet<Binding> {
        let mut ways = BTreeSet::new();
        let mut passed = BTreeSet::new();
        let mut next = VecDeque::from([(Target::Queue(queue.clone()), Vec::new())]);
        while let Some((target, via)) = next.pop_front() {
            for (source, key) in self.into.get(&target).into_iter().flat_map(BTreeMap::keys) {
                // A message that comes round to where it began is in the queue already.
                if **source == *exchange {
                    ways.insert(Binding { via: via.clone(), routing_key: key.clone() });
                } else if passed.insert(source.clone()) {
                    let via = std::iter::once(source.clone()).chain(via.iter().cloned()).collect();
                    next.push_back((Target::Exchange(source.clone()), via));
                }
            }
        }
        ways
    }

    /// Every queue to which messages come from there.
    #[must_use]
    pub fn queues_behind(&self, target: &Target) -> BTreeSet<Id> {
        let mut queues = BTreeSet::new();
        let mut passed = BTreeSet::new();
        let mut next = vec![target.clone()];
        while let Some(target) = next.pop() {
            match target {
                Target::Queue(queue) => _ = queues.insert(queue),
                Target::Exchange(exchange) if passed.insert(exchange.clone()) => {
                    next.extend(self.from.get(&exchange).into_iter().flat_map(HashMap::keys).cloned());
                }
                Target::Exchange(_) => {}
            }
        }
        queues
    }

    /// Every queue that any exchange of ours reaches.
    #[must_use]
    pub fn queues(&self) -> BTreeSet<Id> {
        let ours = Style::ALL.iter().map(|style| Target::Exchange(style.exchange().name.into()));
        ours.flat_map(|exchange| self.queues_behind(&exchange)).collect()
    }
}

/// Takes one away; says whether it was the last.
fn is_last(count: &mut usize) -> bool {
    *count = count.saturating_sub(1);
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(bindings: &[(&str, &str, &str)]) -> Reach {
        let mut reach = Reach::default();
        for (source, target, key) in bindings {
            reach.add(&Id::from(*source), &target_of(target), &Id::from(*key));
        }
        reach
    }

    /// Names of exchanges begin with an `x` here.
    fn target_of(name: &str) -> Target {
        if name.starts_with('x') { Target::Exchange(name.into()) } else { Target::Queue(name.into()) }
    }

    fn ways(reach: &Reach, queue: &str) -> [Vec<String>; 2] {
        reach
            .ways_into(&queue.into())
            .map(|ways| ways.iter().map(|way| format!("{}:{}", way.routing_key, way.via.join(","))).collect())
    }

    #[test]
    fn a_queue_is_reached_directly_and_over_other_exchanges_each_in_its_style() {
        let reach = reach(&[
            ("sku_processed", "q", ""),
            ("sku_processed", "x1", "a"),
            ("x1", "x2", "b"),
            ("x2", "q", "c"),
            ("inventory.commands", "x2", "recalculate_sku"),
            ("elsewhere", "alone", ""),
        ]);
        assert_eq!(
            ways(&reach, "q"),
            [vec![":".to_owned(), "a:x1,x2".into()], vec!["recalculate_sku:x2".into()]]
        );
        assert_eq!(ways(&reach, "alone"), [vec![], Vec::<String>::new()]);
        assert_eq!(reach.queues(), BTreeSet::from(["q".into()]));
    }

    #[test]
    fn exchanges_bound_in_a_circle_are_passed_once() {
        let mut reach = reach(&[
            ("sku_processed", "x1", ""),
            ("x1", "x2", ""),
            ("x2", "x1", ""),
            ("x2", "q", ""),
            ("x2", "q", ""),
        ]);
        assert_eq!(ways(&reach, "q")[0], [":x1,x2"]);
        // Two bindings that differ in their arguments.
        reach.remove(&"x2".into(), &target_of("q"), &"".into());
        assert_eq!(ways(&reach, "q")[0], [":x1,x2"]);
        reach.remove(&"x2".into(), &target_of("q"), &"".into());
        assert_eq!(ways(&reach, "q")[0], Vec::<String>::new());
        assert!(reach.queues().is_empty());
    }
}
