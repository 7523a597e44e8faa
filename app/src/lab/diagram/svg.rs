//! How a drawing gets onto the page: each thing is an element that stays, and follows what the drawing says of it.

use super::super::handle::{Lab, Pace};
use super::super::pick::{OnPick, Picked, is_press};
use super::super::steady::kept;
use super::mark::{Broken, Drawing, Key, Kind, Mark, Place, Shape, Thing, px};
use super::{Scene, animation, message_class, words};
use flow::Style;
use leptos::attr::any_attribute::{AnyAttribute, IntoAnyAttribute as _};
use leptos::attr::{AttributeValue, custom::custom_attribute};
use leptos::{ev, html, prelude::*, svg};
use std::sync::Arc;
use wasm_bindgen::JsCast as _;

/// A style's diagram. What moves in it is in `animation`.
#[component]
pub fn Diagram(
    /// The lab whose picture it shows.
    lab: Lab,
    style: Style,
    /// The id of its element.
    id: String,
    /// Whether it is wide where the screen is; else it is always upright.
    can_be_wide: bool,
    /// What becomes of what is clicked in it.
    on_pick: OnPick,
    /// Lets a held step go, by its `hold_id`.
    on_release: Callback<u64>,
    /// Undoes what is broken on purpose.
    on_mend: Callback<Broken>,
) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    place.on_load(move |canvas| {
        animation::keep_fit(lab, can_be_wide);
        animation::drive(lab, Some(canvas.into()));
    });
    let drawing = Memo::new(move |_| lab.look(Pace::Frame, |look| Scene::of(look.lab).drawing()));
    let frame = Memo::new(move |_| drawing.with(|drawing| drawing.frame.clone()));
    let all = All { drawing, place, on_pick, on_release, on_mend };
    view! {
        <div class="place" id=id node_ref=place>
            <svg
                class="diagram"
                class:is-untouched=move || frame.with(|frame| frame.is_untouched)
                class:is-down=move || frame.with(|frame| frame.is_down)
                data-message=message_class(style)
                data-orientation=move || frame.with(|frame| frame.orientation())
                viewBox=move || frame.with(|frame| frame.view_box.clone())
                height=move || frame.with(|frame| frame.least_height_px.clone())
                role="group"
                aria-label=words(style)
            >
                <Definitions style />
                <g class="edges">
                    <Things all of=|drawing| &drawing.edges />
                </g>
                <g class="nodes">
                    <Things all of=|drawing| &drawing.nodes />
                </g>
                <g class="held-steps">
                    <Things all of=|drawing| &drawing.held />
                </g>
                <g class="queues">
                    <Things all of=|drawing| &drawing.queues />
                </g>
                <g class="asides">
                    <Things all of=|drawing| &drawing.asides />
                </g>
                // Tokens are put in and moved by hand.
                <g class="tokens" aria-hidden="true"></g>
            </svg>
        </div>
    }
}

/// What every part of a diagram needs.
#[derive(Clone, Copy)]
struct All {
    drawing: Memo<Drawing>,
    place: NodeRef<html::Div>,
    on_pick: OnPick,
    on_release: Callback<u64>,
    on_mend: Callback<Broken>,
}

type Of = fn(&Drawing) -> &Vec<Arc<Thing>>;

/// What the drawing refers to: the pattern of what is held, and the tips of arrows. Each style has its own, since
/// both diagrams may stand on one page, and what is referred to has the colour of where it stands.
#[component]
fn Definitions(style: Style) -> impl IntoView {
    let of = message_class(style);
    let arrows = ["message", "http", "arrival"].map(|name| {
        view! {
            <marker
                id=format!("arrow-{name}-{of}")
                class=format!("arrow arrow-{name}")
                viewBox="0 0 8 8"
                refX="6.5"
                refY="4"
                markerWidth="8"
                markerHeight="8"
                markerUnits="userSpaceOnUse"
                orient="auto"
            >
                <path d="M1 1L6.5 4L1 7"></path>
            </marker>
        }
    });
    view! {
        <defs>
            <pattern
                id=format!("held-{of}")
                width="5"
                height="5"
                patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)"
            >
                <rect class="held-ground" width="5" height="5"></rect>
                <rect class="held-stripe" width="2.5" height="5"></rect>
            </pattern>
            {arrows.collect_view()}
        </defs>
    }
}

/// Things of a kind, each in an element of its own.
#[component]
fn Things(all: All, of: Of) -> impl IntoView {
    let keys = kept(all.place, move || {
        all.drawing.with(|drawing| of(drawing).iter().map(|thing| thing.key.clone()).collect::<Vec<_>>())
    });
    view! { <For each=move || keys.get() key=Clone::clone children=move |key| view! { <One all of key /> } /> }
}

/// What is drawn of a thing now; none when it is just going.
type Now = Memo<Option<Arc<Thing>>>;

#[component]
fn One(all: All, of: Of, key: Key) -> impl IntoView {
    let (kind, id) = key.clone();
    let now: Now = Memo::new(move |_| {
        all.drawing.with(|drawing| of(drawing).iter().find(|thing| thing.key == key).cloned())
    });
    let shapes = Memo::new_with_compare(
        move |_| now.get(),
        |before, now| match (before.and_then(Option::as_ref), now.and_then(Option::as_ref)) {
            (Some(before), Some(now)) => !before.has_shapes_of(now),
            (before, now) => before.is_some() != now.is_some(),
        },
    );
    let marks = move || {
        let thing = shapes.get();
        let marks = thing.iter().flat_map(|thing| thing.marks.iter().enumerate());
        marks.map(|(at, mark)| drawn(now, (at, None), mark)).collect_view()
    };
    let follow = |name, see: fn(&Thing) -> Option<String>| {
        attribute(name, move || now.with(|now| now.as_deref().and_then(see)))
    };
    let id_of = |of: Kind| (kind == of).then(|| id.clone());
    let is_button = !matches!(kind, Kind::Words | Kind::Loop);
    let hold_id = id_of(Kind::Held).and_then(|id| id.parse().ok());
    let mends = move || now.with_untracked(|now| now.as_ref()?.mends.clone());
    let act = move |event: &ev::Event| match (hold_id, mends()) {
        (Some(hold_id), _) => all.on_release.run(hold_id),
        (None, Some(broken)) => all.on_mend.run(broken),
        (None, None) => {
            // A message in a slot bears a selection of its own.
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            let of_slot = target.and_then(|target| target.get_attribute("data-pick")?.parse().ok());
            let of_thing = || now.with_untracked(|now| now.as_ref()?.pick.clone());
            if let Some(selection) = of_slot.or_else(of_thing) {
                let picked = Picked::by(event, selection);
                // Letters are acted on in a menu beside them, and there the focus goes.
                let is_by_key = picked.is_by_key && kind != Kind::Tray;
                all.on_pick.run(Picked { is_by_key, ..picked });
            }
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        if is_press(&event) {
            event.prevent_default();
            act(&event);
        }
    };
    let attributes = vec![
        follow("class", |thing| Some(thing.class.to_owned())),
        attribute("data-edge", id_of(Kind::Edge)),
        attribute("data-node", id_of(Kind::Node)),
        attribute("data-queue", id_of(Kind::Queue)),
        attribute("data-hold", id_of(Kind::Held)),
        attribute("data-undo", id_of(Kind::Undo)),
        attribute("data-tray", id_of(Kind::Tray)),
        attribute("data-loop", id_of(Kind::Loop)),
        follow("data-count", |thing| thing.data.count.clone()),
        follow("data-kind", |thing| thing.data.kind.map(str::to_owned)),
        follow("data-role", |thing| thing.data.role.map(str::to_owned)),
        follow("data-state", |thing| thing.data.state.map(str::to_owned)),
        follow("data-held", |thing| thing.data.held.clone()),
        follow("data-fault", |thing| thing.data.fault.clone()),
        follow("data-ready", |thing| thing.data.ready.clone()),
        follow("data-unacked", |thing| thing.data.unacked.clone()),
        follow("data-gate", |thing| thing.data.gate.map(str::to_owned)),
        follow("data-pick", |thing| thing.pick.as_ref().map(ToString::to_string)),
        attribute("role", is_button.then(|| "button".to_owned())),
        attribute("tabindex", is_button.then(|| "0".to_owned())),
        follow("aria-label", |thing| thing.is_button().then(|| thing.spoken.clone())),
    ];
    view! {
        <g {..attributes} on:click=move |event| act(&event) on:keydown=pressed>
            {marks}
        </g>
    }
}

/// An attribute. Put into lists, they are compiled once, and not anew for each element with all that it has.
fn attribute(name: &'static str, value: impl AttributeValue + Clone) -> AnyAttribute {
    custom_attribute(name, value).into_any_attr()
}

/// One mark of a thing.
fn drawn(now: Now, at: Place, mark: &Mark) -> AnyView {
    let see = move |see: fn(&Mark) -> Option<String>| {
        move || now.with(|now| now.as_ref().and_then(|thing| thing.mark(at)).and_then(see))
    };
    let length = |name, length| attribute(name, Some(px(length)));
    let class = attribute("class", see(|mark| (!mark.class.is_empty()).then(|| mark.class.to_owned())));
    let words = move || see(|mark| Some(mark.words.clone()))().unwrap_or_default();
    let is_alone = at.1.is_none();
    match &mark.shape {
        Shape::Rect { rect, rx } => {
            let attributes = vec![
                class,
                attribute("data-slot", see(|mark| mark.slot.map(str::to_owned))),
                attribute("data-pick", see(|mark| mark.pick.as_ref().map(ToString::to_string))),
                length("x", rect.x),
                length("y", rect.y),
                length("width", rect.w),
                length("height", rect.h),
                attribute("rx", rx.map(str::to_owned)),
            ];
            view! { <rect {..attributes}></rect> }.into_any()
        }
        Shape::Circle { middle, radius } => {
            let attributes =
                vec![class, length("cx", middle.x), length("cy", middle.y), length("r", *radius)];
            view! { <circle {..attributes}></circle> }.into_any()
        }
        Shape::Path { d, transform, marker } => {
            let attributes = vec![
                class,
                attribute("d", Some(d.clone())),
                attribute("stroke-dasharray", see(|mark| mark.dash.clone())),
                attribute("transform", transform.clone()),
                attribute("marker-end", marker.clone()),
            ];
            view! { <path {..attributes}></path> }.into_any()
        }
        Shape::Text { at, anchor } => {
            let attributes = vec![
                class,
                length("x", at.x),
                length("y", at.y),
                attribute("text-anchor", anchor.map(str::to_owned)),
            ];
            let blank = Some(mark.blank()).filter(|blank| is_alone && !blank.is_empty());
            view! {
                <text {..attributes}>{words}</text>
                {blank}
            }
            .into_any()
        }
        Shape::Title => svg::title().child(words).into_any(),
        Shape::Group { transform, is_hidden, marks } => {
            let attributes = vec![
                class,
                attribute("transform", transform.clone()),
                attribute("aria-hidden", is_hidden.then(|| "true".to_owned())),
            ];
            let inside = marks.iter().enumerate().map(|(inner, mark)| drawn(now, (at.0, Some(inner)), mark));
            // A blank inside of a group is not taken to be seen.
            view! {
                <g {..attributes}>{inside.collect_view()}</g>
                " "
            }
            .into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::example;
    use super::*;
    use crate::live::provide_live;

    #[test]
    fn every_node_queue_and_line_is_an_element_that_can_be_reached_and_says_how_it_is() {
        Owner::new().with(|| {
            let live = provide_live();
            let (state, _) = example::lab(1, "sku_processed");
            let drawing = Scene::of(&state).drawing();
            let lab = Lab::new(live, state);
            let (on_pick, on_release) = (Callback::new(|_| ()), Callback::new(|_| ()));
            let on_mend = Callback::new(|_| ());
            let style = Style::Choreography;
            let id = "diagram".to_owned();
            let html =
                view! { <Diagram lab style id can_be_wide=true on_pick on_release on_mend /> }.to_html();
            assert_eq!(drawing.nodes.len(), html.matches("data-node=").count(), "{html}");
            assert_eq!(drawing.queues.len(), html.matches("data-queue=").count(), "{html}");
            assert_eq!(drawing.edges.len(), html.matches("data-edge=").count(), "{html}");
            let things = drawing.nodes.iter().chain(&drawing.queues).chain(&drawing.edges);
            assert_eq!(things.count(), html.matches("role=\"button\" tabindex=\"0\"").count(), "{html}");
            let queue = r#"data-queue="catalog.sku_processed" data-ready="0" data-unacked="0""#;
            assert!(html.contains(queue), "{html}");
            assert!(html.contains(r#"aria-label="Queue catalog.sku_processed: ready 0"#), "{html}");
            assert!(html.contains("data-state=\"idle\""), "{html}");
        });
    }
}
