//! The controls: send an arrival, ten of them, or sell.

use super::form::{Deed, Field, MANY};
use super::handle::Lab;
use super::picker::ASKED;
use super::selection::Selection;
use super::state::Look;
use super::status;
use crate::api::{self, asks::Ask, fetch};
use crate::live::Connection;
use flow::fault::FaultKind;
use flow::{Dispatch, Id, Service, Style};
use leptos::{prelude::*, task::spawn_local};
use maud::{Markup, html};
use serde_json::Value;

/// The panel on the left.
#[must_use]
pub fn controls(look: &Look<'_>) -> Markup {
    let form = &look.lab.form;
    let barred = why_disabled(look);
    let is_off = !look.lab.hydrated;
    let is_barred = is_off || barred.is_some();
    let quantity_wrong = form.wrong_at(Field::Quantity);
    html! {
        h2 #send-title { "Send an arrival" }
        form.controls-form novalidate data-act="send" {
            (form.sku.draw(form.wrong_at(Field::Sku), is_off))
            div.field {
                label for="quantity" { "Quantity" }
                input #quantity.input type="text" inputmode="numeric" autocomplete="off" value=(form.quantity)
                    data-field="quantity" disabled[is_off] aria-invalid=(quantity_wrong.is_some())
                    aria-describedby="quantity-error";
                p #quantity-error.field-error role="alert" { @if let Some(wrong) = quantity_wrong { (wrong) } }
            }
            @if look.lab.style == Style::Choreography { (dispatch_choice(form.dispatch, is_off)) }
            div.controls-buttons {
                button.button.button-primary type="submit" disabled[is_barred] { "Send arrival" }
                button.button type="button" data-act="send-many" disabled[is_barred]
                    aria-label="×10: ten at once" { "×10" }
                button.button type="button" data-act="sell" disabled[is_barred] { "Sell" }
            }
            p.field-error role="alert" { @if let Some(wrong) = form.wrong_at(Field::Form) { (wrong) } }
            @if let Some(why) = barred {
                p.notice.notice-failed { (why) }
            } @else {
                (broker_down(look))
                @for why in what_waits(look) { (status::warning(&why)) }
            }
        }
    }
}

fn dispatch_choice(chosen: Dispatch, is_off: bool) -> Markup {
    html! {
        fieldset.field.fieldset {
            legend.label { "How it reaches the queues" }
            div.segments {
                @for (dispatch, name) in [(Dispatch::Fanout, "Exchange"), (Dispatch::Queues, "Own list")] {
                    label.segment {
                        input type="radio" name="dispatch" value=(dispatch) data-field="dispatch"
                            checked[dispatch == chosen] disabled[is_off];
                        (name)
                    }
                }
            }
        }
    }
}

/// Why nothing can be sent, if so.
fn why_disabled(look: &Look<'_>) -> Option<String> {
    match look.connection {
        Connection::Replay => Some("This is a saved run: nothing is being sent.".to_owned()),
        Connection::Reconnecting => Some("There is no connection to the server.".to_owned()),
        // The outbox takes what the broker cannot: that is worth seeing.
        Connection::Connecting | Connection::Live | Connection::BrokerFull | Connection::BrokerDown => None,
    }
}

/// That the broker is down, what becomes of what is sent now, and the way to start a broker that was stopped on
/// purpose, in whichever style's lab that was.
fn broker_down(look: &Look<'_>) -> Markup {
    let picture = look.history.now();
    let Some(why) = picture.broker_down() else { return Markup::default() };
    let stops = |fault: &flow::picture::SetFault| fault.kind == FaultKind::BrokerStopped;
    let stopped_in = Style::ALL
        .iter()
        .filter(|&&style| picture.system(style).service(Service::Inventory).faults.iter().any(stops));
    html! {
        p.notice.notice-failed { span { "The broker is down: " (why) ". What you send is recorded and waits in the outbox." } }
        @for style in stopped_in {
            button.button.broker-start type="button" data-act="start-broker" data-stopped-in=(style)
                    disabled[!look.lab.hydrated] { "Start the broker (stopped in " (style) ")" }
        }
    }
}

/// Starts a broker again that was stopped on purpose in that style's lab.
#[must_use]
pub fn start_broker(style: Style) -> Ask {
    Ask::new("DELETE", format!("/api/{style}/faults?kind={}", FaultKind::BrokerStopped))
}

/// Why what is sent waits in the outbox, if it does.
fn what_waits(look: &Look<'_>) -> Vec<String> {
    let style = look.lab.style;
    let picture = look.lab.picture();
    let blocked = picture.broker_blocked(style).map(|why| {
        format!(
            "The broker takes no messages now ({why}). What you send is recorded and waits in the outbox."
        )
    });
    let refused = match picture.system(style).refused_now() {
        0 => None,
        count => Some(format!(
            "A queue on {} is full and refuses {count} {}. Our own queues have them; they are sent again, ever more seldom, \
             until that queue takes them too.",
            style.exchange().name,
            if count == 1 { "message" } else { "messages" },
        )),
    };
    blocked.into_iter().chain(refused).collect()
}

/// Does what a button of the form says.
pub fn act(lab: Lab, deed: Deed) {
    let asked = lab.quietly(|state| state.form.submit(state.style)).flatten();
    lab.tell(super::handle::Pace::Calm);
    let Some(request) = asked else { return };
    spawn_local(async move {
        let one = serde_json::to_string(&request).unwrap_or_default();
        let outcome = match deed {
            Deed::Send => fetch::send("POST", "/api/arrivals", Some(one)).await,
            Deed::SendMany => {
                fetch::send("POST", "/api/arrivals", Some(format!("[{}]", vec![one; MANY].join(",")))).await
            }
            Deed::Sell => fetch::send("POST", "/api/sales", Some(one)).await,
        };
        lab.change(|state| {
            state.form.is_sending = false;
            match outcome {
                Ok(answer) if deed != Deed::SendMany && has_room() => {
                    state.selected = first_id(&answer).map(Selection::Arrival);
                }
                Ok(_) => show_stage(),
                Err(problem) => state.form.refused(problem),
            }
        });
    });
}

/// The first arrival's or sale's id, out of the server's answer.
fn first_id(answer: &str) -> Option<Id> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let list = answer.get("arrivals").or_else(|| answer.get("sales"))?;
    Some(list.get(0)?.get("id")?.as_str()?.into())
}

/// The suggestions say what is for sale; when that has changed, they are asked for anew, at leisure.
pub fn keep_products_fresh(lab: Lab) {
    const AT_LEISURE: std::time::Duration = std::time::Duration::from_secs(2);
    let is_due = StoredValue::new(false);
    Effect::new(move || {
        if lab.live.stock_seq.get() == 0 || is_due.try_get_value().unwrap_or(true) {
            return;
        }
        is_due.set_value(true);
        let ask = move || {
            is_due.try_set_value(false);
            suggest(lab, true);
        };
        set_timeout(ask, AT_LEISURE);
    });
}

/// Asks the catalog for what fits the text in the SKU's field. Until it answers, what is known already is suggested.
/// With `anew`, all that it said before is out of date.
pub fn suggest(lab: Lab, anew: bool) {
    let Some((style, text)) = lab.peek(|state| (state.style, state.form.sku.text.trim().to_owned())) else {
        return;
    };
    spawn_local(async move {
        let first = if anew { api::products(style, String::new(), ASKED).await } else { Ok(Vec::new()) };
        // A text that is too long to be looked for fits nothing.
        let fitting = api::products(style, text, ASKED).await.unwrap_or_default();
        let Ok(first) = first else { return };
        lab.change(|state| {
            if anew {
                state.form.sku.forget();
            }
            state.form.sku.learn(first);
            state.form.sku.learn(fitting);
        });
    });
}

/// Whether the inspector stands beside the diagram, so that it may open by itself.
fn has_room() -> bool {
    #[cfg(feature = "hydrate")]
    {
        let wide = window().match_media("(min-width: 1101px)").ok().flatten();
        let is_projected = crate::theme::Theme::of_request() == crate::theme::Theme::Projector;
        !is_projected && wide.is_some_and(|list| list.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// On a small screen the diagram is further down: whoever has sent something wants to see it travel.
fn show_stage() {
    #[cfg(feature = "hydrate")]
    if !has_room()
        && let Some(stage) = document().get_element_by_id("stage-title")
    {
        stage.scroll_into_view();
    }
}
