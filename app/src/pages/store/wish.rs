//! Wishing for a product: the form, and what came of it.

use super::Counter;
use super::toast::Outcome;
use crate::api::{self, asks};
use crate::later::IS_ALIVE;
use flow::{Sku, Style};
use leptos::{ev, html, prelude::*, task::spawn_local};

/// What came of the last wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub sku: Sku,
    /// What is said of it.
    pub said: Outcome,
}

/// The way to be told when it is back, and the way to what happened to it.
#[component]
pub fn WishForm(
    /// Where it is sold.
    counter: Counter,
    sku: Sku,
    /// Its name for people.
    name: String,
) -> impl IntoView {
    let id = format!("wish-{sku}");
    let said_id = format!("{id}-said");
    let field = NodeRef::<html::Input>::new();
    let said = Memo::new(move |_| {
        let of_this = |wish: &Wish| (wish.sku == sku).then(|| wish.said.clone());
        counter.wish.with(|wish| wish.as_ref().and_then(of_this))
    });
    let is_wrong = move || said.with(|said| said.as_ref().is_some_and(|said| said.failed));
    let class = move || match said.with(|said| said.as_ref().map(|said| said.failed)) {
        None => "",
        Some(true) => "field-error",
        Some(false) => "notice notice-done",
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let style = event.submitter().and_then(|button| button.get_attribute("data-shop")?.parse().ok());
        if let (Some(style), Some(field)) = (style, field.get_untracked()) {
            spawn_local(make(counter, sku, style, field));
        }
    };
    let shops = Style::ALL.iter().map(|&style| {
        view! {
            <button
                class="button button-small"
                type="submit"
                disabled=!IS_ALIVE
                data-shop=style.as_str()
                aria-label=format!("Wish for {name}, {style}")
            >
                {style.as_str()}
            </button>
        }
    });
    view! {
        <div class="product-more">
            <details class="wish">
                <summary>"Notify me"</summary>
                <form novalidate on:submit=submit>
                    <label class="label" for=id.clone()>
                        "E-mail"
                    </label>
                    <input
                        node_ref=field
                        class="input"
                        id=id
                        type="email"
                        name="email"
                        autocomplete="email"
                        placeholder="ada@example.com"
                        disabled=!IS_ALIVE
                        aria-invalid=move || is_wrong().then_some("true")
                        aria-describedby=said_id.clone()
                    />
                    <div class="button-row">{shops.collect_view()}</div>
                    <p id=said_id role="alert" class=class>
                        {move || said.get().map(|said| said.text)}
                    </p>
                </form>
            </details>
            <a href=format!("/lab/choreography?sku={sku}")>"See its journey"</a>
        </div>
    }
}

/// Makes a wish in a shop, and says what came of it. The field is empty again once the wish is noted.
async fn make(counter: Counter, sku: Sku, style: Style, field: web_sys::HtmlInputElement) {
    let said = match api::wish_for(sku.as_str(), &field.value(), style).await {
        Ok(()) => {
            let quantity = untrack(|| counter.quantity(sku, style));
            Outcome { text: noted(style, quantity), failed: false }
        }
        Err(problem) => Outcome { text: asks::kindly(&problem.detail), failed: true },
    };
    if said.failed {
        // The reader may have gone to another page.
        let _ = field.focus();
    } else {
        field.set_value("");
    }
    counter.wish.try_set(Some(Wish { sku, said }));
}

/// What is promised to somebody who wishes. The e-mail goes out when a product turns from sold out to available.
fn noted(style: Style, quantity: Option<u32>) -> String {
    if quantity.is_some_and(|quantity| quantity > 0) {
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
    use flow::api::Shelf;

    #[test]
    fn a_wish_that_is_refused_says_why_at_its_field_and_one_that_is_noted_what_is_promised() {
        let sku: Sku = "MUG-RED".parse().unwrap();
        Owner::new().with(|| {
            let shelf = Shelf { sku, name: "Red mug".to_owned(), choreography: Some(2), orchestration: None };
            let counter = Counter::with(vec![shelf]);
            let drawn = |text: &str, failed| {
                counter.wish.set(Some(Wish { sku, said: Outcome { text: text.to_owned(), failed } }));
                view! { <WishForm counter sku name="Red mug".to_owned() /> }.to_html()
            };
            let refused = drawn("That is not an address.", true);
            assert!(refused.contains("aria-invalid=\"true\"") && refused.contains("That is not an address."));
            let promise = noted(Style::Choreography, counter.quantity(sku, Style::Choreography));
            assert!(promise.contains("it is in stock now"), "{promise}");
            let done = drawn(&promise, false);
            assert!(!done.contains("aria-invalid") && done.contains("notice-done"), "{done}");
            assert!(done.contains(&promise), "{done}");
        });
        assert_eq!(noted(Style::Choreography, Some(0)), "Noted. You get one e-mail when it is back.");
    }
}
