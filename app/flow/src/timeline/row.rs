//! One message in one queue, and what became of it.

use crate::{Event, Id, Kind, Node};

/// What a message is going through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits in its queue.
    Queued,
    /// A handler has it in hand.
    Handling,
    /// Its handler waits for an answer over HTTP.
    Calling,
    /// It is held at a gate; that is no latency.
    Held,
    /// It waits for its next attempt.
    Retrying,
}

/// A stretch of time in one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// What went on.
    pub phase: Phase,
    /// From when: microseconds since the Unix epoch.
    pub from_us: u64,
    /// Until when; none while it goes on.
    pub to_us: Option<u64>,
    /// The event with which it began.
    pub seq: u64,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// How a message in a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Handled and acked.
    Acked,
    /// Parked.
    Dead,
    /// Rejected, and not put back.
    Rejected,
    /// It waited in its queue for too long, and the broker took it out.
    Expired,
    /// It was lost with where it was, or on its way.
    Lost,
    /// What was held before it was published has been published.
    Published,
}

/// One message in one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The message.
    pub message_id: Id,
    /// Its queue; none for a message that was held before it was published.
    pub queue: Option<Id>,
    /// Who has or had it in hand.
    pub node: Option<Node>,
    /// What it went through, in order.
    pub bars: Vec<Bar>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// How many e-mails its handler sent.
    pub emails: u32,
    /// The last event about it.
    pub last_seq: u64,
    /// The consumer that has or had it in hand.
    pub(super) tag: Option<Id>,
    /// What goes on once a hold ends.
    after_hold: Option<Phase>,
}

impl Row {
    pub(super) fn new(message_id: Id, queue: Option<Id>) -> Self {
        Self {
            message_id,
            queue,
            node: None,
            bars: Vec::with_capacity(4),
            end: None,
            attempt: 1,
            emails: 0,
            last_seq: 0,
            tag: None,
            after_hold: None,
        }
    }

    /// What goes on now; none once it has ended.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.bars.last().filter(|bar| bar.to_us.is_none()).map(|bar| bar.phase)
    }

    /// For how long it was in that phase up to `now_us`, in microseconds.
    #[must_use]
    pub fn time_in(&self, phase: Phase, now_us: u64) -> u64 {
        let of_phase = self.bars.iter().filter(|bar| bar.phase == phase);
        of_phase.map(|bar| bar.to_us.unwrap_or(now_us).saturating_sub(bar.from_us)).sum()
    }

    /// From its first moment to its end, or to `now_us`, less the time in which it was held, in microseconds.
    #[must_use]
    pub fn latency_us(&self, now_us: u64) -> u64 {
        let (Some(first), Some(last)) = (self.bars.first(), self.bars.last()) else { return 0 };
        let all = last.to_us.unwrap_or(now_us).saturating_sub(first.from_us);
        all.saturating_sub(self.time_in(Phase::Held, now_us))
    }

    pub(super) fn routed(&mut self, event: &Event, at_us: u64) {
        self.last_seq = event.seq;
        self.attempt = event.attempt.unwrap_or(1);
        // Replayed from the dead-letter desk it begins anew.
        self.end = None;
        self.turn(Some(Phase::Queued), event.seq, at_us);
    }

    pub(super) fn delivered(&mut self, event: &Event, at_us: u64) {
        self.last_seq = event.seq;
        self.attempt = event.attempt.unwrap_or(1);
        self.node.clone_from(&event.node);
        if let Kind::Delivered { consumer_tag } = &event.kind {
            self.tag = Some(consumer_tag.clone());
        }
        self.end = None;
        self.turn(Some(Phase::Handling), event.seq, at_us);
    }

    pub(super) fn held(&mut self, event: &Event, at_us: u64) {
        self.last_seq = event.seq;
        self.node.clone_from(&event.node);
        self.after_hold = self.phase();
        self.turn(Some(Phase::Held), event.seq, at_us);
    }

    pub(super) fn given_back(&mut self, seq: u64, at_us: u64) {
        if matches!(self.phase(), Some(Phase::Handling | Phase::Calling | Phase::Held))
            && self.queue.is_some()
        {
            self.turn(Some(Phase::Queued), seq, at_us);
        }
    }

    pub(super) fn apply(&mut self, event: &Event, at_us: u64) {
        self.last_seq = event.seq;
        let phase = self.phase();
        let next = match &event.kind {
            Kind::HttpRequest { .. } => Some(Phase::Calling),
            Kind::HttpResponse { .. } => Some(Phase::Handling),
            Kind::RetryScheduled { .. } => Some(Phase::Retrying),
            Kind::Nacked { requeue: true, .. } => Some(Phase::Queued),
            Kind::Held { .. } => return self.held(event, at_us),
            Kind::Released { .. } if phase == Some(Phase::Held) => {
                let next = self.after_hold.take();
                if next.is_none() {
                    self.end = Some(End::Published);
                }
                next
            }
            Kind::DeadLettered { .. } => return self.ends(End::Dead, event.seq, at_us),
            Kind::Expired => return self.ends(End::Expired, event.seq, at_us),
            Kind::Lost { .. } => return self.ends(End::Lost, event.seq, at_us),
            Kind::Nacked { .. } => return self.ends(End::Rejected, event.seq, at_us),
            // The ack of what was put aside ends that attempt, not the message.
            Kind::Acked { .. } if phase == Some(Phase::Retrying) || self.end.is_some() => return,
            Kind::Acked { .. } if event.attempt.unwrap_or(self.attempt) < self.attempt => return,
            Kind::Acked { .. } => return self.ends(End::Acked, event.seq, at_us),
            Kind::EmailSent { .. } => {
                self.emails += 1;
                return;
            }
            _ => return,
        };
        self.turn(next, event.seq, at_us);
    }

    fn ends(&mut self, end: End, seq: u64, at_us: u64) {
        self.end = Some(end);
        self.turn(None, seq, at_us);
    }

    fn turn(&mut self, next: Option<Phase>, seq: u64, at_us: u64) {
        if next.is_some() && self.phase() == next && next != Some(Phase::Handling) {
            return;
        }
        if let Some(open) = self.bars.last_mut().filter(|bar| bar.to_us.is_none()) {
            open.to_us = Some(at_us.max(open.from_us));
        }
        if self.bars.last().is_some_and(|bar| bar.to_us == Some(bar.from_us)) {
            // What took no time cannot be drawn.
            self.bars.pop();
        }
        if let Some(phase) = next {
            self.bars.push(Bar { phase, from_us: at_us, to_us: None, seq, attempt: self.attempt });
        }
    }
}
