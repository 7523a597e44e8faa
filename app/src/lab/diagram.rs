//! The diagram: what the picture says, drawn where the layout puts it.
//!
//! [`Scene::draw`] is a function of the picture and nothing else. What moves is in `animation`, which touches the
//! page directly.

pub(crate) mod animation;
mod card;
mod edge;
mod hold;
mod icons;
mod lights;
mod queue;
mod streams;
mod tokens;

use super::selection::Selection;
use super::state::LabState;
use flow::layout::{Layout, NodeBox, NodeRole, Orientation, Px, SMALLEST_TEXT, Text};
use flow::picture::SystemPicture;
use flow::{Picture, Style};
use maud::{Markup, html};

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
    /// How much larger than usual the text is.
    scale: f32,
}

impl<'a> Scene<'a> {
    /// The scene of the page at hand.
    #[must_use]
    pub fn of(lab: &'a LabState) -> Self {
        let scene = Self::new(lab.picture(), lab.style, lab.layout(), lab.selected.as_ref());
        Self { ahead: &lab.ahead, ..scene }
    }

    /// The scene of one style.
    #[must_use]
    pub fn new(
        picture: &'a Picture,
        style: Style,
        layout: &'a Layout,
        selected: Option<&'a Selection>,
    ) -> Self {
        Self {
            style,
            layout,
            system: picture.system(style),
            selected,
            ahead: &[],
            is_down: picture.broker_down().is_some(),
            scale: layout.text_px / SMALLEST_TEXT,
        }
    }

    /// The diagram as SVG.
    #[must_use]
    pub fn draw(&self) -> Markup {
        let layout = self.layout;
        let words = match self.style {
            Style::Choreography => {
                "Diagram: warehouse, inventory, the exchange, three queues and their consumers"
            }
            Style::Orchestration => {
                "Diagram: warehouse, inventory, the commands' exchange, three queues and their consumers"
            }
        };
        // The style sheet makes an upright one narrow. One that has many rows is higher than wide, and has to stay as wide
        // as it is: or its text would shrink.
        let orientation = match layout.orientation {
            Orientation::Wide => "wide",
            Orientation::Tall => "tall",
        };
        html! {
            svg.diagram .is-untouched[self.system.is_untouched()] .is-down[self.is_down]
                data-message=(message_class(self.style)) data-orientation=(orientation)
                viewBox=(layout.view_box()) role="group" aria-label=(words) {
                (definitions(self.style))
                g.edges { @for one in &layout.edges { (edge::edge(self, one)) } }
                g.nodes { @for one in &layout.nodes { (self.node(one)) } }
                g.held-steps { @for one in &layout.nodes { (hold::steps(self, one)) } }
                g.queues { @for one in &layout.queues { (queue::queue(self, one)) } }
                g.tokens data-own aria-hidden="true" {}
            }
        }
    }

    fn node(&self, node: &NodeBox) -> Markup {
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

/// What the drawing refers to: the pattern of what is held, and the tips of arrows. Each style has its own, since
/// both diagrams may stand on one page, and what is referred to has the colour of where it stands.
fn definitions(style: Style) -> Markup {
    let of = message_class(style);
    html! {
        defs {
            pattern id={ "held-" (of) } width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect.held-ground width="5" height="5" {}
                rect.held-stripe width="2.5" height="5" {}
            }
            @for name in ["message", "http", "arrival"] {
                marker id={ "arrow-" (name) "-" (of) } class={ "arrow arrow-" (name) } viewBox="0 0 8 8" refX="6.5"
                    refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto" {
                    path d="M1 1L6.5 4L1 7" {}
                }
            }
        }
    }
}

/// Lines of text at their place. The blank after each keeps them apart where they are read as one text: the name of a
/// button has to contain the words that are seen on it (WCAG 2.5.3). A name broken at its dot stays one word.
fn text(scene: &Scene<'_>, text: &Text, class: &str) -> Markup {
    html! {
        @for (line, words) in text.lines.iter().enumerate() {
            text class=(class) x=(Px(text.at.x)) y=(Px(text.at.y + scene.lines(line)))
                text-anchor=(text.anchor.as_str()) { (words) }
            @if !words.ends_with('.') { " " }
        }
    }
}
