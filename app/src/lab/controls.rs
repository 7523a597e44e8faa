//! The controls: send an arrival, ten of them, or sell.

mod sku;

pub use sku::keep_products_fresh;

use super::form::{Deed, Field, MANY};
use super::handle::{Lab, Pace};
#[cfg(feature = "hydrate")]
use super::panels::load_panels;
use super::selection::Selection;
use super::state::Look;
use super::steady::kept;
use crate::api::{
    asks::{Ask, Asks},
    fetch,
};
use crate::later;
use crate::live::Connection;
use flow::fault::FaultKind;
use flow::mode::Mode;
use flow::{Dispatch, Id, Service, Style, System, Transport};
use leptos::{ev, prelude::*, task::spawn_local};
use serde_json::Value;
use sku::Sku;
use web_sys::HtmlElement;

/// What stands below the buttons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Notice {
    /// Nothing can be sent: why.
    Barred(String),
    /// The broker is down: why.
    Down(String),
    /// The way to start a broker that was stopped on purpose, in whichever system's lab that was.
    Start(System),
    /// What is sent waits: why.
    Waits(String),
}

/// What there is to see of the form, but for the field of the SKU.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    quantity: String,
    wrong_quantity: Option<String>,
    wrong: Option<String>,
    dispatch: Dispatch,
    notices: Vec<Notice>,
    is_off: bool,
}

fn seen(look: &Look<'_>) -> Seen {
    let form = &look.lab.form;
    let wrong_at = |field| form.wrong_at(field).map(str::to_owned);
    Seen {
        quantity: form.quantity.clone(),
        wrong_quantity: wrong_at(Field::Quantity),
        wrong: wrong_at(Field::Form),
        dispatch: form.dispatch,
        notices: notices(look),
        is_off: !look.lab.hydrated,
    }
}

/// Brings the controls to life in the place where the server has drawn them.
pub type Wake = fn(HtmlElement, Lab, Style, Asks);

/// Brings it to life.
pub fn wake(place: HtmlElement, lab: Lab, style: Style, asks: Asks) {
    later::fill(place, move || view! { <Controls lab style asks /> });
}

/// The place of the controls: the server draws it, and the browser brings it to life right after the page.
#[component]
pub fn ControlsPlace(
    /// The lab that they belong to.
    lab: Lab,
    style: Style,
    /// What is asked at the gates, here and in the diagram.
    asks: Asks,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { (load_panels().await.controls)(place, lab, style, asks) });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Controls lab style asks />
        </div>
    }
}

/// The panel on the left.
#[component]
pub fn Controls(
    /// The lab whose form it is.
    lab: Lab,
    /// Which style's arrivals it sends.
    style: Style,
    /// Where a stopped broker is started, and what came of it is said.
    asks: Asks,
) -> impl IntoView {
    let place = NodeRef::new();
    let seen = kept(place, move || lab.look(Pace::Calm, seen));
    let is_off = Memo::new(move |_| seen.with(|seen| seen.is_off));
    let is_barred = Memo::new(move |_| {
        seen.with(|seen| seen.is_off || matches!(seen.notices.first(), Some(Notice::Barred(_))))
    });
    let quantity = Memo::new(move |_| seen.with(|seen| seen.quantity.clone()));
    let is_wrong = Memo::new(move |_| seen.with(|seen| seen.wrong_quantity.is_some()));
    let notices = Memo::new(move |_| seen.with(|seen| seen.notices.clone()));
    let submitted = move |event: ev::SubmitEvent| {
        event.prevent_default();
        act(lab, Deed::Send);
    };
    let typed = move |event: ev::Event| {
        let quantity = event_target_value(&event);
        lab.change(|state| state.form.quantity = quantity);
    };
    let dispatch = (style == Style::Choreography).then(|| view! { <DispatchChoice lab seen is_off /> });
    view! {
        <div class="place" id="controls" node_ref=place>
            <h2 id="send-title">"Send an arrival"</h2>
            <form class="controls-form" novalidate=true on:submit=submitted>
                <Sku lab is_off />
                <div class="field">
                    <label for="quantity">"Quantity"</label>
                    <input
                        id="quantity"
                        class="input"
                        type="text"
                        inputmode="numeric"
                        autocomplete="off"
                        value=quantity.get_untracked()
                        prop:value=quantity
                        on:input=typed
                        disabled=is_off
                        aria-invalid=move || is_wrong.get().to_string()
                        aria-describedby="quantity-error"
                    />
                    <p id="quantity-error" class="field-error" role="alert">
                        {move || seen.with(|seen| seen.wrong_quantity.clone())}
                    </p>
                </div>
                {dispatch}
                <div class="controls-buttons">
                    <button class="button button-primary" type="submit" disabled=is_barred>
                        "Send arrival"
                    </button>
                    <button
                        class="button"
                        type="button"
                        disabled=is_barred
                        aria-label="×10: ten at once"
                        on:click=move |_| act(lab, Deed::SendMany)
                    >
                        "×10"
                    </button>
                    <button class="button" type="button" disabled=is_barred on:click=move |_| act(lab, Deed::Sell)>
                        "Sell"
                    </button>
                </div>
                <p class="field-error" role="alert">
                    {move || seen.with(|seen| seen.wrong.clone())}
                </p>
                <For
                    each=move || notices.get()
                    key=Clone::clone
                    children=move |notice| view! { <Told notice is_off asks /> }
                />
            </form>
        </div>
    }
}

/// How choreography's event reaches the queues.
#[component]
fn DispatchChoice(lab: Lab, seen: RwSignal<Seen>, is_off: Memo<bool>) -> impl IntoView {
    let chosen = Memo::new(move |_| seen.with(|seen| seen.dispatch));
    let words = Memo::new(move |_| lab.look(Pace::Calm, |look| dispatch_words(look.lab.system().mode())));
    let choices = [Dispatch::Fanout, Dispatch::Queues].map(|dispatch| {
        let name = move || if dispatch == Dispatch::Fanout { words.get().1 } else { "Own list" };
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="dispatch"
                    value=dispatch.to_string()
                    checked=chosen.get_untracked() == dispatch
                    prop:checked=move || chosen.get() == dispatch
                    disabled=is_off
                    on:input=move |_| lab.change(|state| state.form.dispatch = dispatch)
                />
                {name}
            </label>
        }
    });
    view! {
        <fieldset class="field fieldset">
            <legend class="label">{move || words.get().0}</legend>
            <div class="segments">{choices.collect_view()}</div>
        </fieldset>
    }
}

/// What the choice is called in that mode, and its first half.
fn dispatch_words(mode: Mode) -> (&'static str, &'static str) {
    match mode.name {
        "streams" => ("How it reaches the groups", "Stream"),
        "pubsub" => ("How it reaches the services", "Subscribers"),
        "acked" => ("How it reaches the services", "Connected"),
        _ => ("How it reaches the queues", "Exchange"),
    }
}

/// A notice below the buttons.
#[component]
fn Told(notice: Notice, is_off: Memo<bool>, asks: Asks) -> impl IntoView {
    match notice {
        Notice::Barred(why) => view! { <p class="notice notice-failed">{why}</p> }.into_any(),
        Notice::Down(why) => view! {
            <p class="notice notice-failed">
                <span>
                    {format!("The broker is down: {why}. What you send is recorded and waits in the outbox.")}
                </span>
            </p>
        }
        .into_any(),
        Notice::Start(system) => view! {
            <button
                class="button broker-start"
                type="button"
                disabled=is_off
                on:click=move |_| asks.ask(start_broker(system))
            >
                {format!("Start the broker (stopped in {})", system.as_str())}
            </button>
        }
        .into_any(),
        Notice::Waits(why) => view! { <Warning what=why /> }.into_any(),
    }
}

/// Something that does not go as it should, though nothing is lost: a mark, a word, and what it is.
#[component]
fn Warning(what: String) -> impl IntoView {
    view! {
        <p class="notice notice-warning">
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d="M10 3 18.5 17h-17zM10 8v4.5M10 14.75v.01"></path>
            </svg>
            <span>
                <strong>"Warning: "</strong>
                {what}
            </span>
        </p>
    }
}

fn notices(look: &Look<'_>) -> Vec<Notice> {
    if let Some(why) = why_disabled(look) {
        return vec![Notice::Barred(why)];
    }
    let waits = what_waits(look).into_iter().map(Notice::Waits);
    broker_down(look).into_iter().chain(waits).collect()
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

/// That the broker is down, and the ways to start it again.
fn broker_down(look: &Look<'_>) -> Vec<Notice> {
    let picture = look.history.now();
    let transport = look.lab.transport;
    let Some(why) = picture.transport_down(transport) else { return Vec::new() };
    let stops = |fault: &flow::picture::SetFault| fault.kind == FaultKind::BrokerStopped;
    let of_transport = picture.systems().filter(|told| told.system.transport == transport);
    let stopped_in = of_transport.filter(|told| told.service(Service::Inventory).faults.iter().any(stops));
    std::iter::once(Notice::Down(why.to_owned()))
        .chain(stopped_in.map(|told| Notice::Start(told.system)))
        .collect()
}

/// Starts a broker again that was stopped on purpose in that system's lab.
fn start_broker(system: System) -> Ask {
    Ask::new("DELETE", system.api(&format!("faults?kind={}", FaultKind::BrokerStopped)))
}

/// Why what is sent waits in the outbox, if it does.
fn what_waits(look: &Look<'_>) -> Vec<String> {
    let system = look.lab.shows();
    let picture = look.lab.picture();
    let blocked = picture.broker_blocked(system).map(|why| {
        format!(
            "The broker takes no messages now ({why}). What you send is recorded and waits in the outbox."
        )
    });
    let refused = match picture.system(system).refused_now() {
        0 => None,
        count if system.transport == Transport::Zeromq => Some(format!(
            "{count} in the outbox: not all who are to have them are there. They are sent again."
        )),
        count => Some(format!(
            "A queue on {} is full and refuses {count} {}. Our own queues have them; they are sent again, ever more seldom, \
             until that queue takes them too.",
            system.exchange().name,
            if count == 1 { "message" } else { "messages" },
        )),
    };
    blocked.into_iter().chain(refused).collect()
}

/// Does what a button of the form says.
pub fn act(lab: Lab, deed: Deed) {
    let asked = lab.quietly(|state| state.form.submit(state.shows())).flatten();
    lab.tell(Pace::Calm);
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

/// Whether the inspector stands beside the diagram, so that it may open by itself.
pub fn has_room() -> bool {
    #[cfg(feature = "hydrate")]
    {
        let wide = window().match_media("(min-width: 1240px)").ok().flatten();
        let is_projected = crate::theme::Theme::of_request() == crate::theme::Theme::Projector;
        let is_full = document().fullscreen_element().is_some();
        !is_projected && !is_full && wide.is_some_and(|list| list.matches())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_by_a_mark_and_a_word_and_not_by_colour_alone() {
        Owner::new().with(|| {
            let drawn = view! { <Warning what="the outbox waits".to_owned() /> }.to_html();
            assert!(
                drawn.contains("<svg") && drawn.contains("Warning: ") && drawn.contains("the outbox waits")
            );
        });
    }
}
