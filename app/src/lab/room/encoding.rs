//! In what encoding the consumers ask inventory.

use super::section::{Asking, Section};
use crate::api::asks::Ask;
use flow::api::EncodingChoice;
use flow::{Encoding, Style, System};
use leptos::{ev, prelude::*};

/// What each is like.
const fn hint(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => "text that people can read, with each field's name",
        Encoding::MsgPack => "the same tree in bytes, still with the names",
        Encoding::Protobuf => "bytes that only a schema explains: a number for each field",
    }
}

/// Who is meant. A command carries what its receiver needs.
const fn who(style: Style) -> &'static str {
    match style {
        Style::Choreography => "The consumers ask inventory what is for sale, for each event.",
        Style::Orchestration => {
            "A command says what is for sale. A consumer asks inventory only when a command is far ahead of what it knows."
        }
    }
}

fn set(system: System, encoding: &str) -> Ask {
    Ask::new("PUT", system.api("encoding")).with(format!("{{\"encoding\":\"{encoding}\"}}"))
}

/// The choice, which counts from the next question on.
pub fn contents(section: Section) -> AnyView {
    let system = section.system;
    let told = section.told::<EncodingChoice>(system.api("encoding"));
    let chosen = Memo::new(move |_| told.get().map(|told| told.encoding));
    let options = Encoding::ALL.iter().map(|&encoding| {
        let is_chosen = move || chosen.get() == Some(encoding);
        view! { <option value=encoding.as_str() prop:selected=is_chosen>{encoding.title()}</option> }
    });
    let choose = move |event: ev::Event| section.asks.ask(set(system, &event_target_value(&event)));
    view! {
        {move || chosen.get().is_none().then(|| view! { <Asking /> })}
        <p class="hint">{who(system.style)}</p>
        <div class="field">
            <label for="encoding">"Answers come in"</label>
            <select id="encoding" class="input" on:change=choose disabled=move || chosen.get().is_none()>
                {options.collect_view()}
            </select>
            <span class="hint">{move || chosen.get().map(hint)}</span>
        </div>
        <p class="hint">"Click an answer in the log to see its bytes. A restart brings JSON back."</p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_the_server_is_a_choice_that_it_takes() {
        for &encoding in Encoding::ALL {
            let ask = set(System::of(Style::Choreography), encoding.as_str());
            assert_eq!((ask.method, &*ask.path), ("PUT", "/api/choreography/encoding"));
            assert_eq!(
                serde_json::from_str::<EncodingChoice>(&ask.body).unwrap(),
                EncodingChoice { encoding }
            );
        }
    }
}
