//! In which zone times are shown: UTC, as the server tells them, or the reader's own, which a cookie remembers.

use super::handle::{Lab, Pace};
use crate::cookies;
use flow::cookies::value_of;
use leptos::prelude::*;
use std::sync::atomic::{AtomicI32, Ordering};

/// The cookie, and what it says when times are the reader's own.
const COOKIE: &str = "zone";
const LOCAL: &str = "local";

/// How many minutes the shown zone is ahead of UTC. The server always tells UTC.
static AHEAD_MIN: AtomicI32 = AtomicI32::new(0);

/// A time, in microseconds since the Unix epoch, as one of the same name in the shown zone.
pub fn shown(at_us: u64) -> u64 {
    at_us.saturating_add_signed(i64::from(ahead_min()) * 60_000_000)
}

/// The shown zone's name: `UTC`, or `UTC+05:30`.
pub fn name() -> String {
    let ahead_min = ahead_min();
    let sign = if ahead_min < 0 { '-' } else { '+' };
    match ahead_min.unsigned_abs() {
        0 => "UTC".to_owned(),
        min => format!("UTC{sign}{:02}:{:02}", min / 60, min % 60),
    }
}

/// Shows times in the zone that the reader chose when last here.
pub fn wake() {
    show(is_local());
}

/// How many minutes the shown zone is ahead of UTC.
pub fn ahead_min() -> i32 {
    AHEAD_MIN.load(Ordering::Relaxed)
}

/// Shows times in the other zone, and remembers that.
fn toggle() {
    let is_local = !is_local();
    cookies::keep(COOKIE, if is_local { LOCAL } else { "utc" });
    show(is_local);
}

fn is_local() -> bool {
    value_of(&cookies::all(), COOKIE) == Some(LOCAL)
}

fn show(is_local: bool) {
    #[expect(clippy::cast_possible_truncation, reason = "no zone is further away than 14 hours")]
    let ahead_min = if is_local { -js_sys::Date::new_0().get_timezone_offset() as i32 } else { 0 };
    AHEAD_MIN.store(ahead_min, Ordering::Relaxed);
}

/// The button that says in which zone times are, and changes it.
#[component]
pub fn ZoneButton(
    /// The lab whose times are shown.
    lab: Lab,
    /// Whether it does not work yet.
    is_off: Memo<bool>,
) -> impl IntoView {
    let words = Memo::new(move |_| {
        lab.follow(Pace::Calm);
        format!("Times: {}", name())
    });
    let toggled = move |_| {
        toggle();
        lab.tell(Pace::Calm);
    };
    view! {
        <button
            class="button button-small"
            type="button"
            title="Show times in UTC, or in your own zone"
            disabled=is_off
            on:click=toggled
        >
            {words}
        </button>
    }
}
