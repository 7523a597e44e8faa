//! The sequence diagram of one arrival, or of the last steps: drawn, and as a file.

mod drawn;
#[cfg(test)]
mod tests;

use super::rows::Rows;
use super::shapes::{Shape, shown};
use crate::lab::handle::{Lab, Pace};
use crate::lab::inspector::on_pick;
use crate::lab::pick::OnPick;
use crate::lab::state::Look;
use crate::lab::steady::steady;
use drawn::{Drawing, HEAD_PX, drawing};
use flow::layout::Px;
use flow::sequence::{Options, Sequence};
use leptos::prelude::*;
use std::fmt::Write as _;

/// How many of the last steps are shown when no arrival is selected.
const LAST: usize = 80;

/// What a file needs that the page's style sheet cannot give it.
const FILE_STYLE: &str = "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#16202c}.seq-life{stroke:#848a92;\
stroke-dasharray:3 4}.seq-head rect{fill:#fff;stroke:#848a92}.seq-active{fill:#e1eef7;stroke:#0069a8}.seq-line{fill:none;\
stroke:#16202c;stroke-width:1.25}.seq-return .seq-line{stroke-dasharray:5 4}.seq-open{fill:none;stroke:#16202c}\
.seq-filled{fill:#16202c}.seq-note{fill:#f7f6f3;stroke:#dcd9d2}.is-trouble text{fill:#b5123f}.is-trouble .seq-line\
{stroke:#b5123f}.seq-hit{fill:none}";

/// The diagram of what is shown, and whether that is one arrival.
fn of(look: &Look<'_>) -> (Sequence, bool) {
    let views = &look.lab.views;
    let options = Options { queues: views.has_queues, settlements: views.has_settlements };
    let arrival = look.focus().arrival;
    let events = match &arrival {
        Some(arrival) => look.steps(arrival),
        None => {
            let mut last: Vec<_> = look.shown().take(LAST).cloned().collect();
            last.reverse();
            last
        }
    };
    (Sequence::of(events.iter().map(|event| &**event), options), arrival.is_some())
}

/// The diagram as a file: as `svg`, or else as Mermaid.
pub(super) fn export(look: &Look<'_>, format: &str) -> String {
    let (sequence, is_one) = of(look);
    if format == "svg" { svg(&drawing(&sequence, is_one, None, |_| None)) } else { sequence.mermaid() }
}

/// The drawing as an SVG file, with the heads above the rows.
fn svg(drawing: &Drawing) -> String {
    let (width, height) = (Px(drawing.width_px), Px(drawing.height_px + HEAD_PX));
    let mut svg = format!(
        r#"<svg class="sequence" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" aria-label="Steps"><style>{FILE_STYLE}</style>"#
    );
    let write_all = |svg: &mut String, class: &str, shapes: &[Shape]| {
        // Writing into a string cannot fail.
        let _ = write!(svg, r#"<g class="{class}">"#);
        shapes.iter().for_each(|shape| shape.write(svg));
        svg.push_str("</g>");
    };
    drawing.heads.iter().for_each(|head| write_all(&mut svg, "seq-head", head));
    let _ = write!(svg, r#"<g transform="translate(0 {})">"#, Px(HEAD_PX));
    drawing.ground.iter().for_each(|shape| shape.write(&mut svg));
    drawing.rows.iter().for_each(|row| write_all(&mut svg, &row.class, &row.shapes));
    svg.push_str("</g></svg>");
    svg
}

pub(super) fn sequence(lab: Lab) -> AnyView {
    view! { <SequenceView lab /> }.into_any()
}

#[component]
fn SequenceView(lab: Lab) -> impl IntoView {
    let read = move || {
        lab.look(Pace::Calm, |look| {
            let (sequence, is_one) = of(look);
            // One arrival alone needs no colour.
            let hue = |id: &str| look.lab.system().recent.hue_of(id).filter(|_| !is_one);
            drawing(&sequence, is_one, look.focus().seq, hue)
        })
    };
    let drawing = steady(".sequence-scroll", read);
    let is_empty = Memo::new(move |_| drawing.with(|drawing| drawing.rows.is_empty()));
    move || {
        if is_empty.get() {
            return view! { <p class="view-empty">"Nothing has been said yet."</p> }.into_any();
        }
        view! { <Steps drawing on_pick=on_pick(lab) /> }.into_any()
    }
}

/// The diagram, and what it is of.
#[component]
fn Steps(drawing: RwSignal<Drawing>, on_pick: OnPick) -> impl IntoView {
    let size = Memo::new(move |_| drawing.with(|drawing| (drawing.width_px, drawing.height_px)));
    let width = move || Px(size.get().0).to_string();
    let heads = Memo::new(move |_| drawing.with(|drawing| drawing.heads.clone()));
    let ground = Memo::new(move |_| drawing.with(|drawing| drawing.ground.clone()));
    let rows = Memo::new(move |_| drawing.with(|drawing| drawing.rows.clone()));
    let is_one = Memo::new(move |_| drawing.with(|drawing| drawing.is_one));
    let of_what = move |before: &str| {
        let what = match is_one.get() {
            true => "the selected arrival",
            false => "the last steps; select an arrival to see it alone",
        };
        format!("{before} of {what}")
    };
    view! {
        <p class="view-note">{move || of_what("Sequence")}</p>
        <div
            class="sequence-scroll"
            data-follow=move || (!is_one.get()).then_some("sequence")
            tabindex="0"
            role="group"
            aria-label=move || of_what("Sequence diagram")
        >
            <div class="sequence-sticky">
                <svg width=width height=Px(HEAD_PX).to_string() aria-hidden="true">
                    {move || heads.with(|heads| heads.iter().map(|head| view! { <g class="seq-head">{shown(head)}</g> }).collect_view())}
                </svg>
            </div>
            <svg
                class="sequence"
                width=width
                height=move || Px(size.get().1).to_string()
                role="group"
                aria-label="Steps"
            >
                {move || ground.with(|ground| shown(ground))}
                <Rows rows on_pick />
            </svg>
        </div>
    }
}
