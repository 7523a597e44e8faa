//! The desk over a transport that can be looked into: nothing has to be taken out to be seen.

use super::{
    Desk, DeskError, Names,
    page::{Page, Seen, Wanted, place},
    parked::Parked,
};
use flow::{Kind, Node, Provenance, System, api::DeskDone, topology::Queue};
use journal::By;
use messaging::letters::Shelf;
use std::sync::{Arc, atomic::Ordering};

/// What is to be done with a letter.
pub(super) enum Deed {
    /// It goes back into its queue, perhaps with another body.
    Replay(Option<Arc<[u8]>>),
    /// It goes for good.
    Discard,
}

/// A page of those queues.
pub(super) async fn list(
    shelf: &dyn Shelf,
    system: System,
    queues: &[&'static Queue],
    wanted: &Wanted,
) -> Result<Page, DeskError> {
    let mut all = Vec::new();
    for queue in queues {
        let letters = shelf.letters(queue).await?;
        all.extend(letters.iter().map(|letter| Parked::new(queue, letter.envelope().clone())));
    }
    let mut page = Page::of(all.len() as u64);
    let mut seen = Seen::default();
    let mut letters = all.into_iter();
    if let Some(after) = &wanted.after {
        if place(system, &after.id).is_none() {
            return Err(DeskError::NoCursor { id: after.id.clone(), system });
        }
        let is_it = |parked: Parked| seen.one_more(&parked.name) == after.nth && parked.name == after.id;
        if !letters.any(is_it) {
            return Err(DeskError::CursorGone(after.id.clone()));
        }
    }
    while let Some(parked) = letters.next() {
        let nth = seen.one_more(&parked.name);
        if !page.take(parked.to_api(), nth) {
            return Ok(page.ends(true));
        }
        if page.letters.len() >= wanted.limit {
            return Ok(page.ends(letters.len() > 0));
        }
    }
    Ok(page.ends(false))
}

impl Desk {
    /// Does with each of those letters what is to be done.
    pub(super) async fn settle_on_shelf(
        &self,
        shelf: &dyn Shelf,
        system: System,
        ids: Vec<String>,
        deed: Deed,
        by: By<'_>,
    ) -> Result<DeskDone, DeskError> {
        let mut names = Names::new(ids);
        let mut done = 0;
        for queue in self.queues(system) {
            if names.in_queue(queue) == 0 {
                continue;
            }
            for letter in shelf.letters(queue).await? {
                let parked = Parked::new(queue, letter.envelope().clone());
                if !names.has(&parked.name) {
                    continue;
                }
                let was_there = match &deed {
                    Deed::Replay(body) => {
                        let envelope = self.goes_out_again(&parked, body.clone(), by);
                        let was_there = letter.replay(&envelope).await?;
                        self.tell_routed(&parked, &envelope);
                        was_there
                    }
                    Deed::Discard => letter.discard().await?,
                };
                if was_there {
                    names.strike(&parked.name);
                    self.left(&parked, by);
                    done += 1;
                }
            }
        }
        Ok(DeskDone { done, gone: names.0.into_keys().collect() })
    }

    /// Takes out all there is.
    pub(super) async fn discard_shelf(
        &self,
        shelf: &dyn Shelf,
        system: System,
        by: By<'_>,
    ) -> Result<usize, DeskError> {
        let mut done = 0;
        for queue in self.queues(system) {
            for letter in shelf.letters(queue).await? {
                if letter.discard().await? {
                    self.left(&Parked::new(queue, letter.envelope().clone()), by);
                    done += 1;
                }
            }
        }
        Ok(done)
    }

    fn left(&self, parked: &Parked, by: By<'_>) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.journal.report(parked.left(by));
    }

    /// Over AMQP the bridge tells what the broker does; here its answer says it.
    fn tell_routed(&self, parked: &Parked, envelope: &messaging::Envelope) {
        let routed = Kind::Routed { routing_key: parked.queue.name.into(), message: None };
        let mut event = parked.event(envelope, routed);
        event.provenance = Provenance::Broker;
        event.node = Some(Node::Broker);
        event.exchange = Some("".into());
        event.queue = Some(parked.queue.name.into());
        self.journal.report(event);
    }
}
