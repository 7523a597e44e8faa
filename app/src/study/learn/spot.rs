//! The spotlight: what a beat is about stays as it is, and the rest of the picture is dimmed.

use super::course::Course;
use crate::focus::stops;
use crate::lab::handle::Pace;
use leptos::{html, prelude::*};
use lessons::Spot;
use web_sys::Element;

const MARK: &str = "data-spot";
/// Where the beat covers the lower part of the picture; in the style sheet, too.
const STACKED: &str = "(max-width: 61.99rem)";

/// Keeps the light on what the shown beat is about: also on what is drawn anew.
pub fn follow(course: Course, place: NodeRef<html::Div>, spots: Memo<Vec<Spot>>) {
    Effect::new(move |before: Option<Vec<Spot>>| {
        course.lab.follow(Pace::Calm);
        let spots = spots.get();
        let is_new = before.is_some_and(|before| before != spots);
        if let Some(place) = place.get() {
            let (place, spots): (Element, _) = (place.into(), spots.clone());
            // What has just joined the system is in the picture a moment from now.
            request_animation_frame(move || {
                mark(&place, &spots);
                if is_new {
                    bring_into_view(&place);
                }
            });
        }
        spots
    });
}

fn mark(place: &Element, spots: &[Spot]) {
    let selector = spots.iter().map(Spot::selector).collect::<Vec<_>>().join(", ");
    for marked in stops(place, &format!("[{MARK}]")) {
        if selector.is_empty() || !marked.matches(&selector).unwrap_or_default() {
            let _ = marked.remove_attribute(MARK);
        }
    }
    if selector.is_empty() {
        return;
    }
    for spot in stops(place, &selector) {
        if !spot.has_attribute(MARK) {
            let _ = spot.set_attribute(MARK, "");
        }
    }
}

/// On a small screen the picture is higher than what is left of the window.
fn bring_into_view(place: &Element) {
    let stacked = window().match_media(STACKED).ok().flatten();
    if stacked.is_some_and(|list| list.matches())
        && let Ok(Some(spot)) = place.query_selector(&format!("[{MARK}]"))
    {
        // How much the beat covers stands in the style sheet, as a margin.
        spot.scroll_into_view_with_bool(false);
    }
}
