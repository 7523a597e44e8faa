//! A drawing as markup, for the comparison, which is the last that is drawn so.

use super::mark::{Drawing, Kind, Mark, Shape, Thing, px};
use super::{message_class, words};
use flow::Style;
use maud::{Markup, html};
use std::sync::Arc;

pub(super) fn svg(drawing: &Drawing, style: Style) -> Markup {
    let frame = &drawing.frame;
    html! {
        svg.diagram .is-untouched[frame.is_untouched] .is-down[frame.is_down] data-message=(message_class(style))
            data-orientation=(frame.orientation()) viewBox=(frame.view_box) role="group" aria-label=(words(style)) {
            (definitions(style))
            g.edges { (things(&drawing.edges)) }
            g.nodes { (things(&drawing.nodes)) }
            g.held-steps { (things(&drawing.held)) }
            g.queues { (things(&drawing.queues)) }
            g.tokens data-own aria-hidden="true" {}
        }
    }
}

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

fn things(things: &[Arc<Thing>]) -> Markup {
    html! {
        @for thing in things {
            @let data = &thing.data;
            @let is_button = thing.is_button();
            g class=(thing.class) data-edge=[thing.id_of(Kind::Edge)] data-node=[thing.id_of(Kind::Node)]
                data-queue=[thing.id_of(Kind::Queue)] data-hold=[thing.id_of(Kind::Held)] data-kind=[data.kind]
                data-role=[data.role] data-state=[data.state] data-held=[data.held.as_deref()]
                data-fault=[data.fault.as_deref()] data-ready=[data.ready.as_deref()]
                data-unacked=[data.unacked.as_deref()] data-gate=[data.gate] data-pick=[thing.pick.as_ref()]
                role=[is_button.then_some("button")] tabindex=[is_button.then_some("0")]
                aria-label=[is_button.then_some(&thing.spoken)] {
                @for mark in &thing.marks { (drawn(mark)) }
            }
        }
    }
}

fn drawn(mark: &Mark) -> Markup {
    let class = (!mark.class.is_empty()).then_some(mark.class);
    match &mark.shape {
        Shape::Rect { rect, rx } => html! {
            rect class=[class] data-slot=[mark.slot] data-pick=[mark.pick.as_ref()] x=(px(rect.x)) y=(px(rect.y))
                width=(px(rect.w)) height=(px(rect.h)) rx=[*rx] {}
        },
        Shape::Circle { middle, radius } => {
            html! { circle class=[class] cx=(px(middle.x)) cy=(px(middle.y)) r=(px(*radius)) {} }
        }
        Shape::Path { d, transform, marker } => {
            html! { path class=[class] d=(d) transform=[transform.as_ref()] marker-end=[marker.as_ref()] {} }
        }
        Shape::Text { at, anchor } => html! {
            text class=[class] x=(px(at.x)) y=(px(at.y)) text-anchor=[*anchor] { (mark.words) }
            (mark.blank())
        },
        Shape::Title => html! { title { (mark.words) } },
        Shape::Group { transform, is_hidden, marks } => html! {
            g class=[class] transform=[transform.as_ref()] aria-hidden=[is_hidden.then_some("true")] {
                @for mark in marks { (drawn(mark)) }
            }
        },
    }
}
