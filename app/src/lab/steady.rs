//! Lists whose rows come and go while somebody reads them: the focus stays where it is, and the end stays in view.

use crate::focus::{focus, keep_focus, put_focus_with, stops};
use leptos::{html, prelude::*, task};
use web_sys::{Element, FocusOptions};

/// What the focus can be on inside of a list.
const STOPS: &str = "button:enabled, [tabindex]";
/// How near the end counts as the end, in pixels.
const NEAR_PX: i32 = 40;

/// Keeps what a list shows as `read` reads it, without moving what the reader is at.
///
/// The list is the element that fits the selector `list`. With the mark `data-follow` it stays at its end while its end is
/// in view; a list that was scrolled up stays where it is.
#[must_use]
pub fn steady<T>(list: &'static str, read: impl Fn() -> T + 'static) -> RwSignal<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let shown = RwSignal::new(untrack(&read));
    Effect::new(move |before: Option<()>| {
        let now = read();
        let is_same = shown.try_with_untracked(|shown| *shown == now).unwrap_or(true);
        if is_same && before.is_some() {
            return;
        }
        // What is new is shown from its end.
        let place = if before.is_some() { Place::before(list) } else { Place::at_end(list) };
        if !is_same {
            shown.set(now);
        }
        place.keep();
    });
    shown
}

/// Keeps what a panel shows as `see` sees it. What has the focus in its place may be gone after a change: then it goes to
/// what stands there instead.
#[must_use]
pub fn kept<T>(place: NodeRef<html::Div>, see: impl Fn() -> T + 'static) -> RwSignal<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let shown = RwSignal::new(untrack(&see));
    Effect::new(move || {
        let now = see();
        if shown.try_with_untracked(|shown| *shown == now).unwrap_or(true) {
            return;
        }
        if let Some(place) = place.try_get_untracked().flatten() {
            keep_focus(&place);
        }
        shown.set(now);
    });
    shown
}

/// Where the reader of a list is.
struct Place {
    list: &'static str,
    /// What has the focus, and which stop of the list that is.
    focused: Option<(Element, usize)>,
    is_at_end: bool,
}

impl Place {
    const fn at_end(list: &'static str) -> Self {
        Self { list, focused: None, is_at_end: true }
    }

    /// Where the reader is before the list changes.
    fn before(list: &'static str) -> Self {
        let Some(element) = find(list) else { return Self::at_end(list) };
        let focused = document().active_element().filter(|focused| element.contains(Some(focused)));
        let focused = focused.and_then(|focused| {
            let number = stops(&element, STOPS).iter().position(|stop| *stop == focused)?;
            Some((focused, number))
        });
        let to_end_px = element.scroll_height() - element.client_height() - element.scroll_top();
        // What begins to follow begins at its end.
        let is_at_end = to_end_px <= NEAR_PX || !element.has_attribute("data-follow");
        Self { list, focused, is_at_end }
    }

    /// Brings the reader back there, once the list has changed and before it is painted.
    fn keep(self) {
        task::spawn_local(async move {
            task::tick().await;
            self.restore();
        });
    }

    fn restore(self) {
        let list = find(self.list);
        if let Some(list) = list.as_ref().filter(|list| self.is_at_end && list.has_attribute("data-follow")) {
            list.set_scroll_top(list.scroll_height());
        }
        let Some((focused, number)) = self.focused else { return };
        if document().active_element().is_some_and(|now| now.tag_name() != "BODY") {
            return;
        }
        // What the reader looks at stays in view.
        let unscrolled = FocusOptions::new();
        unscrolled.set_prevent_scroll(true);
        if focused.is_connected() {
            // It was put to another place, which takes the focus away.
            put_focus_with(&focused, &unscrolled);
        } else if let Some(next) =
            list.and_then(|list| stops(&list, STOPS).into_iter().take(number + 1).next_back())
        {
            put_focus_with(&next, &unscrolled);
        } else {
            focus("#views [role=tab][tabindex='0']");
        }
    }
}

fn find(list: &str) -> Option<Element> {
    document().query_selector(list).ok().flatten()
}
