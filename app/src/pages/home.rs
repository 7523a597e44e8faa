//! The start: what this is, in two sketches that show what happens, and the way in.

mod place;
mod send;

use crate::components::icons::Arrow;
use flow::Style;
use leptos::prelude::*;
use leptos_meta::Title;
use place::HomePlace;
pub use place::{Wake, wake};

/// The page `/`.
#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Title text="See how services talk" />
        <main id="main" tabindex="-1" class="page home">
            <div class="hero">
                <h1>"Two ways to make services talk"</h1>
                <p>"Watch real messages. Break them."</p>
                <HomePlace />
            </div>
            <div class="ways">
                <article class="way card">
                    <HomePlace style=Style::Choreography />
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
                    <HomePlace style=Style::Orchestration />
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
            <div class="ways">
                <article class="way card">
                    <div class="way-words">
                        <h2>
                            <a href="/learn">"Learn" <Arrow /></a>
                        </h2>
                        <p>
                            "Short lessons on the running system: predict what happens, do it, and see. Begin with two
                            minutes around the stage."
                        </p>
                    </div>
                </article>
            </div>
            <p class="home-next">
                <a class="button" href="/compare">
                    "Compare the two " <Arrow />
                </a>
            </p>
            <section class="facts" aria-label="What to know">
                <div>
                    <h2>"Nothing is faked"</h2>
                    <p>
                        "Every dot, here and in the lab, is a message that a real broker carried and a real
                        handler settled. Only its pace is slowed down for the eye."
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
