//! What the lab shows and what its reader has done, as plain data: every panel is drawn from it by a function.

use super::director::Director;
use super::facts::arrival_of;
use super::form::Form;
use super::selection::Selection;
use super::views::Views;
use crate::live::{Connection, Live};
use flow::layout::{ForeignQueue, Layout, Orientation, Plan, Rival, SMALLEST_TEXT, layout};
use flow::picture::{Consumer, QueuePicture, SystemPicture};
use flow::{Dispatch, Event, History, Id, Node, Picture, Service, Style, System, Transport};
use std::{collections::BTreeSet, sync::Arc};

/// Something on its way in the diagram, as a row that can be clicked while the token moves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OnTheWay {
    /// The message or call.
    pub selection: Selection,
    /// What it looks like.
    pub shape: &'static str,
    /// What it is and where it goes.
    pub words: String,
}

/// The state of one lab page.
#[derive(Debug)]
pub struct LabState {
    /// Which style it shows.
    pub style: Style,
    pub transport: Transport,
    /// What is shown, at a pace that the eye can follow.
    pub director: Director,
    /// What the inspector is about.
    pub selected: Option<Selection>,
    /// From what the inspector was opened: there the focus goes back.
    pub opened_from: Option<Selection>,
    /// The form that sends arrivals.
    pub form: Form,
    /// Which way time runs in the diagram.
    pub orientation: Orientation,
    /// How big the diagram's smallest text is.
    pub text_px: f32,
    /// How much hops are slowed down, in words.
    pub slowed: Option<String>,
    /// Whether more comes than can be shown one by one.
    pub behind: bool,
    /// The lines that something is still to come on; none but where styles are compared.
    pub ahead: Vec<String>,
    /// What time it is for the server, while something waits for it and the page follows what happens: microseconds since
    /// the Unix epoch.
    pub clock_us: Option<u64>,
    /// What is on its way in the diagram.
    pub on_the_way: Vec<OnTheWay>,
    /// What stands below the diagram.
    pub views: Views,
    /// What is to be said of the playhead's place, such as that it is no longer kept.
    pub notice: Option<String>,
    /// Why what others bind and consume at the broker is not seen, if so; known while the exchange is inspected.
    pub others_hidden: Option<String>,
    /// The place that the playhead is to go to once what is needed for it has been fetched.
    pub wanted: Option<u64>,
    /// The file from which a run is shown.
    pub run: Option<String>,
    /// Why a file could not be opened.
    pub run_wrong: Option<String>,
    /// Whether each delivery is heard.
    pub has_ticks: bool,
    /// Whether controls work yet.
    pub hydrated: bool,
    plan: Plan,
    layout: Layout,
}

impl LabState {
    /// A page that shows what the server rendered, or what has happened since.
    #[must_use]
    pub fn new(system: impl Into<System>, picture: Picture, form: Form, small_screen: bool) -> Self {
        let system = system.into();
        let orientation = if small_screen { Orientation::Tall } else { Orientation::Wide };
        let plan = plan(picture.system(system), form.dispatch, orientation, SMALLEST_TEXT);
        Self {
            style: system.style,
            transport: system.transport,
            director: Director::new(system, picture),
            selected: None,
            opened_from: None,
            form,
            orientation,
            text_px: SMALLEST_TEXT,
            slowed: None,
            behind: false,
            ahead: Vec::new(),
            clock_us: None,
            on_the_way: Vec::new(),
            views: Views::default(),
            notice: None,
            others_hidden: None,
            wanted: None,
            run: None,
            run_wrong: None,
            has_ticks: false,
            hydrated: false,
            layout: layout(&plan),
            plan,
        }
    }

    #[must_use]
    pub const fn picture(&self) -> &Picture {
        &self.director.picture
    }

    /// Which system it shows.
    #[must_use]
    pub const fn shows(&self) -> System {
        System { style: self.style, transport: self.transport }
    }

    /// The shown system as it stands.
    #[must_use]
    pub fn system(&self) -> &SystemPicture {
        self.director.picture.system(self.shows())
    }

    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Lays the diagram out anew if anything that it depends on has changed; says whether.
    pub fn lay_out(&mut self) -> bool {
        let plan = plan(self.system(), self.form.dispatch, self.orientation, self.text_px);
        let has_changed = plan != self.plan;
        if has_changed {
            self.layout = layout(&plan);
            self.plan = plan;
        }
        has_changed
    }
}

/// What is to be laid out as things stand.
fn plan(system: &SystemPicture, dispatch: Dispatch, orientation: Orientation, text_px: f32) -> Plan {
    let unbound = system.members().filter(|service| !system.is_bound(*service));
    let rivals = system.members().flat_map(|service| {
        let names: BTreeSet<_> =
            system.queue_of(service).into_iter().flat_map(QueuePicture::strangers).map(name_of).collect();
        names.into_iter().map(move |consumer| Rival { service, consumer })
    });
    let foreign = system.foreign_queues().iter().map(|queue| ForeignQueue {
        name: queue.name.to_string(),
        consumer: queue.consumers.first().map(name_of),
        via: queue.via().map(|via| via.join(", ")),
    });
    Plan {
        style: system.system.style,
        transport: system.system.transport,
        mode: system.mode(),
        dispatch,
        loyalty: system.has(Service::Loyalty).then(|| system.is_applied()),
        unbound: unbound.collect(),
        rivals: rivals.collect(),
        foreign: foreign.collect(),
        orientation,
        text_px,
    }
}

/// At which queue a stranger stands in the diagram, and its name. Both may have colons in them.
#[must_use]
pub fn stranger_at<'a, 'b>(system: &'a SystemPicture, id: &'b str) -> Option<(&'a QueuePicture, &'b str)> {
    let id = id.strip_prefix("foreign:")?;
    let named = |queue: &'a QueuePicture| {
        let name = id.strip_prefix(&*queue.name)?.strip_prefix(':')?;
        Some((queue, name))
    };
    system.queues.iter().filter_map(named).max_by_key(|(queue, _)| queue.name.len())
}

fn name_of(consumer: &Consumer) -> String {
    consumer.node.as_ref().map_or(&*consumer.tag, Node::as_str).to_owned()
}

/// What is selected, as the journal names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// The arrival that it belongs to.
    pub arrival: Option<Id>,
    /// The message, if it is one or belongs to one.
    pub message: Option<Id>,
    /// The queue of that message, if it is about one.
    pub queue: Option<Id>,
    pub seq: Option<u64>,
}

impl Focus {
    /// Whether that message is meant, on its way through that queue.
    #[must_use]
    pub fn is_message(&self, id: &str, queue: Option<&str>) -> bool {
        self.message.as_deref() == Some(id) && self.queue.as_deref().is_none_or(|own| Some(own) == queue)
    }
}

/// Everything that a panel is drawn from.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The page's own state.
    pub lab: &'a LabState,
    /// The journal at hand in this tab.
    pub history: &'a History,
    /// How the page stands with the server.
    pub connection: Connection,
    /// Seconds until the stream is tried again.
    pub retry_in: Option<u32>,
    /// The first and the last place that the playhead can go to; what is not at hand is fetched.
    pub reach: (u64, u64),
}

impl<'a> Look<'a> {
    /// What there is to see now. Follows the connection.
    pub fn now<T>(lab: &LabState, live: &Live, see: impl FnOnce(&Look<'_>) -> T) -> T {
        use leptos::prelude::Get as _;
        let (connection, retry_in) = (live.connection.get(), live.retry_in.get());
        live.with_history(|history| {
            see(&Look { lab, history, connection, retry_in, reach: live.reach(history) })
        })
    }

    /// What there is to see in that journal, whatever the connection.
    #[must_use]
    pub const fn of(lab: &'a LabState, history: &'a History) -> Self {
        Self { lab, history, connection: Connection::Live, retry_in: None, reach: history.reach() }
    }

    /// The shown events of this page's system, the latest first.
    pub fn shown(&self) -> impl Iterator<Item = &'a Arc<Event>> + use<'a> {
        let (shown, system) = (self.lab.picture().seq, self.lab.shows());
        let events = self.history.events().iter().rev();
        events.filter(move |event| event.seq <= shown && event.system.is_none_or(|of| of == system))
    }

    /// Every shown step of an arrival that is at hand, in order.
    #[must_use]
    pub fn steps(&self, arrival: &str) -> Vec<Arc<Event>> {
        let mut steps: Vec<_> =
            self.shown().filter(|event| event.correlation_id.as_deref() == Some(arrival)).cloned().collect();
        steps.reverse();
        steps
    }

    /// What the selection stands for in the journal, so that every view can mark it.
    #[must_use]
    pub fn focus(&self) -> Focus {
        let mut focus = Focus::default();
        match &self.lab.selected {
            Some(Selection::Arrival(id)) => focus.arrival = Some(id.clone()),
            Some(Selection::Message { id, queue }) => {
                focus.arrival = arrival_of(self.history.events().iter().rev(), id);
                (focus.message, focus.queue) = (Some(id.clone()), queue.clone());
            }
            Some(Selection::Event(seq)) => {
                focus.seq = Some(*seq);
                if let Some(event) = self.history.event(*seq) {
                    focus.arrival.clone_from(&event.correlation_id);
                    (focus.message, focus.queue) = (event.message_id.clone(), event.queue.clone());
                }
            }
            Some(Selection::Node(_) | Selection::Queue(_) | Selection::Edge(_)) | None => {}
        }
        focus
    }

    /// How many events have happened and are not shown.
    #[must_use]
    pub const fn newer(&self) -> u64 {
        self.reach.1.saturating_sub(self.lab.picture().seq)
    }

    /// Whether all that is known is shown, and all work is done.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.newer() == 0 && self.lab.system().is_settled()
    }
}
