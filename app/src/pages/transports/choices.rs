//! When one would choose which transport: prose, which only the server renders, so that it costs the browser nothing.

use crate::components::{StyleMark, title};
use crate::lab::stage::transport_name;
use flow::Transport;
use leptos::prelude::*;

/// When one would choose which.
#[component]
pub fn Choices() -> impl IntoView {
    let choices = Transport::ALL.iter().map(|&transport| {
        let prose = prose(transport);
        let links = transport.systems().map(|system| {
            view! {
                <a href=system.page("/lab")>
                    <StyleMark style=system.style />
                    {format!("{} over {}", title(system.style), transport_name(transport))}
                </a>
            }
        });
        view! {
            <article class="card choice">
                <h3>{transport_name(transport)}</h3>
                {prose.iter().map(|&paragraph| view! { <p>{paragraph}</p> }).collect_view()}
                <p class="choice-links">{links.collect_view()}</p>
            </article>
        }
    });
    view! {
        <aside class="page transports choices-section" aria-labelledby="choices">
            <h2 id="choices">"Which one, and when"</h2>
            <div class="choices">{choices.collect_view()}</div>
            <p>
                "What would happen at a load that this machine cannot carry? "
                <a href="/foresee">"Foresee it"</a>
            </p>
        </aside>
    }
}

/// What a transport is, and when one would choose it. One that is not described yet has nothing.
fn prose(transport: Transport) -> &'static [&'static str] {
    match transport.as_str() {
        "amqp" => &[
            "A broker keeps a queue for each service. It confirms to inventory that it has a message, and delivers it again \
             until a consumer acknowledges it.",
            "Choose it when no message may get lost and routing is the broker's business: one event to many queues, retries, \
             dead letters, consumers that come and go. The price is a server to run and to look after.",
        ],
        "redis" => &[
            "Redis is a store in memory that many teams run already. Choreography appends to a stream, which each service reads \
             in a group of its own; orchestration pushes jobs into lists, in Sidekiq's format.",
            "Choose it when Redis is there anyway and routing is simple. What a dead worker held is taken over after some \
             seconds, which the second table shows as late. What a crash of Redis itself loses depends on how often it writes \
             to disk.",
        ],
        "zeromq" => &[
            "ZeroMQ is a library and no server: services connect to each other directly. What is sent while its receiver is away \
             may be gone, and nobody acknowledges anything unless both sides agree to.",
            "Choose it for speed and few moving parts, where the next message makes up for a lost one: prices, positions, \
             measurements. With acknowledgements, sender and receiver do a broker's work themselves.",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_is_described() {
        for &transport in Transport::ALL {
            assert!(prose(transport).len() >= 2, "{transport} is not described");
        }
    }
}
