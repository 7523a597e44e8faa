//! The caption below the picture: each step that matters in a sentence of the warehouse, with the field's terms explained.

mod words;

use super::director::Play;
use super::handle::{Lab, Pace};
#[cfg(feature = "hydrate")]
use super::panels::load_panels;
use super::state::Look;
use crate::later;
use crate::terms::{Piece, Shown, TermCard, plain, sentence};
use flow::{Event, Kind};
use leptos::prelude::*;
use std::{sync::Arc, time::Duration};
use web_sys::HtmlElement;
pub(super) use words::caption;

/// How long a sentence stays at the least while steps come by themselves: as long as one needs to read it.
const READ_MS: f64 = 1_800.0;

/// What is to be said now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Said {
    pieces: Vec<Piece>,
    /// Whether the reader goes step by step: then each step has its sentence at once.
    is_by_hand: bool,
}

fn said(look: &Look<'_>) -> Said {
    let is_by_hand = look.lab.director.play == Play::Paused;
    if look.lab.behind {
        let words = "More arrives than can be told step by step: the lines show rates.";
        return Said { pieces: vec![Piece::Words(words.to_owned())], is_by_hand };
    }
    let mode = look.lab.system().mode();
    let told = |event: &Arc<Event>| if ends_in_vain(look, event) { None } else { caption(event, mode) };
    Said { pieces: look.shown().find_map(told).unwrap_or_default(), is_by_hand }
}

/// Whether it is an ack for work that was put off or left undone: what came before it has said so.
fn ends_in_vain(look: &Look<'_>, event: &Event) -> bool {
    /// How far back what came before it can be.
    const REACH: usize = 400;
    if !matches!(event.kind, Kind::Acked { .. }) {
        return false;
    }
    let before = look.shown().skip_while(|other| other.seq >= event.seq).take(REACH);
    let own = before.filter(|other| other.message_id == event.message_id && other.node == event.node);
    own.take_while(|other| !matches!(other.kind, Kind::Delivered { .. })).any(|other| {
        matches!(
            other.kind,
            Kind::RetryScheduled { .. }
                | Kind::DeadLettered { .. }
                | Kind::DuplicateIgnored { .. }
                | Kind::OlderVersionIgnored { .. }
        )
    })
}

/// Brings the caption to life.
pub type Wake = fn(HtmlElement, Lab);

/// Brings the caption to life.
pub fn wake(place: HtmlElement, lab: Lab) {
    later::fill(place, move || view! { <Caption lab /> });
}

/// The place of the caption. What has happened is told by the status line until there is a script.
#[component]
pub fn CaptionPlace(lab: Lab) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { (load_panels().await.caption)(place, lab) });
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = lab;
        view! { <div class="place"></div> }
    }
}

/// The caption. A sentence stays for as long as it takes to read it.
#[component]
fn Caption(lab: Lab) -> impl IntoView {
    let now = Memo::new(move |_| lab.look(Pace::Calm, said));
    let card: Shown = RwSignal::new_local(None);
    let shown = RwSignal::new(now.get_untracked().pieces);
    let since_ms = StoredValue::new(f64::MIN);
    let is_waiting = StoredValue::new(false);
    let clock_ms = || window().performance().map_or(0.0, |clock| clock.now());
    let show = move || {
        let Some(said) = now.try_get_untracked() else { return };
        if shown.try_with_untracked(|shown| *shown != said.pieces) == Some(true) {
            shown.set(said.pieces);
            since_ms.set_value(clock_ms());
        }
    };
    Effect::new(move || {
        let is_by_hand = now.with(|now| now.is_by_hand);
        // Whoever looks up a term reads the sentence in which it stands.
        if card.with(Option::is_some) {
            return;
        }
        let left_ms = READ_MS - (clock_ms() - since_ms.get_value());
        if is_by_hand || left_ms <= 0.0 {
            show();
        } else if !is_waiting.get_value() {
            is_waiting.set_value(true);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "less than two seconds"
            )]
            let left = Duration::from_millis(left_ms as u64);
            let later = move || {
                is_waiting.try_set_value(false);
                show();
            };
            set_timeout(later, left);
        }
    });
    view! {
        <p class="caption" data-caption=move || shown.with(|pieces| plain(pieces))>
            {move || sentence(shown.get(), card)}
        </p>
        <TermCard shown=card />
    }
}
