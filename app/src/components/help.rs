//! How to read the picture: the marks and the words, on every page behind the `?`.

use super::keys_switch::KeysSwitch;
use crate::lab::keys::KEYS;
use leptos::prelude::*;

const ID: &str = "help";

/// Opens the help. A popover needs no script, so that it works from the first paint.
#[component]
pub fn HelpButton() -> impl IntoView {
    view! {
        <button
            type="button"
            class="button button-icon"
            popovertarget=ID
            aria-label="How to read the picture"
            title="How to read the picture"
        >
            <span aria-hidden="true">"?"</span>
        </button>
    }
}

#[component]
pub fn Help() -> impl IntoView {
    view! {
        <aside id=ID class="help" popover="auto" aria-labelledby="help-title" tabindex="-1">
            <div class="help-head">
                <h2 id="help-title">"How to read the picture"</h2>
                <button type="button" class="button button-small" popovertarget=ID popovertargetaction="hide">
                    "Close"
                </button>
            </div>
            <dl class="legend">
                <dt>
                    <svg class="legend-mark legend-event" viewBox="0 0 48 16" aria-hidden="true">
                        <path d="M2 8h44"></path>
                        <circle cx="24" cy="8" r="5"></circle>
                    </svg>
                    "Event"
                </dt>
                <dd>"Something happened. Every bound queue gets a copy; the sender does not know who consumes it."</dd>
                <dt>
                    <svg class="legend-mark legend-command" viewBox="0 0 48 16" aria-hidden="true">
                        <path d="M2 8h44"></path>
                        <rect x="19" y="3" width="10" height="10" rx="1.5"></rect>
                    </svg>
                    "Command"
                </dt>
                <dd>"Do this. It has one receiver and carries what that receiver needs."</dd>
                <dt>
                    <svg class="legend-mark legend-http" viewBox="0 0 48 16" aria-hidden="true">
                        <path d="M2 8h44"></path>
                        <circle cx="24" cy="8" r="3.5"></circle>
                    </svg>
                    "HTTP call"
                </dt>
                <dd>"A question to another service, and its answer on the way back."</dd>
                <dt>
                    <svg class="legend-mark legend-failed" viewBox="0 0 48 16" aria-hidden="true">
                        <path class="legend-solid" d="M24 2l6 6-6 6-6-6z"></path>
                    </svg>
                    "Error"
                </dt>
                <dd>"Something failed, and says why when you click it."</dd>
                <dt>"Exchange"</dt>
                <dd>"Routes published messages into queues. A fanout exchange copies each message to every bound queue."</dd>
                <dt>"Ready"</dt>
                <dd>"Messages that wait in a queue for a consumer."</dd>
                <dt>"Unacked"</dt>
                <dd>"Messages delivered to a consumer and not yet acknowledged."</dd>
                <dt>"Ack"</dt>
                <dd>"The consumer's acknowledgement, sent after its work is on disk."</dd>
            </dl>
            <h3 class="help-keys">"Keys in the lab"</h3>
            <dl class="keys">
                {KEYS
                    .iter()
                    .map(|(key, does)| {
                        view! {
                            <dt>
                                <kbd>{*key}</kbd>
                            </dt>
                            <dd>{*does}</dd>
                        }
                    })
                    .collect::<Vec<_>>()}
            </dl>
            <p class="hint">"Space pauses wherever you clicked last, on a button too. Enter presses the button."</p>
            <KeysSwitch />
        </aside>
    }
}
