//! The diagram: what the picture says, drawn where the layout puts it.
//!
//! [`Scene::drawing`] is a function of the picture and nothing else; [`Diagram`] keeps the page as it says. What moves is
//! in `animation`, which touches the page directly.

mod animation;
mod aside;
mod card;
mod edge;
mod hold;
mod icons;
mod lights;
mod mail;
mod mark;
mod queue;
mod streams;
mod svg;
mod ticks;
mod tokens;

pub use mark::{Broken, Drawing};
pub use svg::Diagram;
pub use ticks::sample;

use super::rates::Rates;
use super::selection::Selection;
use super::state::LabState;
use flow::layout::{Layout, NodeBox, NodeRole, SMALLEST_TEXT, Text};
use flow::picture::SystemPicture;
use flow::{Picture, Service, Style, System, Transport};
use mark::{Frame, Mark, Thing, anchor};
use std::sync::Arc;

/// The size of the text of a diagram that has as much width as it needs: what does not fit by that scrolls.
const LEAST_TEXT_PX: f32 = 13.0;

/// How messages of a style are coloured and drawn.
pub(super) const fn message_class(style: Style) -> &'static str {
    match style {
        Style::Choreography => "event",
        Style::Orchestration => "command",
    }
}

/// Everything that a diagram depends on.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    style: Style,
    layout: &'a Layout,
    system: &'a SystemPicture,
    selected: Option<&'a Selection>,
    /// The lines that something is still to come on.
    ahead: &'a [String],
    is_down: bool,
    /// Whether a fourth service can join.
    can_grow: bool,
    /// How much passes on each line, while it is shown as it happens.
    rates: Option<&'a Rates>,
    /// What time it is in the picture, in microseconds since the Unix epoch.
    now_us: u64,
    /// How much larger than usual the text is.
    scale: f32,
}

impl<'a> Scene<'a> {
    /// The scene of the page at hand.
    #[must_use]
    pub fn of(lab: &'a LabState) -> Self {
        let scene = Self::new(lab.picture(), lab.shows(), lab.layout(), lab.selected.as_ref());
        let rates = Some(&lab.director.rates);
        Self { ahead: &lab.ahead, rates, now_us: lab.clock_us.unwrap_or(scene.now_us), ..scene }
    }

    /// The scene of one style.
    #[must_use]
    pub fn new(
        picture: &'a Picture,
        system: impl Into<System>,
        layout: &'a Layout,
        selected: Option<&'a Selection>,
    ) -> Self {
        let system = system.into();
        Self {
            style: system.style,
            layout,
            system: picture.system(system),
            selected,
            ahead: &[],
            is_down: picture.transport_down(system.transport).is_some(),
            can_grow: system.transport == Transport::Amqp && !picture.system(system).has(Service::Loyalty),
            rates: None,
            now_us: picture.at_us,
            scale: layout.text_px / SMALLEST_TEXT,
        }
    }

    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let layout = self.layout;
        let all = |things: Vec<Thing>| things.into_iter().map(Arc::new).collect();
        Drawing {
            frame: Frame {
                view_box: layout.view_box().to_string(),
                least_height_px: mark::px(layout.height * LEAST_TEXT_PX / layout.text_px),
                is_tall: Frame::is_tall(layout.orientation),
                is_untouched: self.system.is_untouched(),
                is_down: self.is_down,
            },
            edges: all(layout.edges.iter().map(|one| edge::edge(self, one)).collect()),
            nodes: all(layout.nodes.iter().map(|one| self.node(one)).collect()),
            held: all(layout
                .nodes
                .iter()
                .flat_map(|one| hold::undo(self, one).into_iter().chain(hold::steps(self, one)))
                .collect()),
            queues: all(layout.queues.iter().map(|one| queue::queue(self, one)).collect()),
            asides: {
                let mut asides = Vec::new();
                for is_loop in [false, true] {
                    layout.queues.iter().for_each(|one| aside::put(self, one, is_loop, &mut asides));
                }
                all(asides)
            },
        }
    }

    fn node(&self, node: &NodeBox) -> Thing {
        match node.role {
            NodeRole::Warehouse => card::warehouse(self, node),
            NodeRole::Exchange => card::disc(self, node),
            NodeRole::Producer | NodeRole::Consumer(_) | NodeRole::Foreign => card::card(self, node),
            NodeRole::More(count) => card::more(self, node, count),
        }
    }

    fn is_selected(&self, selection: &Selection) -> bool {
        self.selected == Some(selection)
    }

    /// Whether something is still to come on that line, which it has not carried yet.
    fn is_ahead(&self, edge: &str) -> bool {
        self.ahead.iter().any(|known| known == edge)
    }

    /// The height of some lines of text.
    fn lines(&self, count: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let count = count as f32;
        13.0 * count * self.scale
    }
}

/// What a style's diagram is, for those who do not see it.
const fn words(style: Style) -> &'static str {
    match style {
        Style::Choreography => {
            "Diagram: warehouse, inventory, the exchange, three queues and their consumers"
        }
        Style::Orchestration => {
            "Diagram: warehouse, inventory, the commands' exchange, three queues and their consumers"
        }
    }
}

/// Lines of text at their place.
fn text(scene: &Scene<'_>, text: &Text, class: &'static str) -> impl Iterator<Item = Mark> {
    text.lines.iter().enumerate().map(move |(line, words)| {
        Mark::text(class, text.at.x, text.at.y + scene.lines(line), words.as_str())
            .anchored(anchor(text.anchor))
    })
}
