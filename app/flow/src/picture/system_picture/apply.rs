//! What each event changes in a system.

use super::{DESK, Loyalty, SystemPicture, Unconfirmed};
use crate::api::BreakerState;
use crate::event::{State, Stored};
use crate::fault::{FaultKind, FaultPhase, HeldStep};
use crate::picture::agreement::Known;
use crate::picture::binding::Binding;
use crate::picture::hold::Hold;
use crate::picture::queue::{Delivery, QueuePicture};
use crate::picture::service::{Answer, Call, Change, Decision, ServicePicture, SetFault};
use crate::topology::queue_named;
use crate::{Dispatch, Event, Id, Kind, Node, Service};

/// How many queues of strangers are known.
const FOREIGN_QUEUES: usize = 512;
/// How many open calls are known one by one.
const OPEN_CALLS: usize = 256;
/// How many held steps are known; more than all workers of a style can have in hand at once.
const KNOWN_HELD: usize = 256;
/// How many unconfirmed messages are known one by one; the rest are counted.
const KNOWN_UNCONFIRMED: usize = 256;
/// How many refused messages are known.
const KNOWN_REFUSED: usize = 256;

impl SystemPicture {
    pub(in crate::picture) fn apply(&mut self, event: &Event) {
        if sets_out(event) && self.is_quiet() && self.unsent == 0 {
            self.began_seq = event.seq;
        }
        self.recent.apply(event);
        match &event.kind {
            Kind::ArrivalReceived { .. } => self.arrivals += 1,
            Kind::StockRecorded { before, after, messages, .. } => {
                self.unsent = self.unsent.saturating_add(u64::from(*messages));
                let change = Change { sku: event.sku, before: *before, after: *after, seq: event.seq };
                self.stock.changed(change.clone());
                self.recorded = Some(change);
                if let Some(sku) = event.sku {
                    self.agreement.recorded(sku, (*after).into(), event.at_us);
                }
            }
            Kind::Published { routing_key, .. } => self.published(event, routing_key),
            Kind::Confirmed { .. } => {
                self.refused.retain(|id| event.message_id.as_ref() != Some(id));
                self.no_longer_unconfirmed(event);
            }
            Kind::Refused { .. } => self.refused(event),
            Kind::Returned { .. } => {
                self.returned += 1;
                self.no_longer_unconfirmed(event);
                if !matches!(event.node, Some(Node::Foreign(_))) {
                    // It will be sent again.
                    self.unsent = self.unsent.saturating_add(1);
                }
            }
            Kind::HttpRequest { http_id, target, .. } => {
                if self.calls.len() < OPEN_CALLS {
                    self.calls.push(Call {
                        http_id: http_id.clone(),
                        from: event.node.clone(),
                        target: *target,
                        sku: event.sku,
                    });
                }
            }
            Kind::HttpResponse { http_id, status, error, duration_us, .. } => {
                self.calls.retain(|call| call.http_id != *http_id);
                if let Some(own) = self.service_mut(event) {
                    own.last_answer = Some(Answer {
                        status: *status,
                        error: error.clone(),
                        duration_us: *duration_us,
                        seq: event.seq,
                    });
                }
            }
            Kind::StateChanged { before, after } => self.state_changed(event, *before, *after),
            Kind::EmailSent { .. } => {
                if let Some(own) = self.service_mut(event) {
                    own.emails += 1;
                }
            }
            Kind::ConnectionLost { .. } => self.connection_lost(event),
            Kind::ServerStarted => self.server_started(event),
            Kind::SystemReset => self.system_reset(event),
            Kind::Counted { messages, emails, dead, ready, unacked } => {
                self.counted(event, *messages, *emails, *dead);
                if let Some(at) = event.queue.as_ref().and_then(|name| self.place_of(name)) {
                    let queue = &mut self.queues[at];
                    ready.iter().for_each(|ready| queue.ready_are(*ready));
                    unacked.iter().for_each(|unacked| queue.unacked_are(*unacked));
                }
            }
            Kind::StoresRead { recorded, stored } => self.stores_read(event, *recorded, stored),
            Kind::QueueBound { routing_key, via } => {
                if let Some(name) = &event.queue {
                    let binding = Binding { via: via.clone(), routing_key: routing_key.clone() };
                    self.queue_bound(name, binding);
                }
            }
            Kind::QueueUnbound { routing_key, via } => {
                if let Some(name) = &event.queue {
                    let binding = Binding { via: via.clone(), routing_key: routing_key.clone() };
                    self.queue_unbound(name, &binding);
                }
            }
            Kind::QueueDeleted { .. } => {
                if let Some(name) = &event.queue {
                    self.queue_deleted(name);
                }
            }
            Kind::QueuePurged { .. } => {
                if let Some(at) = event.queue.as_ref().and_then(|name| self.place_of(name)) {
                    self.queues[at].purged();
                }
            }
            Kind::Held { .. } if self.held.len() < KNOWN_HELD => self.held.extend(HeldStep::of(event)),
            Kind::Held { .. } => {}
            Kind::Released { hold_id, .. } => self.held.retain(|step| step.hold_id != *hold_id),
            Kind::GatesSet { gates, opens_at_us } => {
                let (by, at_us) = (event.actor.as_deref(), event.at_us);
                self.hold = Hold::after(self.hold.take(), by, *gates, at_us, *opens_at_us);
            }
            Kind::AnnouncedAgain { version, messages } => {
                self.unsent = self.unsent.saturating_add(u64::from(*messages));
                if let Some(sku) = event.sku {
                    self.agreement.announced(sku, *version);
                }
            }
            Kind::BreakerChanged { to, .. } => {
                if let Some(own) = self.service_mut(event) {
                    own.breaker = *to;
                }
            }
            Kind::MembershipChanged { joined, applied, .. } => self.membership_changed(*joined, *applied),
            Kind::ModeChanged { mode } => self.mode = Some(*mode),
            Kind::Expired => self.expired(event),
            Kind::FaultInjected { fault, phase } => self.fault(event, *fault, *phase),
            Kind::Acked { .. } | Kind::Nacked { requeue: false, .. } if self.is_unparked(event) => {}
            _ => self.apply_to_queue(event),
        }
    }

    fn apply_to_queue(&mut self, event: &Event) {
        if let Some(own) = self.service_mut(event) {
            match &event.kind {
                Kind::HandlerStarted => own.decided = None,
                Kind::DuplicateIgnored { .. } => own.decided = Some(Decision::KnewIt),
                Kind::OlderVersionIgnored { .. } => own.decided = Some(Decision::Older),
                Kind::Lost { .. } => own.decided = Some(Decision::Lost),
                Kind::RetryScheduled { .. } => own.retries += 1,
                Kind::DeadLettered { reason } => own.failure = Some(reason.clone()),
                Kind::ConsumerStarted { .. } => own.stopped = false,
                Kind::ConsumerStopped { .. } => own.stopped = true,
                _ => {}
            }
        }
        if matches!(event.kind, Kind::Routed { .. }) && self.is_of_exchange(event) {
            self.routed += 1;
        }
        let id = event.message_id.as_ref();
        let attempt = event.attempt.unwrap_or(1);
        let Some(queue) = self.queue_mut(event) else { return };
        match &event.kind {
            Kind::Routed { .. } => queue.routed(id, event.sku, attempt),
            Kind::Delivered { consumer_tag } => queue.delivered(&Delivery {
                id,
                sku: event.sku,
                tag: consumer_tag,
                attempt,
                redelivered: event.redelivered == Some(true),
            }),
            Kind::Acked { .. } => {
                let handled = queue.settled(id);
                if handled && let Some(own) = self.service_mut(event) {
                    own.handled += 1;
                    own.handled_seq = event.seq;
                    own.inbox.handled(event);
                    own.failure = None;
                }
            }
            Kind::Nacked { requeue: false, .. } => {
                queue.settled(id);
            }
            Kind::Nacked { requeue: true, .. } => queue.given_back(id),
            Kind::RetryScheduled { delay_ms, .. } => {
                queue.retry_scheduled(id, attempt, event.at_us, *delay_ms);
            }
            Kind::DeadLettered { .. } => queue.dead_lettered(id),
            Kind::Lost { .. } => queue.is_lost(id),
            Kind::ConsumerStarted { consumer_tag, ready } => {
                queue.consumer_started(consumer_tag, event.node.as_ref(), *ready);
            }
            Kind::ConsumerStopped { consumer_tag, .. } => queue.consumer_stopped(consumer_tag),
            _ => {}
        }
    }

    /// Whether a message came by this style's exchange, or by the producer's own list into a queue of ours.
    fn is_of_exchange(&self, event: &Event) -> bool {
        match event.exchange.as_deref() {
            None => true,
            Some("") => event.queue.as_deref().is_some_and(|name| queue_named(name).is_some()),
            Some(name) => name == self.system.exchange().name,
        }
    }

    /// The broker took a message out of a queue because it was too old. To the queue that is as if somebody had taken it
    /// and was done with it.
    fn expired(&mut self, event: &Event) {
        let Some(name) = &event.queue else { return };
        let Some(at) = self.queues.iter().position(|queue| queue.name == *name) else { return };
        let (id, tag) = (event.message_id.as_ref(), Id::from(""));
        let attempt = event.attempt.unwrap_or(1);
        self.queues[at].delivered(&Delivery { id, sku: event.sku, tag: &tag, attempt, redelivered: false });
        self.queues[at].settled(id);
        if let Some(own) = self.at_mut(at) {
            own.decided = Some(Decision::Expired);
        }
    }

    /// Events were left out: what was tracked can no longer be decided.
    pub(in crate::picture) fn forget(&mut self) {
        self.agreement.forget();
        self.held.clear();
        self.refused.clear();
    }

    /// What no service tells of its own, such as a stopped broker, is inventory's.
    fn fault(&mut self, event: &Event, kind: FaultKind, phase: FaultPhase) {
        let service = match event.node {
            Some(Node::Service(service)) => service,
            _ => Service::Inventory,
        };
        let Some(own) = self.member_mut(service) else { return };
        let faults = &mut own.faults;
        if phase == FaultPhase::Cleared {
            return faults.retain(|fault| fault.kind != kind);
        }
        let place = faults.iter().position(|fault| fault.kind == kind).unwrap_or_else(|| {
            faults.push(SetFault { kind, struck: 0, seq: event.seq });
            faults.len() - 1
        });
        let fault = &mut faults[place];
        match phase {
            FaultPhase::Struck => fault.struck = fault.struck.saturating_add(1),
            _ => (fault.struck, fault.seq) = (0, event.seq),
        }
    }

    /// Whether the event takes a message out of a dead-letter queue of ours; then it is counted.
    fn is_unparked(&mut self, event: &Event) -> bool {
        let Some(origin) = event.queue.as_deref().and_then(|name| name.strip_suffix(".dead")) else {
            return false;
        };
        self.unparked(origin, |queue| queue.unparked(event.message_id.as_ref()));
        true
    }

    fn unparked(&mut self, origin: &str, leaves: impl FnOnce(&mut QueuePicture)) {
        let Some(at) = self.own_queues().iter().position(|queue| &*queue.name == origin) else { return };
        leaves(&mut self.queues[at]);
        if self.queues[at].dead == 0 {
            self.at_mut(at).into_iter().for_each(|own| own.failure = None);
        }
    }

    fn published(&mut self, event: &Event, routing_key: &Id) {
        self.published += 1;
        if let Some(Node::Foreign(who)) = &event.node {
            // Whether a stranger's message reached the broker is the stranger's business.
            if &**who == DESK {
                // An edited message is a new one; what was parked is its cause.
                let parked = event.causation_id.as_ref().or(event.message_id.as_ref());
                let sent = event.message_id.as_ref();
                self.unparked(routing_key, |queue| queue.replayed(parked, sent));
            }
            return;
        }
        self.dispatch =
            if event.exchange.as_deref() == Some("") { Dispatch::Queues } else { Dispatch::Fanout };
        let Some(id) = &event.message_id else { return };
        // Published once more after a lost confirm, it is still one message.
        if self.unconfirmed.iter().any(|known| known.id == *id && known.routing_key == *routing_key) {
            return;
        }
        self.unsent = self.unsent.saturating_sub(1);
        if self.unconfirmed.len() < KNOWN_UNCONFIRMED {
            self.unconfirmed.push(Unconfirmed { id: id.clone(), routing_key: routing_key.clone() });
        } else {
            self.unconfirmed_more += 1;
        }
    }

    /// It will be sent again.
    fn refused(&mut self, event: &Event) {
        self.no_longer_unconfirmed(event);
        self.unsent = self.unsent.saturating_add(1);
        let Some(id) = &event.message_id else { return };
        if !self.refused.contains(id) && self.refused.len() < KNOWN_REFUSED {
            self.refused.push(id.clone());
        }
    }

    fn no_longer_unconfirmed(&mut self, event: &Event) {
        let Some(id) = &event.message_id else { return };
        match self.unconfirmed.iter().position(|known| known.id == *id) {
            Some(at) => drop(self.unconfirmed.remove(at)),
            None => self.unconfirmed_more = self.unconfirmed_more.saturating_sub(1),
        }
    }

    /// What went before is over, and nobody has decided or asked anything since.
    fn system_reset(&mut self, event: &Event) {
        self.began_seq = event.seq;
        for own in self.members_mut() {
            (own.decided, own.last_answer) = (None, None);
        }
    }

    fn state_changed(&mut self, event: &Event, before: Option<State>, after: State) {
        let Some(Node::Service(service)) = event.node else { return };
        let change = Change { sku: event.sku, before, after, seq: event.seq };
        let Some(own) = self.member_mut(service) else { return };
        own.rows.changed(change.clone());
        own.last_change = Some(change);
        // What loyalty counts is nothing that the others could agree about.
        if let Some(sku) = event.sku
            && Service::ALWAYS.contains(&service)
        {
            let recorded = self.recorded_of(sku).map(Into::into);
            self.agreement.taken_in(service, sku, after.into(), recorded, event.at_us);
        }
    }

    fn stores_read(&mut self, event: &Event, recorded: State, stored: &Stored) {
        let Some(sku) = event.sku else { return };
        let change = |after| Change { sku: Some(sku), before: None, after, seq: event.seq };
        if self.recorded_of(sku) != Some(recorded) {
            self.stock.changed(change(recorded));
            self.recorded = Some(change(recorded));
        }
        for (own, service) in self.services.iter_mut().zip(Service::ALWAYS) {
            let known = own.rows.of(sku);
            if let Some(after) = stored.of(service).filter(|after| known != Some(*after)) {
                own.rows.changed(change(after));
                own.last_change = Some(change(after));
            }
        }
        let known =
            [Some(stored.inventory), stored.catalog, stored.wishlist].map(|state| state.map(Known::from));
        self.agreement.read(sku, recorded.into(), known, event.at_us);
    }

    fn connection_lost(&mut self, event: &Event) {
        for queue in &mut self.queues {
            queue.connection_lost(event.node.as_ref());
        }
        let concerns = |service: Service| event.node.is_none() || event.node == Some(service.into());
        // Whoever asked is gone; no answer will be told.
        self.calls.retain(|call| event.node.is_some() && call.from != event.node);
        for (&service, own) in Service::ALL.iter().zip(self.members_mut()) {
            own.stopped |= concerns(service);
        }
        if concerns(Service::Inventory) {
            // What was not confirmed will be published once more; counting it twice would never end.
            self.unsent = self.outbox();
            self.unconfirmed.clear();
            self.unconfirmed_more = 0;
        }
    }

    /// What the last run had in hand went with it, and its last steps may be told nowhere.
    fn server_started(&mut self, event: &Event) {
        self.connection_lost(event);
        self.forget();
        let own = self.own();
        for (at, queue) in self.queues.iter_mut().enumerate() {
            queue.server_started();
            if at < own {
                // Whoever starts declares what is ours, and binds it.
                queue.bindings = None;
            }
        }
        for own in self.members_mut() {
            own.faults.clear();
            own.breaker = BreakerState::Closed;
        }
        self.hold = None;
    }

    fn counted(&mut self, event: &Event, messages: Option<u32>, emails: Option<u64>, dead: Option<u64>) {
        if let Some(messages) = messages {
            self.unsent = u64::from(messages).saturating_sub(self.unconfirmed());
        }
        if let Some(emails) = emails {
            self.services[Service::Wishlist as usize].emails = emails;
        }
        if let Some(dead) = dead
            && let Some(name) = &event.queue
            && let Some(at) = self.own_queues().iter().position(|queue| queue.name == *name)
        {
            self.queues[at].parked_are(dead);
            if dead == 0 {
                self.at_mut(at).into_iter().for_each(|own| own.failure = None);
            }
        }
    }

    fn service_mut(&mut self, event: &Event) -> Option<&mut ServicePicture> {
        match event.node {
            Some(Node::Service(service)) => self.member_mut(service),
            _ => None,
        }
    }

    /// A service that takes part.
    fn member_mut(&mut self, service: Service) -> Option<&mut ServicePicture> {
        self.at_mut(service as usize)
    }

    /// The service whose queue stands there.
    fn at_mut(&mut self, at: usize) -> Option<&mut ServicePicture> {
        self.members_mut().nth(at)
    }

    fn members_mut(&mut self) -> impl Iterator<Item = &mut ServicePicture> {
        let loyalty = self.loyalty.iter_mut().map(|loyalty| &mut loyalty.service);
        self.services.iter_mut().chain(loyalty)
    }

    /// Loyalty's queue stands behind those of the three, and goes with it.
    fn membership_changed(&mut self, joined: bool, applied: bool) {
        let (at, name) = (Service::ALWAYS.len(), self.system.queue_of(Service::Loyalty).name);
        match &mut self.loyalty {
            Some(loyalty) if joined => loyalty.applied = applied,
            None if joined => {
                // Whoever watches the broker may have told of the queue already.
                let told = self.queues.iter().position(|queue| &*queue.name == name);
                let queue =
                    told.map_or_else(|| QueuePicture::new(name.into()), |told| self.queues.remove(told));
                self.queues.insert(at, queue);
                self.loyalty = Some(Box::new(Loyalty { applied, ..Loyalty::default() }));
            }
            Some(_) => {
                self.loyalty = None;
                self.queues.remove(at);
                self.held.retain(|step| step.service != Service::Loyalty);
                self.calls.retain(|call| call.from != Some(Service::Loyalty.into()));
            }
            None => {}
        }
    }

    pub(in crate::picture) fn place_of(&self, name: &Id) -> Option<usize> {
        self.queues.iter().position(|queue| queue.name == *name)
    }

    /// Whether one more queue of a stranger's can be known.
    pub(in crate::picture) fn has_room(&self) -> bool {
        self.queues.len() < self.own() + FOREIGN_QUEUES
    }

    /// The queue an event is about. Where bindings are not told, a stranger's queue comes into being with the first word
    /// of it.
    fn queue_mut(&mut self, event: &Event) -> Option<&mut QueuePicture> {
        let name = event.queue.as_ref()?;
        if let Some(at) = self.place_of(name) {
            return self.queues.get_mut(at);
        }
        if self.knows_bindings {
            return None;
        }
        let is_new = matches!(event.kind, Kind::Routed { .. } | Kind::ConsumerStarted { .. });
        let is_aside = name.ends_with(".retry") || name.ends_with(".dead");
        if !is_new || is_aside || !self.has_room() {
            return None;
        }
        self.queues.push(QueuePicture::new(name.clone()));
        self.queues.last_mut()
    }
}

/// Whether something sets out that may be the first of what goes on from here. What we publish follows from what we
/// recorded, and may be confirmed before the broker tells that it was routed.
const fn sets_out(event: &Event) -> bool {
    match event.kind {
        Kind::ArrivalReceived { .. } | Kind::StockRecorded { .. } => true,
        Kind::Published { .. } => matches!(event.node, Some(Node::Foreign(_))),
        _ => false,
    }
}
