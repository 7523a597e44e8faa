//! E-mails that are sent fly from the wishlist's card to the mailbox in the page's header.

use super::animation::{Animation, has_reduced_motion};
use flow::Service;
use flow::joined;
use flow::layout::{Px, consumer_id};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast as _;
use web_sys::{DomRect, Element, HtmlElement};

/// How long one flies; the style sheet knows it too.
const FLIES: Duration = Duration::from_millis(1_100);
/// One stands for all that are sent so soon after it.
const APART_MS: f64 = 200.0;

impl Animation {
    /// An e-mail flies off, or the mailbox alone lights up where nothing is to travel.
    pub(super) fn send_mail(&mut self) {
        let mailbox = document().query_selector("nav a[href='/mailbox']").ok().flatten();
        let (Some(mailbox), Some(canvas)) = (mailbox, &self.canvas) else { return };
        if self.now_ms - self.mailed_at_ms < APART_MS {
            return;
        }
        self.mailed_at_ms = self.now_ms;
        let card = joined(&["[data-node=\"", consumer_id(Service::Wishlist), "\"]"]);
        let card = canvas.query_selector(&card).ok().flatten();
        if let Some(card) = card.filter(|_| !has_reduced_motion()) {
            fly(&card.get_bounding_client_rect(), &mailbox.get_bounding_client_rect());
        }
        light(mailbox);
    }
}

fn fly(from: &DomRect, to: &DomRect) {
    let (begins, ends) =
        (place(from.left() + 14.0, from.bottom() - 22.0), place(to.left() + to.width() / 2.0, to.top()));
    let Ok(letter) = document().create_element("span") else { return };
    let letter: HtmlElement = letter.unchecked_into();
    letter.set_class_name("flying-mail");
    // Setting a known attribute, or adding a new element to the page, cannot fail.
    let _ = letter.style().set_property("--from", &begins);
    let _ = letter.style().set_property("--to", &ends);
    let _ = letter.set_attribute("aria-hidden", "true");
    let _ = document().body().map(|body| body.append_child(&letter));
    set_timeout(move || letter.remove(), FLIES);
}

/// A place in the window, as the style sheet takes it. What formats floats by itself is large.
fn place(x: f64, y: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a window")]
    let (x, y) = (Px(x as f32), Px(y as f32));
    format!("{x}px,{y}px")
}

fn light(mailbox: Element) {
    let list = mailbox.class_list();
    let _ = list.add_1("has-mail");
    set_timeout(move || _ = list.remove_1("has-mail"), FLIES * 2);
}
