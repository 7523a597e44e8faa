//! A picture of the whole state, taken in parts.

use super::{ConnectionId, ConsumerId, Core, Name, QueueId, exchange::Destination};
use crate::event::Overview;
use std::{collections::VecDeque, ops::Bound};

/// How many things are looked at before others get the core.
const PART: usize = 5000;

/// A picture that is being taken.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    picture: Overview,
    has_begun: bool,
    /// The exchanges whose bindings were not looked at.
    exchanges: VecDeque<Name>,
    /// How many bindings of the first of them were.
    bindings: usize,
    queue: Option<QueueId>,
    consumer: Option<ConsumerId>,
    connection: Option<ConnectionId>,
    left: usize,
}

impl Survey {
    /// The picture, when [`Core::survey`] has said that it is done.
    pub(crate) fn into_picture(self) -> Overview {
        self.picture
    }
}

/// Everything after the last that was looked at.
fn after<T>(last: Option<T>) -> (Bound<T>, Bound<T>) {
    (last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl Core {
    /// Adds a part to the picture; says whether it is done.
    pub(crate) fn survey(&self, survey: &mut Survey) -> bool {
        survey.left = PART;
        if !std::mem::replace(&mut survey.has_begun, true) {
            survey.picture.exchanges = self.exchanges.values().map(super::Exchange::info).collect();
            survey.exchanges = self.exchanges.keys().cloned().collect();
        }
        for (id, queue) in self.queues.range(after(survey.queue)).take(survey.left) {
            survey.picture.queues.push(queue.info());
            survey.queue = Some(*id);
            survey.left -= 1;
        }
        self.survey_bindings(survey);
        for (id, _) in self.consumers.range(after(survey.consumer)).take(survey.left) {
            survey.picture.consumers.extend(self.consumer_info(*id));
            survey.consumer = Some(*id);
            survey.left -= 1;
        }
        for (id, connection) in self.connections.range(after(survey.connection)).take(survey.left) {
            survey.picture.connections.push(connection.info.clone());
            survey.connection = Some(*id);
            survey.left -= 1;
        }
        survey.left > 0
    }

    fn survey_bindings(&self, survey: &mut Survey) {
        while survey.left > 0
            && let Some(name) = survey.exchanges.front()
        {
            let mut bindings = self.exchanges.get(name).into_iter().flat_map(super::Exchange::bindings);
            for (key, destination, _) in bindings.by_ref().skip(survey.bindings).take(survey.left) {
                survey.bindings += 1;
                survey.left -= 1;
                let is_gone = matches!(destination, Destination::Queue(id) if self.remains.contains_key(id));
                if !is_gone {
                    survey.picture.bindings.extend(self.binding_info(name, key, destination));
                }
            }
            if bindings.next().is_none() {
                survey.exchanges.pop_front();
                survey.bindings = 0;
            }
        }
    }
}
