//! Where the presenter is, and how followers get there: by the page's address, which says all that is shown.

use super::Class;
use crate::address;
use flow::api::{ClassView, ClassWanted};
use leptos::{ev, prelude::*};
use std::time::Duration;

/// How often it is looked where the presenter is. The lab's address is brought up to date as often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pages of the class itself: nobody is led there.
const OWN: &str = "/class";

/// The code in the address of the page about a class, in capitals.
pub fn code_in_address() -> Option<String> {
    let path = window().location().pathname().ok()?;
    let code = path.strip_prefix("/class/")?.trim_end_matches('/');
    (!code.is_empty()).then(|| code.to_ascii_uppercase())
}

/// Path and query of this page.
fn here() -> Option<String> {
    let location = window().location();
    Some(location.pathname().ok()? + &location.search().ok()?)
}

/// Leads, or is led.
pub fn begin(class: Class) {
    if class.leads() {
        set_interval(move || publish(class), LOOK_EVERY);
    } else {
        Effect::new(move || follow(class));
    }
}

/// Tells where the presenter is, if that is somewhere else than before.
fn publish(class: Class) {
    let Some(here) = here().filter(|here| !here.starts_with(OWN)) else { return };
    let is_known = class
        .view
        .with_untracked(|view| view.as_ref().is_none_or(|view| view.paused || view.address == here));
    if !is_known {
        let wanted = ClassWanted { address: Some(here), ..ClassWanted::default() };
        class.ask("PUT", "", serde_json::to_string(&wanted).unwrap_or_default());
    }
}

/// Where a follower is to be, if anywhere.
pub fn place(view: &ClassView, is_away: bool) -> Option<&str> {
    (!is_away && !view.paused && !view.is_left).then_some(&view.address)
}

fn follow(class: Class) {
    let is_away = class.kept.with(|kept| kept.is_away);
    let to = class.view.with(|view| view.as_ref().and_then(|view| place(view, is_away)).map(str::to_owned));
    if let Some(to) = to {
        go(&to);
    }
}

/// Goes to where the presenter is. A page that is open already shows what its address says.
fn go(to: &str) {
    let Some(here) = here().filter(|here| here != to) else { return };
    let page = |address: &str| address.split('?').next().unwrap_or_default().to_owned();
    let is_open = page(&here) == page(to)
        && (page(to).starts_with("/learn/")
            || page(to).starts_with("/lab/") && transport(&here) == transport(to));
    if is_open {
        address::replace(to);
        if let Ok(event) = ev::Event::new("popstate") {
            let _ = window().dispatch_event(&event);
        }
    } else {
        let _ = window().location().set_href(to);
    }
}

/// Another transport is another page of the lab.
fn transport(address: &str) -> Option<&str> {
    let query = address.split_once('?')?.1;
    query.split('&').find_map(|field| field.strip_prefix("transport="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_led_unless_they_explore_or_nobody_leads() {
        let view = |paused, is_left| ClassView {
            code: "BCDFGH".into(),
            url: String::new(),
            expires_at: String::new(),
            address: "/lab/choreography?at=3".to_owned(),
            paused,
            locked: false,
            may_send: false,
            followers: 0,
            is_left,
            question: None,
        };
        assert_eq!(place(&view(false, false), false), Some("/lab/choreography?at=3"));
        assert_eq!(place(&view(false, false), true), None);
        assert_eq!(place(&view(true, false), false), None);
        assert_eq!(place(&view(false, true), false), None);
    }

    #[test]
    fn another_transport_is_another_page() {
        assert_eq!(transport("/lab/choreography?at=3"), None);
        assert_eq!(transport("/lab/choreography?transport=redis&at=3"), Some("redis"));
    }
}
