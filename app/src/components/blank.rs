//! Where there is nothing to show, and where something went wrong.

use flow::api::Problem;
use maud::{Markup, html};

/// Nothing there yet: what will be here, how it gets here, and the link that leads there.
#[must_use]
pub fn blank(title: &str, how: &str, link: (&str, &str)) -> Markup {
    html! {
        div.blank {
            h2 { (title) }
            p { (how) }
            a.button href=(link.0) { (link.1) }
        }
    }
}

/// Something could not be read, such as "The store". Its button is the act `retry`.
#[must_use]
pub fn failure(what: &str, problem: &Problem) -> Markup {
    html! {
        div.blank.blank-failed role="alert" {
            h2 { (what) " could not be read" }
            p { (problem.detail) }
            button.button type="button" data-act="retry" { "Try again" }
        }
    }
}
