//! One round of questions to the management API, and what it has found.

use super::{
    Binding,
    api::{Api, ApiError},
};
use crate::{
    node_of_stranger,
    reach::{Reach, Target, Ways},
};
use flow::{Id, Node, Style, topology};
use std::collections::{BTreeMap, BTreeSet};

/// How many queues of strangers are asked about, one by one.
const QUEUES_MAX: usize = 128;

/// A consumer is one by its channel and its tag.
pub(super) type Place = (String, Id);

/// Somebody who consumes, and is none of ours.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub node: Node,
    pub queue: Id,
    /// The tag by which it is told. Its own is unique on its channel alone, and those of one queue are told apart.
    pub tag: Id,
}

/// What a queue holds, as far as it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    pub ready: u64,
    pub unacked: u64,
}

pub(super) struct Round {
    /// The queues that our exchanges reach, and how. The bridge's own is none of them.
    pub ways: BTreeMap<Id, Ways>,
    pub consumers: BTreeMap<(Style, Place), Consumer>,
    pub depths: BTreeMap<Id, Depth>,
}

impl Round {
    pub async fn ask(api: &Api) -> Result<Self, ApiError> {
        let connections = api.connections().await?;
        let titles: BTreeMap<&str, &str> =
            connections.iter().map(|connection| (&*connection.name, connection.title())).collect();
        let is_ours = |name: &str| titles.get(name).is_some_and(|title| node_of_stranger(title).is_none());

        let mut reach = Reach::default();
        for binding in api.bindings().await?.iter().filter(|binding| !binding.source.is_empty()) {
            let name = Id::from(&*binding.destination);
            let target = match &*binding.destination_type {
                "queue" => Target::Queue(name),
                _ => Target::Exchange(name),
            };
            reach.add(&Id::from(&*binding.source), &target, &Id::from(&*binding.routing_key));
        }
        let (mut ways, mut depths) = (BTreeMap::new(), BTreeMap::new());
        let strangers = reach.queues().into_iter().filter(|name| topology::amqp_queue_named(name).is_none());
        let ours = topology::all_queues().map(|queue| Id::from(queue.name));
        for name in ours.chain(strangers.take(QUEUES_MAX)) {
            // The tap's own queue is bound too, and belongs to the bridge's connection.
            if let Some(queue) = api.queue(&name).await?
                && !queue.owner().is_some_and(is_ours)
            {
                // There are no numbers before RabbitMQ has measured for the first time.
                if let (Some(ready), Some(unacked)) = (queue.messages_ready, queue.messages_unacknowledged) {
                    depths.insert(name.clone(), Depth { ready, unacked });
                }
                ways.insert(name.clone(), reach.ways_into(&name));
            }
        }

        let mut consumers = BTreeMap::new();
        for consumer in api.consumers().await? {
            let queue: Id = consumer.queue.name.as_str().into();
            let Some((channel, connection)) = consumer.place() else { continue };
            // Whoever came since the connections were asked for is told in the next round, with the right name.
            let Some(node) = titles.get(connection).and_then(|title| node_of_stranger(title)) else {
                continue;
            };
            let place = (channel.to_owned(), Id::from(consumer.consumer_tag.as_str()));
            for style in styles_of(&queue, ways.get(&queue)) {
                let consumer = Consumer { node: node.clone(), queue: queue.clone(), tag: place.1.clone() };
                consumers.insert((style, place.clone()), consumer);
            }
        }
        Ok(Self { ways, consumers, depths })
    }

    /// Tells consumers apart that have the same tag. Those that are known keep theirs.
    pub fn tell_apart(&mut self, known: &BTreeMap<(Style, Place), Consumer>) {
        let mut taken = BTreeSet::new();
        for (key, consumer) in &mut self.consumers {
            if let Some(before) = known.get(key) {
                consumer.tag = before.tag.clone();
                taken.insert((key.0, consumer.queue.clone(), consumer.tag.clone()));
            }
        }
        for ((style, (channel, tag)), consumer) in &mut self.consumers {
            if known.contains_key(&(*style, (channel.clone(), tag.clone()))) {
                continue;
            }
            if !taken.insert((*style, consumer.queue.clone(), tag.clone())) {
                consumer.tag = format!("{tag}@{channel}").into();
            }
        }
    }

    /// The direct bindings of others' queues, which say what they hear.
    pub fn heard(&self) -> BTreeSet<Binding> {
        let mut heard = BTreeSet::new();
        for (queue, ways) in &self.ways {
            for &style in Style::ALL.iter().filter(|style| !is_of(queue, **style)) {
                let direct = ways[style as usize].iter().filter(|way| way.via.is_empty());
                heard.extend(direct.map(|way| Binding {
                    style,
                    queue: queue.clone(),
                    key: way.routing_key.clone(),
                }));
            }
        }
        heard
    }
}

/// In which styles a queue is to be seen.
pub(super) fn styles_of(queue: &str, ways: Option<&Ways>) -> impl Iterator<Item = Style> {
    Style::ALL.iter().copied().filter(move |style| {
        is_of(queue, *style) || ways.is_some_and(|ways| !ways[*style as usize].is_empty())
    })
}

/// Whether the queue is one of the style's own.
pub(super) fn is_of(queue: &str, style: Style) -> bool {
    topology::amqp_queue_named(queue).is_some_and(|own| own.style == style)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(channels: &[&str]) -> Round {
        let consumers = channels.iter().map(|channel| {
            let (node, queue) = (Node::Foreign("py".into()), Id::from("audit"));
            let place = ((*channel).to_owned(), Id::from("listener"));
            ((Style::Choreography, place), Consumer { node, queue, tag: "listener".into() })
        });
        Round { ways: BTreeMap::new(), consumers: consumers.collect(), depths: BTreeMap::new() }
    }

    #[test]
    fn two_consumers_of_one_tag_are_told_apart_and_keep_their_names() {
        let mut both = round(&["a", "b"]);
        both.tell_apart(&BTreeMap::new());
        let tags =
            |round: &Round| round.consumers.values().map(|one| one.tag.to_string()).collect::<Vec<_>>();
        assert_eq!(tags(&both), ["listener", "listener@b"]);
        let mut second = round(&["b"]);
        second.tell_apart(&both.consumers);
        assert_eq!(tags(&second), ["listener@b"]);
        let mut third = round(&["a0", "b"]);
        third.tell_apart(&second.consumers);
        assert_eq!(tags(&third), ["listener", "listener@b"]);
    }
}
