//! What carries the messages: in which mode, what that promises, and where an outsider can join in.

use super::section::{Asking, Section};
use crate::api::asks::Ask;
use flow::api::TransportTold;
use leptos::prelude::*;
use serde_json::json;

/// The modes, one of which is on.
pub fn contents(section: Section) -> AnyView {
    let told = section.told::<TransportTold>(section.system.api("transport"));
    let see = move |see: fn(&TransportTold) -> String| {
        move || told.with(|told| told.as_ref().map(see)).unwrap_or_default()
    };
    let of_mode = move |mode: String| {
        let (name, set) = (mode.clone(), mode.clone());
        let is_on = move || told.with(|told| told.as_ref().is_some_and(|told| told.mode == name));
        let set = move |_| {
            let body = json!({ "mode": set }).to_string();
            section.asks.ask(Ask::new("PUT", section.system.api("transport")).with(body));
        };
        view! {
            <label class="segment">
                <input type="radio" name="mode" value=mode.clone() prop:checked=is_on on:input=set />
                {mode}
            </label>
        }
    };
    let modes = move || told.with(|told| told.as_ref().map(|told| told.modes.clone())).unwrap_or_default();
    let sockets = move || {
        let all = told.with(|told| told.as_ref().map(|told| told.sockets.clone())).unwrap_or_default();
        all.into_iter()
            .map(|socket| view! { <li>{socket.socket_type} " " {socket.carries} ": " {socket.endpoint}</li> })
            .collect_view()
    };
    view! {
        {move || (!section.is_ready.get()).then(|| view! { <Asking /> })}
        <fieldset class="field fieldset">
            <legend class="label">"Mode"</legend>
            <div class="segments">
                <For each=modes key=Clone::clone children=of_mode />
            </div>
        </fieldset>
        <p class="hint" data-promise="">{see(|told| format!("Promise: {}.", told.promise))}</p>
        <ul class="hint" data-sockets="">{sockets}</ul>
        <p class="hint breaks">{see(|told| told.detail.clone().unwrap_or_default())}</p>
    }
    .into_any()
}
