//! What is compared: a system for each side, and in which encoding its consumers ask.

use super::pair::{ENCODING, Pair, SIDES, Setup};
use crate::api::fetch;
use crate::components::title;
use crate::lab::stage::transport_name;
use crate::later::IS_ALIVE;
use flow::{Encoding, System, api::EncodingChoice};
use leptos::{ev, prelude::*, task::spawn_local};

/// A system as a choice.
fn name(system: System) -> String {
    format!("{} over {}", title(system.style), transport_name(system.transport))
}

/// What the pair becomes once that side's field has that value.
fn with(pair: Pair, side: usize, field: &str, value: &str) -> Result<Pair, String> {
    let before = pair.query();
    // The usual pair has no address: it is spelled out by its systems.
    let [left, right] = pair.systems();
    let spelled = format!("{}={left}&{}={right}&{before}", SIDES[0], SIDES[1]);
    let of = |name: &str| {
        if name == format!("{}{field}", SIDES[side]) {
            return Some(value.to_owned());
        }
        let mut fields = spelled.split('&').filter_map(|field| field.split_once('='));
        fields.find(|field| field.0 == name).map(|field| field.1.to_owned())
    };
    Pair::of(of)
}

/// The choice. Another pair is another address.
#[component]
pub fn Chooser(
    /// What is compared now.
    pair: Pair,
) -> impl IntoView {
    let wrong = RwSignal::new(None::<String>);
    let choose = move |side: usize, field: &'static str, event: ev::Event| match with(
        pair,
        side,
        field,
        &event_target_value(&event),
    ) {
        Ok(next) => {
            let query = next.query();
            let mark = if query.is_empty() { "" } else { "?" };
            let _ = window().location().set_href(&format!("/compare{mark}{query}"));
        }
        Err(why) => wrong.set(Some(why)),
    };
    let sides = [("Left", 0), ("Right", 1)].map(|(words, side)| {
        let Setup { system, encoding } = pair.0[side];
        let systems = System::ALL.into_iter().map(move |one| {
            view! {
                <option value=one.to_string() selected=one == system>
                    {name(one)}
                </option>
            }
        });
        let encodings = Encoding::ALL.iter().map(move |&one| {
            view! {
                <option value=one.as_str() selected=encoding == Some(one)>
                    {one.title()}
                </option>
            }
        });
        view! {
            <div class="field">
                <label for=format!("duel-{}", SIDES[side])>{words}</label>
                <select
                    id=format!("duel-{}", SIDES[side])
                    class="input"
                    autocomplete="off"
                    disabled=!IS_ALIVE
                    on:change=move |event| choose(side, "", event)
                >
                    {systems.collect_view()}
                </select>
            </div>
            <div class="field">
                <label for=format!("duel-{}{ENCODING}", SIDES[side])>
                    <span class="sr-only">{words} ", "</span>
                    "answers in"
                </label>
                <select
                    id=format!("duel-{}{ENCODING}", SIDES[side])
                    class="input"
                    autocomplete="off"
                    disabled=!IS_ALIVE
                    on:change=move |event| choose(side, ENCODING, event)
                >
                    <option value="" selected=encoding.is_none()>"as it is set"</option>
                    {encodings.collect_view()}
                </select>
            </div>
        }
    });
    view! {
        <div class="card duel-form duel-chooser" role="group" aria-label="What is compared">
            {sides.into_iter().collect_view()}
            {move || {
                wrong.get().map(|words| view! { <p class="field-error duel-wide-line" role="alert">{words}</p> })
            }}
        </div>
    }
}

/// Asks for the transports that start when they are first used.
pub fn start(pair: Pair) {
    for system in pair.distinct().filter(|system| !system.transport.is_default()) {
        spawn_local(async move {
            // What keeps it from starting is told by the picture, and by the answer to what is sent.
            let _ = fetch::send("GET", &system.api("transport"), None).await;
        });
    }
}

/// Lets a side's consumers ask in the encoding that is compared. Says which one was set there before, if it was another.
///
/// # Errors
/// What the server says.
pub async fn ask_in(setup: Setup) -> Result<Option<(System, Encoding)>, String> {
    let Setup { system, encoding: Some(wanted) } = setup else { return Ok(None) };
    let path = system.api("encoding");
    let before = fetch::get::<EncodingChoice>(&path).await.map_err(|problem| problem.detail)?.encoding;
    if before == wanted {
        return Ok(None);
    }
    set(system, wanted).await?;
    Ok(Some((system, before)))
}

/// Sets it.
///
/// # Errors
/// What the server says.
pub async fn set(system: System, encoding: Encoding) -> Result<(), String> {
    let body = format!("{{\"encoding\":\"{encoding}\"}}");
    let answer = fetch::send("PUT", &system.api("encoding"), Some(body)).await;
    answer.map(|_| ()).map_err(|problem| problem.detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Style, Transport};

    #[test]
    fn one_field_changes_one_side_and_leaves_the_rest() {
        let redis = with(Pair::default(), 1, "", "choreography.redis").unwrap();
        assert_eq!(redis.query(), "left=choreography.amqp&right=choreography.redis");
        let packed = with(redis, 0, ENCODING, "msgpack").unwrap();
        assert_eq!(packed.0[0].encoding, Some(Encoding::MsgPack));
        assert_eq!(packed.systems(), redis.systems());
        assert_eq!(with(packed, 0, ENCODING, "").unwrap(), redis);
        assert!(with(Pair::default(), 1, "", "choreography.amqp").is_err(), "nothing would be compared");
    }

    #[test]
    fn every_system_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = System::ALL.into_iter().map(name).collect();
        assert_eq!(names.len(), System::COUNT);
        let over = System { style: Style::Orchestration, transport: Transport::Zeromq };
        assert_eq!(name(over), "Orchestration over ZeroMQ");
    }
}
