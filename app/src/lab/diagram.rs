//! The diagram: what the picture says, drawn where the layout puts it.
//!
//! Everything here is markup that follows signals. What moves is in `animation`, which touches the page directly.

#[cfg(feature = "hydrate")]
mod animation;
mod card;
mod edge;
mod icons;
#[cfg(feature = "hydrate")]
mod lights;
mod queue;
#[cfg(feature = "hydrate")]
mod streams;
#[cfg(feature = "hydrate")]
mod tokens;

use super::stage::{Selection, Stage, use_stage};
use card::{card, disc, warehouse};
use edge::edge;
use flow::Style;
use flow::layout::{Layout, NodeBox, NodeRole, Text};
use leptos::{ev, prelude::*, svg};
use queue::queue;

/// The diagram of the page at hand.
#[component]
pub fn Diagram() -> impl IntoView {
    let stage = use_stage();
    let layout = stage.layout();
    let tokens: NodeRef<svg::G> = NodeRef::new();
    #[cfg(feature = "hydrate")]
    animation::drive(stage, tokens, layout);

    let is_untouched = stage.memo(flow::picture::System::is_untouched);
    let is_down = Memo::new(move |_| stage.picture(|picture| picture.broker_down().is_some()));
    let words = match stage.style {
        Style::Choreography => {
            "Diagram: warehouse, inventory, the exchange, three queues and their consumers"
        }
        Style::Orchestration => {
            "Diagram: warehouse, inventory, the commands' exchange, three queues and their consumers"
        }
    };
    view! {
        <svg
            class="diagram"
            class:is-untouched=is_untouched
            class:is-down=is_down
            data-message=message_class(stage.style)
            data-orientation=move || match stage.orientation.get() {
                flow::layout::Orientation::Wide => "wide",
                flow::layout::Orientation::Tall => "tall",
            }
            viewBox=move || layout.with(Layout::view_box)
            role="group"
            aria-label=words
        >
            <defs>
                <pattern id="held" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="held-ground" width="5" height="5" />
                    <rect class="held-stripe" width="2.5" height="5" />
                </pattern>
                {["message", "http", "arrival"]
                    .map(|name| {
                        view! {
                            <marker
                                id=format!("arrow-{name}")
                                class=format!("arrow arrow-{name}")
                                viewBox="0 0 8 8"
                                refX="6.5"
                                refY="4"
                                markerWidth="8"
                                markerHeight="8"
                                markerUnits="userSpaceOnUse"
                                orient="auto"
                            >
                                <path d="M1 1L6.5 4L1 7" />
                            </marker>
                        }
                    })}
            </defs>
            {move || layout.with(|layout| draw(stage, layout))}
            <g class="tokens" node_ref=tokens aria-hidden="true"></g>
        </svg>
    }
    .into_any()
}

/// How messages of a style are coloured and drawn.
pub(super) const fn message_class(style: Style) -> &'static str {
    match style {
        Style::Choreography => "event",
        Style::Orchestration => "command",
    }
}

fn draw(stage: Stage, layout: &Layout) -> impl IntoView + use<> {
    let edges: Vec<_> = layout.edges.iter().map(|one| edge(stage, one)).collect();
    let nodes: Vec<_> = layout.nodes.iter().map(|one| node(stage, one)).collect();
    let queues: Vec<_> = layout.queues.iter().map(|one| queue(stage, one)).collect();
    view! {
        <g class="edges">{edges}</g>
        <g class="nodes">{nodes}</g>
        <g class="queues">{queues}</g>
    }
    .into_any()
}

fn node(stage: Stage, node: &NodeBox) -> AnyView {
    match node.role {
        NodeRole::Warehouse => warehouse(stage, node),
        NodeRole::Exchange => disc(stage, node),
        NodeRole::Producer | NodeRole::Consumer(_) | NodeRole::Foreign => card(stage, node),
    }
}

/// Lines of text at their place; the first line may look different from the rest.
fn text(stage: Stage, text: &Text, class: &'static str) -> impl IntoView + use<> {
    let (x, y, anchor) = (text.at.x, text.at.y, text.anchor.as_str());
    text.lines
        .iter()
        .enumerate()
        .map(|(line, words)| {
            #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
            let y = y + 13.0 * line as f32 * stage.scale();
            let words = words.clone();
            view! { <text class=class x=x y=y text-anchor=anchor>{words}</text> }
        })
        .collect::<Vec<_>>()
}

/// What makes a drawn thing work like a button: by mouse, and by Enter and Space.
fn press_keys(stage: Stage, selection: Selection) -> impl Fn(ev::KeyboardEvent) + 'static {
    move |event: ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            stage.select(selection.clone());
        }
    }
}
