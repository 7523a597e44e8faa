//! What carries the messages: in which mode, what that promises, and where an outsider can join in.

use super::section::{Asking, Section};
use crate::api::asks::Ask;
use flow::api::TransportTold;
use leptos::prelude::*;
use serde_json::json;

/// What is told.
type Told = RwSignal<Option<TransportTold>>;

/// The modes, one of which is on.
pub fn contents(section: Section) -> AnyView {
    let told = section.told::<TransportTold>(section.system.api("transport"));
    let see = move |see: fn(&TransportTold) -> String| {
        move || told.with(|told| told.as_ref().map(see)).unwrap_or_default()
    };
    let modes =
        Choice { field: "mode", legend: "Mode", all: |told| told.modes.clone(), chosen: |told| &told.mode };
    let fetches = Choice {
        field: "fetch",
        legend: "Fetch",
        all: |told| told.fetches.clone(),
        chosen: |told| &told.fetch,
    };
    let is_choice = move || told.with(|told| told.as_ref().is_some_and(|told| told.fetches.len() > 1));
    let sockets = move || {
        let all = told.with(|told| told.as_ref().map(|told| told.sockets.clone())).unwrap_or_default();
        all.into_iter()
            .map(|socket| view! { <li>{socket.socket_type} " " {socket.carries} ": " {socket.endpoint}</li> })
            .collect_view()
    };
    view! {
        {move || (!section.is_ready.get()).then(|| view! { <Asking /> })}
        {modes.view(section, told)}
        {move || is_choice().then(|| fetches.view(section, told))}
        <p class="hint" data-promise="">{see(|told| format!("Promise: {}.", told.promise))}</p>
        <ul class="hint" data-sockets="">{sockets}</ul>
        <p class="hint breaks">{see(|told| told.detail.clone().unwrap_or_default())}</p>
    }
    .into_any()
}

/// One of several, which is set by the API.
#[derive(Clone, Copy)]
struct Choice {
    field: &'static str,
    legend: &'static str,
    all: fn(&TransportTold) -> Vec<String>,
    chosen: fn(&TransportTold) -> &String,
}

impl Choice {
    fn view(self, section: Section, told: Told) -> AnyView {
        let Self { field, legend, all, chosen } = self;
        let one = move |name: String| {
            let (own, set) = (name.clone(), name.clone());
            let is_on = move || told.with(|told| told.as_ref().is_some_and(|told| *chosen(told) == own));
            let set = move |_| {
                let body = json!({ field: set }).to_string();
                section.asks.ask(Ask::new("PUT", section.system.api("transport")).with(body));
            };
            view! {
                <label class="segment">
                    <input type="radio" name=field value=name.clone() prop:checked=is_on on:input=set />
                    {name}
                </label>
            }
        };
        let all = move || told.with(|told| told.as_ref().map(all)).unwrap_or_default();
        view! {
            <fieldset class="field fieldset">
                <legend class="label">{legend}</legend>
                <div class="segments">
                    <For each=all key=Clone::clone children=one />
                </div>
            </fieldset>
        }
        .into_any()
    }
}
