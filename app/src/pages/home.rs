//! The start: what this is, in two moving sketches, and the way in.

use super::sketch::{Choreography, Orchestration};
use crate::components::icons::Arrow;
use leptos::prelude::*;
use leptos_meta::Title;

/// The page `/`.
#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Title text="See how services talk" />
        <main id="main" tabindex="-1" class="page home">
            <div class="hero">
                <h1>"See how services talk"</h1>
                <p>
                    "A warehouse reports new stock. Three services need to know. Send an arrival and watch
                    every message find its way, in two styles."
                </p>
            </div>
            <div class="ways">
                <article class="way card">
                    <Choreography />
                    <div class="way-words">
                        <h2>
                            <a href="/lab/choreography">"Choreography" <Arrow /></a>
                        </h2>
                        <p>
                            "Inventory announces one event. An exchange copies it to every service, and a service that needs more asks."
                        </p>
                    </div>
                </article>
                <article class="way card">
                    <Orchestration />
                    <div class="way-words">
                        <h2>
                            <a href="/lab/orchestration">"Orchestration" <Arrow /></a>
                        </h2>
                        <p>
                            "Inventory knows what must happen. It sends three commands, and each carries all
                            that its receiver needs."
                        </p>
                    </div>
                </article>
            </div>
            <section class="facts" aria-label="What to know">
                <div>
                    <h2>"Nothing is faked"</h2>
                    <p>
                        "Every dot in the lab is a message that a real broker carried and a real handler
                        settled."
                    </p>
                </div>
                <div>
                    <h2>"It has consequences"</h2>
                    <p>
                        "Stock changes in the " <a href="/store">"store"</a>
                        ", and waiting customers get an e-mail in the " <a href="/mailbox">"mailbox"</a> "."
                    </p>
                </div>
                <div>
                    <h2>"Anybody can join"</h2>
                    <p>
                        "It speaks AMQP and HTTP. Publish from your own program, and your message appears
                        among the others."
                    </p>
                </div>
            </section>
        </main>
    }
}
