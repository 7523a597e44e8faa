//! The sequence diagram: lifelines, arrows between them, and what each did meanwhile.
//!
//! Rows go down in the order of the events, columns are lifelines; the view only has to multiply both. An open
//! arrowhead is a message that nobody waits for, a filled one a call whose caller waits, a dashed line an answer.

mod mermaid;
#[cfg(test)]
mod tests;

use crate::event::{State, StockReason};
use crate::{Event, Id, Kind, Node, Service};

/// What the diagram shows besides the services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// A lifeline for each queue, not only for the exchange.
    pub queues: bool,
    /// The broker's confirms and the consumers' acks too.
    pub settlements: bool,
}

/// A sequence diagram, as positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The columns, from left to right.
    pub lifelines: Vec<Lifeline>,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
    /// Who worked on something, and when.
    pub activations: Vec<Activation>,
}

/// What a lifeline stands for, in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Where arrivals come from.
    Warehouse,
    /// Where sales come from.
    Storefront,
    /// Inventory: it records, publishes, answers, and recalculates.
    Inventory,
    /// The exchange, or what stands for the whole broker.
    Exchange(Id),
    /// A queue.
    Queue(Id),
    /// Catalog, wishlist or loyalty.
    Service(Service),
    /// A stranger.
    Foreign(Id),
}

impl Place {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Warehouse => "warehouse",
            Self::Storefront => "storefront",
            Self::Inventory => Service::Inventory.as_str(),
            Self::Service(service) => service.as_str(),
            Self::Exchange(name) if name.is_empty() => "broker",
            Self::Exchange(name) | Self::Queue(name) | Self::Foreign(name) => name,
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifeline {
    /// What it stands for.
    pub place: Place,
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrow {
    /// A call: a filled head; the caller waits.
    Call,
    /// A message: an open head; nobody waits.
    Message,
    /// An answer, a confirm or an ack: a dashed line.
    Return,
}

/// What stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// An arrow from column to column, which may be the same.
    Arrow {
        /// How it is drawn.
        arrow: Arrow,
        /// The column it leaves.
        from: usize,
        /// The column it reaches.
        to: usize,
    },
    /// A note on one column.
    Note {
        /// The column.
        over: usize,
    },
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The event it shows.
    pub seq: u64,
    /// When that happened: microseconds since the Unix epoch.
    pub at_us: u64,
    /// The arrival it is about.
    pub arrival: Option<Id>,
    /// What is drawn.
    pub mark: Mark,
    /// What is written.
    pub text: String,
    /// Whether it tells of something that went wrong.
    pub is_trouble: bool,
}

/// A stretch in which a lifeline works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// The column.
    pub column: usize,
    /// The row with which it begins.
    pub from_row: usize,
    /// The row with which it ends; none while it goes on.
    pub to_row: Option<usize>,
    /// How many others of the same column it lies on.
    pub depth: usize,
}

impl Sequence {
    /// The diagram of the given events: those of one arrival, or the last few.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, options: Options) -> Self {
        let mut draft = Draft { options, ..Draft::default() };
        events.for_each(|event| draft.take(event));
        draft.finish()
    }
}

/// Columns are numbered as they turn up, and sorted at the end.
#[derive(Default)]
struct Draft {
    options: Options,
    places: Vec<Place>,
    rows: Vec<Row>,
    activations: Vec<Activation>,
    /// What keeps each open activation open.
    open: Vec<(usize, Id)>,
}

impl Draft {
    fn take(&mut self, event: &Event) {
        let who = place_of(event.node.as_ref());
        let message = event.message_id.clone().unwrap_or_else(|| "".into());
        match &event.kind {
            Kind::ArrivalReceived { quantity, .. } => {
                let text = format!("{quantity} × {}", sku(event));
                self.arrow(event, Arrow::Call, Place::Warehouse, Place::Inventory, text);
            }
            Kind::StockRecorded { reason, before, after, .. } => {
                if *reason == StockReason::Sale {
                    let text = format!("sale of {}", sku(event));
                    self.arrow(event, Arrow::Call, Place::Storefront, Place::Inventory, text);
                }
                let on_hand = |state: &State| state.on_hand.unwrap_or(state.quantity);
                let before = before.as_ref().map_or(0, on_hand);
                self.note(event, who, format!("records {before} → {}", on_hand(after)));
            }
            Kind::Published { routing_key, message } => {
                let to = match event.exchange.as_deref() {
                    Some("") if self.options.queues => Place::Queue(routing_key.clone()),
                    _ => exchange(event),
                };
                self.arrow(event, Arrow::Message, who, to, message.message_type.to_string());
            }
            Kind::Confirmed { .. } if self.options.settlements => {
                self.arrow(event, Arrow::Return, exchange(event), who, "confirmed".to_owned());
            }
            Kind::Returned { reply_code, reply_text } => {
                self.trouble(event, exchange(event), who, format!("returned: {reply_code} {reply_text}"));
            }
            Kind::Routed { .. } if self.options.queues => {
                let Some(queue) = event.queue.clone() else { return };
                if event.exchange.as_deref() == Some("") {
                    let text = format!("back, attempt {}", event.attempt.unwrap_or(1));
                    return self.note(event, Place::Queue(queue), text);
                }
                self.arrow(event, Arrow::Message, exchange(event), Place::Queue(queue), String::new());
            }
            Kind::Refused { reason, .. } => {
                self.trouble(event, exchange(event), who, format!("refused: {reason}"));
            }
            Kind::Delivered { .. } => {
                let mut text = match event.queue.as_deref().and_then(crate::topology::queue_named) {
                    Some(queue) => queue.message_type().to_owned(),
                    None => sku(event),
                };
                if let Some(attempt @ 2..) = event.attempt {
                    text.push_str(", attempt ");
                    text.push_str(&attempt.to_string());
                }
                if event.redelivered == Some(true) {
                    text.push_str(", once more");
                }
                let from = self.broker(event);
                self.arrow(event, Arrow::Message, from, who.clone(), text);
                self.begin(who, message);
            }
            Kind::HttpRequest { http_id, target, path, .. } => {
                let target = place_of(Some(&(*target).into()));
                self.arrow(event, Arrow::Call, who, target.clone(), format!("GET {path}"));
                self.begin(target, http_id.clone());
            }
            Kind::HttpResponse { http_id, target, status, error, answer, .. } => {
                let target = place_of(Some(&(*target).into()));
                let text = match (status, answer) {
                    (Some(status), Some(answer)) => format!("{status}: {} for sale", answer.quantity),
                    (Some(status), None) => status.to_string(),
                    (None, _) => error.clone().unwrap_or_else(|| "no answer".to_owned()),
                };
                self.arrow(event, Arrow::Return, target.clone(), who, text);
                if *status != Some(200) {
                    self.mark_trouble();
                }
                self.end(&target, http_id);
            }
            Kind::StateChanged { before, after } => {
                let text = match before {
                    Some(before) => format!("stores {} → {}", before.quantity, after.quantity),
                    None => format!("stores {}", after.quantity),
                };
                self.note(event, who, text);
            }
            Kind::EmailSent { to, .. } => self.note(event, who, format!("e-mails {to}")),
            Kind::Acked { .. } => {
                if self.options.settlements {
                    let to = self.broker(event);
                    self.arrow(event, Arrow::Return, who.clone(), to, "ack".to_owned());
                }
                self.end(&who, &message);
            }
            Kind::Nacked { reason, .. } => {
                let to = self.broker(event);
                self.trouble(event, who.clone(), to, format!("gives it back: {reason}"));
                self.end(&who, &message);
            }
            Kind::RetryScheduled { delay_ms, reason } => {
                self.note(event, who, format!("tries again in {delay_ms} ms: {reason}"));
                self.mark_trouble();
            }
            Kind::DeadLettered { reason } => {
                self.note(event, who, format!("parks it: {reason}"));
                self.mark_trouble();
            }
            Kind::Held { gate, .. } => self.note(event, who, format!("held at {gate}")),
            Kind::DuplicateIgnored { .. } => self.note(event, who, "ignored a duplicate".to_owned()),
            Kind::OlderVersionIgnored { known_version, offered_version } => {
                self.note(event, who, format!("ignores version {offered_version}, knows {known_version}"));
            }
            Kind::BreakerChanged { to, .. } => {
                self.note(event, who, format!("breaker {to}").replace('_', " "));
                self.mark_trouble();
            }
            Kind::Expired => {
                let place = self.broker(event);
                self.note(event, place, "expired".to_owned());
                self.mark_trouble();
                self.end(&who, &message);
            }
            Kind::Lost { reason } => {
                self.note(event, who.clone(), format!("lost: {reason}"));
                self.mark_trouble();
                self.end(&who, &message);
            }
            Kind::AnnouncedAgain { version, .. } => {
                self.note(event, who, format!("announces version {version} again"));
            }
            Kind::SystemReset => self.note(event, who, "back to the seed".to_owned()),
            Kind::FaultInjected { fault, phase } => {
                let phase = match phase {
                    crate::fault::FaultPhase::Set => "set",
                    crate::fault::FaultPhase::Struck => "strikes",
                    crate::fault::FaultPhase::Cleared => "cleared",
                };
                self.note(event, who, format!("{fault} {phase}"));
                self.mark_trouble();
            }
            Kind::ConsumerStopped { reason, .. } => {
                self.note(event, who, format!("stops listening: {reason}"));
                self.mark_trouble();
            }
            Kind::ConnectionLost { reason } => {
                self.note(event, who.clone(), format!("connection lost: {reason}"));
                self.mark_trouble();
                self.end_all(&who);
            }
            Kind::Confirmed { .. }
            | Kind::Routed { .. }
            | Kind::HandlerStarted
            | Kind::Released { .. }
            | Kind::GatesSet { .. }
            | Kind::WorkersSet { .. }
            | Kind::ConsumerStarted { .. }
            | Kind::ConnectionUnblocked
            | Kind::ConnectionRestored
            | Kind::NeighbourSeen
            | Kind::NeighbourGone
            | Kind::Counted { .. }
            | Kind::StoresRead { .. }
            | Kind::QueueBound { .. }
            | Kind::QueueUnbound { .. }
            | Kind::QueueDeleted { .. }
            | Kind::QueuePurged { .. }
            | Kind::MembershipChanged { .. }
            | Kind::ModeChanged { .. }
            | Kind::Unknown => {}
            Kind::ServerStarted => self.note(event, who, "the server started again".to_owned()),
            Kind::ConnectionBlocked { reason } => {
                self.note(event, who, format!("connection blocked: {reason}"));
                self.mark_trouble();
            }
        }
    }

    /// Where a delivered message comes from.
    fn broker(&self, event: &Event) -> Place {
        match &event.queue {
            Some(queue) if self.options.queues => Place::Queue(queue.clone()),
            // What waited for another attempt bears the default exchange too, and belongs to its own.
            _ if event.exchange.as_deref() == Some("") && event.attempt.unwrap_or(1) == 1 => exchange(event),
            _ => {
                let of_queue = event.queue.as_deref().and_then(crate::topology::queue_named);
                let name = of_queue.map(|queue| queue.system().exchange().name);
                Place::Exchange(name.or(event.exchange.as_deref()).unwrap_or_default().into())
            }
        }
    }

    fn column(&mut self, place: Place) -> usize {
        match self.places.iter().position(|known| *known == place) {
            Some(column) => column,
            None => {
                self.places.push(place);
                self.places.len() - 1
            }
        }
    }

    fn row(&mut self, event: &Event, mark: Mark, text: String) {
        let (seq, at_us, arrival) = (event.seq, event.at_us, event.correlation_id.clone());
        self.rows.push(Row { seq, at_us, arrival, mark, text, is_trouble: false });
    }

    fn arrow(&mut self, event: &Event, arrow: Arrow, from: Place, to: Place, text: String) {
        let (from, to) = (self.column(from), self.column(to));
        self.row(event, Mark::Arrow { arrow, from, to }, text);
    }

    fn note(&mut self, event: &Event, over: Place, text: String) {
        let over = self.column(over);
        self.row(event, Mark::Note { over }, text);
    }

    fn trouble(&mut self, event: &Event, from: Place, to: Place, text: String) {
        self.arrow(event, Arrow::Return, from, to, text);
        self.mark_trouble();
    }

    fn mark_trouble(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.is_trouble = true;
        }
    }

    /// The lifeline begins to work, with the last row.
    fn begin(&mut self, place: Place, on: Id) {
        let column = self.column(place);
        let depth = self.open.iter().filter(|(at, _)| self.activations[*at].column == column).count();
        let from_row = self.rows.len() - 1;
        self.open.push((self.activations.len(), on));
        self.activations.push(Activation { column, from_row, to_row: None, depth });
    }

    /// It is done with that, as of the last row.
    fn end(&mut self, place: &Place, on: &Id) {
        let is_it = |activations: &[Activation], places: &[Place], (at, what): &(usize, Id)| {
            what == on && places[activations[*at].column] == *place
        };
        let Some(at) = self.open.iter().rposition(|one| is_it(&self.activations, &self.places, one)) else {
            return;
        };
        let (activation, _) = self.open.remove(at);
        self.activations[activation].to_row = self.rows.len().checked_sub(1);
    }

    fn end_all(&mut self, place: &Place) {
        let last = self.rows.len().checked_sub(1);
        let (activations, places) = (&mut self.activations, &self.places);
        self.open.retain(|(at, _)| {
            let is_its = places[activations[*at].column] == *place;
            if is_its {
                activations[*at].to_row = last;
            }
            !is_its
        });
    }

    fn finish(self) -> Sequence {
        let Self { places, mut rows, mut activations, .. } = self;
        let mut order: Vec<usize> = Vec::with_capacity(places.len());
        for (number, place) in places.iter().enumerate() {
            let before = order.iter().take_while(|known| places[**known] < *place).count();
            order.insert(before, number);
        }
        let column = |old: usize| order.iter().position(|place| *place == old).unwrap_or(old);
        for row in &mut rows {
            row.mark = match row.mark {
                Mark::Arrow { arrow, from, to } => Mark::Arrow { arrow, from: column(from), to: column(to) },
                Mark::Note { over } => Mark::Note { over: column(over) },
            };
        }
        for activation in &mut activations {
            activation.column = column(activation.column);
        }
        let lifelines = order.iter().map(|old| Lifeline { place: places[*old].clone() }).collect();
        Sequence { lifelines, rows, activations }
    }
}

fn place_of(node: Option<&Node>) -> Place {
    match node {
        Some(Node::Warehouse) => Place::Warehouse,
        Some(Node::Storefront) => Place::Storefront,
        Some(Node::Service(Service::Inventory)) => Place::Inventory,
        Some(Node::Service(service)) => Place::Service(*service),
        Some(Node::Foreign(name)) => Place::Foreign(name.clone()),
        Some(Node::Broker) | None => Place::Exchange("".into()),
    }
}

fn exchange(event: &Event) -> Place {
    Place::Exchange(event.exchange.clone().unwrap_or_else(|| "".into()))
}

fn sku(event: &Event) -> String {
    event.sku.map(|sku| sku.to_string()).unwrap_or_default()
}
