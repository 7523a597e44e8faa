//! Wishing for a product: the form, and what came of it.

use super::{Listing, Outcome};
use crate::{
    api::{self, Listed, asks},
    pages::listing::List,
    paint::Act,
};
use flow::{Sku, Style, api::Shelf};
use leptos::{prelude::*, task::spawn_local};
use maud::{Markup, html};
use wasm_bindgen::JsCast as _;

/// What came of the last wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// For what.
    pub sku: Sku,
    /// What stands in the field: it is empty again once the wish is noted.
    email: String,
    said: Outcome,
}

/// The way to be told when it is back, and the way to what happened to it.
pub fn form(shelf: &Shelf, last: Option<&Wish>, hydrated: bool) -> Markup {
    let id = format!("wish-{}", shelf.sku);
    let is_wrong = last.is_some_and(|last| last.said.failed);
    html! {
        div.product-more {
            details.wish {
                summary { "Notify me" }
                form data-act="wish" data-sku=(shelf.sku) novalidate {
                    label.label for=(id) { "E-mail" }
                    input.input id=(id) type="email" name="email" autocomplete="email" placeholder="ada@example.com"
                        value=(last.map_or("", |last| &last.email)) disabled[!hydrated]
                        aria-invalid=[is_wrong.then_some("true")] aria-describedby={ (id) "-said" };
                    div.button-row {
                        @for style in Style::ALL {
                            button.button.button-small type="submit" disabled[!hydrated] data-shop=(style)
                                aria-label={ "Wish for " (shelf.name) ", " (style) } { (style) }
                        }
                    }
                    p id={ (id) "-said" } role="alert"
                        class=[last.map(|last| if last.said.failed { "field-error" } else { "notice notice-done" })] {
                        @if let Some(last) = last { (last.said.text) }
                    }
                }
            }
            a href={ "/lab/choreography?sku=" (shelf.sku) } { "See its journey" }
        }
    }
}

/// Makes a wish in the shop whose button was pressed, and says what came of it.
pub fn make(event: &web_sys::Event, listing: Listing, wish: RwSignal<Option<Wish>>) {
    let Some(form) = Act::of(event) else { return };
    let submitter = event.dyn_ref::<web_sys::SubmitEvent>().and_then(web_sys::SubmitEvent::submitter);
    let style = submitter.and_then(|button| button.get_attribute("data-shop")?.parse::<Style>().ok());
    let field = form.element().query_selector("input").ok().flatten();
    let field = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    let (Some(sku), Some(style), Some(field)) = (form.read::<Sku>("sku"), style, field) else { return };
    spawn_local(async move {
        let email = field.value();
        let said = match api::wish_for(sku.as_str(), &email, style).await {
            Ok(()) => {
                Outcome { text: listing.list.with_untracked(|list| noted(list, sku, style)), failed: false }
            }
            Err(problem) => Outcome { text: asks::kindly(&problem.detail), failed: true },
        };
        if said.failed {
            // The reader may have gone to another page.
            let _ = field.focus();
        } else {
            field.set_value("");
        }
        let email = if said.failed { email } else { String::new() };
        wish.try_set(Some(Wish { sku, email, said }));
    });
}

/// What is promised to somebody who wishes. The e-mail goes out when a product turns from sold out to available.
fn noted(list: &List, sku: Sku, style: Style) -> String {
    let Ok(Listed::Shelves(page)) = list else { return "Noted.".to_owned() };
    let shelf = page.shelves.iter().find(|shelf| shelf.sku == sku);
    if shelf.and_then(|shelf| shelf.quantity(style)).is_some_and(|quantity| quantity > 0) {
        format!(
            "Noted. In {style} it is in stock now. You get one e-mail when it has been sold out and is back."
        )
    } else {
        "Noted. You get one e-mail when it is back.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_that_is_refused_says_why_at_its_field_and_one_that_is_noted_what_is_promised() {
        let sku: Sku = "MUG-RED".parse().unwrap();
        let shelf = Shelf { sku, name: "Red mug".to_owned(), choreography: Some(0), orchestration: None };
        let last = |text: &str, failed| Wish {
            sku,
            email: if failed { "nobody".to_owned() } else { String::new() },
            said: Outcome { text: text.to_owned(), failed },
        };
        let refused = form(&shelf, Some(&last("That is not an address.", true)), true).into_string();
        assert!(
            refused.contains("aria-invalid=\"true\"") && refused.contains("value=\"nobody\""),
            "{refused}"
        );
        assert!(refused.contains("That is not an address."));
        let done = form(&shelf, Some(&last("Noted.", false)), true).into_string();
        assert!(!done.contains("aria-invalid") && done.contains("notice-done"), "{done}");
    }
}
