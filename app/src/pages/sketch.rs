//! The two sketches on the start page: drawn here, moved by `style/sketch.css` along the same lines.
//! They explain; the lab shows what really happens.

use leptos::prelude::*;

/// One event, copied by an exchange; two consumers ask back.
#[component]
pub fn Choreography() -> impl IntoView {
    view! {
        <svg
            class="sketch sketch-event"
            viewBox="0 0 392 244"
            role="img"
            aria-label="Inventory publishes one event to an exchange, which copies it to three services. Two of them then ask inventory for more."
        >
            <path class="sketch-http" d="M368 122h4a8 8 0 0 0 8-8V16a8 8 0 0 0-8-8H62a8 8 0 0 0-8 8v74"></path>
            <path class="sketch-http" d="M310 220v8a8 8 0 0 1-8 8H62a8 8 0 0 1-8-8v-74"></path>
            <Lines />
            <circle class="sketch-ring sketch-ring-catalog" r="4.5"></circle>
            <circle class="sketch-ring sketch-ring-wishlist" r="4.5"></circle>
            <circle class="sketch-token sketch-in" r="6.5"></circle>
            <circle class="sketch-token sketch-out sketch-to-inventory" r="6.5"></circle>
            <circle class="sketch-token sketch-out sketch-to-catalog" r="6.5"></circle>
            <circle class="sketch-token sketch-out sketch-to-wishlist" r="6.5"></circle>
            <Boxes />
        </svg>
    }
}

/// Three commands, one for each service.
#[component]
pub fn Orchestration() -> impl IntoView {
    view! {
        <svg
            class="sketch sketch-command"
            viewBox="0 0 392 244"
            role="img"
            aria-label="Inventory sends three commands through an exchange, one to each of three services."
        >
            <Lines />
            <rect class="sketch-token sketch-to-inventory" x="-6" y="-6" width="12" height="12" rx="2"></rect>
            <rect class="sketch-token sketch-to-catalog" x="-6" y="-6" width="12" height="12" rx="2"></rect>
            <rect class="sketch-token sketch-to-wishlist" x="-6" y="-6" width="12" height="12" rx="2"></rect>
            <Boxes />
        </svg>
    }
}

/// From inventory to the exchange, and on to the three.
#[component]
fn Lines() -> impl IntoView {
    view! {
        <path class="sketch-line" d="M100 122h33"></path>
        <path class="sketch-line" d="M172 122c44 0 34-76 74-76"></path>
        <path class="sketch-line" d="M172 122h74"></path>
        <path class="sketch-line" d="M172 122c44 0 34 76 74 76"></path>
        <path class="sketch-tip" d="M240 41l6 5-6 5M240 117l6 5-6 5M240 193l6 5-6 5M128 117l6 5-6 5"></path>
    }
}

/// The sender, the exchange and the three receivers.
#[component]
fn Boxes() -> impl IntoView {
    let receivers = [
        ("Inventory", 24, "inventory"),
        ("Catalog", 100, "catalog"),
        ("Wishlist", 176, "wishlist"),
    ]
    .map(|(name, y, class)| {
        view! {
            <g class=format!("sketch-receiver sketch-{class}") transform=format!("translate(252 {y})")>
                <rect class="sketch-box" width="116" height="44" rx="9"></rect>
                <text x="11" y="27">
                    {name}
                </text>
                <path class="sketch-check" d="M93 22l4 4 8-9"></path>
            </g>
        }
    })
    .collect_view();
    view! {
        <g transform="translate(8 94)">
            <rect class="sketch-box" width="92" height="56" rx="9"></rect>
            <text x="46" y="33" text-anchor="middle">
                "Inventory"
            </text>
        </g>
        <circle class="sketch-disc" cx="154" cy="122" r="18"></circle>
        <path class="sketch-tines" d="M144 122h20M148 122c8 0 6-7 13-7M148 122c8 0 6 7 13 7"></path>
        {receivers}
    }
}
