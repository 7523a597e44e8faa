//! The controls: send an arrival, ten of them, or sell.

use super::picker::SkuPicker;
use super::selection::Selection;
use super::stage::{Stage, use_stage};
use crate::api::fetch;
use crate::app::hydrated;
use crate::live::Connection;
use flow::api::{Accepted, Problem, Product, StockRequest};
use flow::{Dispatch, Quantity, Sku, Style};
use leptos::{ev, prelude::*, task::spawn_local};
use serde::Deserialize;

/// How many arrivals the second button sends.
const MANY: usize = 10;
/// What the first click brings in.
const FIRST_QUANTITY: &str = "12";

/// What is wrong, and at which field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wrong {
    field: Field,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Sku,
    Quantity,
    Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Send,
    SendMany,
    Sell,
}

/// The panel on the left.
#[component]
pub fn Controls(
    /// What can be sent.
    products: Vec<Product>,
) -> impl IntoView {
    let stage = use_stage();
    let hydrated = hydrated();
    let style = stage.style;
    // The first click shall show something: something that is sold out, if anything is.
    let first = products.iter().find(|one| !one.available).or(products.first());
    let sku = RwSignal::new(first.map(|first| first.sku.to_string()).unwrap_or_default());
    let known = RwSignal::new(products);
    refresh(stage, known);
    let quantity = RwSignal::new(FIRST_QUANTITY.to_owned());
    let (wrong, set_wrong) = signal(None::<Wrong>);
    let (is_sending, set_sending) = signal(false);
    let down = Memo::new(move |_| why_disabled(stage));

    let act = move |deed: Deed| {
        if is_sending.get_untracked() {
            return;
        }
        let checked = check(&sku.get_untracked(), &quantity.get_untracked());
        let (sku, quantity) = match checked {
            Ok(checked) => checked,
            Err(problem) => return set_wrong.set(Some(problem)),
        };
        set_wrong.set(None);
        set_sending.set(true);
        let request = StockRequest {
            sku: sku.to_string(),
            quantity: i64::from(quantity.get()),
            style: style.as_str().to_owned(),
            dispatch: stage.dispatch.get_untracked(),
        };
        spawn_local(async move {
            let outcome = send(deed, request).await;
            set_sending.try_set(false);
            match outcome {
                Ok(Some(id)) if deed != Deed::SendMany && has_room() => {
                    stage.selected.try_set(Some(Selection::Arrival(id)));
                }
                Ok(_) => show_stage(),
                Err(problem) => {
                    set_wrong.try_set(Some(at_field(problem)));
                }
            }
        });
    };
    let error_at = move |field: Field| {
        Signal::derive(move || {
            wrong.with(|wrong| {
                wrong.as_ref().filter(|wrong| wrong.field == field).map(|wrong| wrong.detail.clone())
            })
        })
    };
    // Made here and not where they are read: what is made while something is awaited goes with it.
    let sku_error = error_at(Field::Sku);
    let quantity_error = error_at(Field::Quantity);
    let form_error = error_at(Field::Form);
    let is_off = Signal::derive(move || !hydrated.get());
    let is_barred = Signal::derive(move || !hydrated.get() || down.with(Option::is_some));

    view! {
        <section class="panel controls" aria-labelledby="send-title">
            <h2 id="send-title">"Send an arrival"</h2>
            <form
                class="controls-form"
                novalidate
                on:submit=move |event: ev::SubmitEvent| {
                    event.prevent_default();
                    act(Deed::Send);
                }
            >
                <SkuPicker text=sku products=known error=sku_error disabled=is_off />
                <div class="field">
                    <label for="quantity">"Quantity"</label>
                    <input
                        id="quantity"
                        class="input"
                        type="text"
                        inputmode="numeric"
                        autocomplete="off"
                        value=FIRST_QUANTITY
                        prop:value=move || quantity.get()
                        disabled=is_off
                        aria-invalid=move || quantity_error.with(Option::is_some).to_string()
                        aria-describedby="quantity-error"
                        on:input=move |event| quantity.set(event_target_value(&event))
                    />
                    <p id="quantity-error" class="field-error" role="alert">
                        {move || quantity_error.get()}
                    </p>
                </div>
                {(style == Style::Choreography).then(|| dispatch_choice(stage, is_off))}
                <div class="controls-buttons">
                    <button type="submit" class="button button-primary" disabled=is_barred>
                        "Send arrival"
                    </button>
                    <button
                        type="button"
                        class="button"
                        disabled=is_barred
                        aria-label="×10: ten at once"
                        on:click=move |_| act(Deed::SendMany)
                    >
                        "×10"
                    </button>
                    <button type="button" class="button" disabled=is_barred on:click=move |_| act(Deed::Sell)>
                        "Sell"
                    </button>
                </div>
                <p class="field-error" role="alert">
                    {move || form_error.get()}
                </p>
                {move || down.get().map(|why| view! { <p class="notice notice-failed">{why}</p> })}
            </form>
        </section>
    }
    .into_any()
}

/// The suggestions say what is for sale; when that has changed, they are asked for anew, at leisure.
fn refresh(stage: Stage, known: RwSignal<Vec<Product>>) {
    const AT_LEISURE: std::time::Duration = std::time::Duration::from_secs(2);
    let is_due = StoredValue::new(false);
    Effect::new(move || {
        if stage.live.stock_seq.get() == 0 || is_due.try_get_value().unwrap_or(true) {
            return;
        }
        is_due.set_value(true);
        let ask = move || {
            is_due.try_set_value(false);
            spawn_local(async move {
                if let Ok(products) = products_of(stage.style).await {
                    known.try_set(products);
                }
            });
        };
        set_timeout(ask, AT_LEISURE);
    });
}

fn dispatch_choice(stage: Stage, is_off: Signal<bool>) -> impl IntoView {
    let option = move |dispatch: Dispatch, name: &'static str| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="dispatch"
                    value=dispatch.as_str()
                    checked=stage.dispatch.get_untracked() == dispatch
                    prop:checked=move || stage.dispatch.get() == dispatch
                    disabled=is_off
                    on:change=move |_| stage.dispatch.set(dispatch)
                />
                {name}
            </label>
        }
    };
    view! {
        <fieldset class="field fieldset">
            <legend class="label">"How it reaches the queues"</legend>
            <div class="segments">
                {option(Dispatch::Fanout, "Exchange")} {option(Dispatch::Queues, "Own list")}
            </div>
        </fieldset>
    }
    .into_any()
}

/// Why nothing can be sent, if so.
fn why_disabled(stage: Stage) -> Option<String> {
    match stage.live.connection.get() {
        Connection::BrokerDown => {
            stage.live.version.track();
            let why = stage.live.with_picture(|picture| picture.broker_down().map(str::to_owned));
            Some(format!("The broker is down: {}", why.unwrap_or_else(|| "no reason given".to_owned())))
        }
        Connection::Reconnecting => Some("There is no connection to the server.".to_owned()),
        Connection::Connecting | Connection::Live => None,
    }
}

fn check(sku: &str, quantity: &str) -> Result<(Sku, Quantity), Wrong> {
    let sku = Sku::parse(sku.trim())
        .map_err(|error| Wrong { field: Field::Sku, detail: capitalised(&error.to_string()) })?;
    let number = quantity.trim().replace(['.', ',', '_', ' '], "");
    let quantity = match number.parse::<i64>() {
        Ok(number) => Quantity::parse(number).map_err(|error| error.to_string()),
        Err(_) => Err("a quantity is a whole number from 1 to 1,000,000".to_owned()),
    };
    let wrong = |detail: String| Wrong { field: Field::Quantity, detail: capitalised(&detail) };
    Ok((sku, quantity.map_err(wrong)?))
}

/// The server's words, at the field they are about.
fn at_field(problem: Problem) -> Wrong {
    let about = problem.detail.to_lowercase();
    let field = if problem.status == 409 || about.contains("quantity") {
        Field::Quantity
    } else if about.contains("sku") {
        Field::Sku
    } else {
        Field::Form
    };
    Wrong { field, detail: capitalised(&problem.detail) }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if !text.starts_with("a SKU") => first.to_uppercase().chain(characters).collect(),
        _ => text.replacen("a SKU", "A SKU", 1),
    }
}

/// The answer to arrivals and to sales.
#[derive(Debug, Deserialize)]
struct AllAccepted {
    #[serde(alias = "sales")]
    arrivals: Vec<Accepted>,
}

/// Does it, and tells the first arrival's id.
async fn send(deed: Deed, request: StockRequest) -> Result<Option<flow::Id>, Problem> {
    let accepted: AllAccepted = match deed {
        Deed::Send => fetch::post("/api/arrivals", &request).await?,
        Deed::SendMany => fetch::post("/api/arrivals", &vec![request; MANY]).await?,
        Deed::Sell => fetch::post("/api/sales", &request).await?,
    };
    Ok(accepted.arrivals.into_iter().next().map(|first| first.id))
}

/// Whether the inspector stands beside the diagram, so that it may open by itself.
fn has_room() -> bool {
    #[cfg(feature = "hydrate")]
    {
        let wide = window().match_media("(min-width: 1101px)").ok().flatten();
        let is_projected = crate::theme::Theme::of_request() == crate::theme::Theme::Projector;
        !is_projected && wide.is_some_and(|list| list.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// On a small screen the diagram is further down: whoever has sent something wants to see it travel.
fn show_stage() {
    #[cfg(feature = "hydrate")]
    if !has_room()
        && let Some(stage) = document().get_element_by_id("stage-title")
    {
        stage.scroll_into_view();
    }
}

/// The catalog's products, asked of the server's own catalog while it renders.
pub async fn products_of(style: Style) -> Result<Vec<Product>, Problem> {
    #[cfg(feature = "ssr")]
    {
        match use_context::<crate::backend::SharedBackend>() {
            Some(backend) => backend.products(style).await,
            None => Ok(Vec::new()),
        }
    }
    #[cfg(not(feature = "ssr"))]
    fetch::get(&format!("/api/{style}/catalog/products")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        assert_eq!(
            check("mug-red", " 1,000 ").map(|(sku, q)| (sku.to_string(), q.get())),
            Ok(("MUG-RED".into(), 1_000))
        );
        assert_eq!(check("", "1").unwrap_err().field, Field::Sku);
        let wrong = check("A", "0").unwrap_err();
        assert_eq!(wrong.field, Field::Quantity);
        assert!(wrong.detail.starts_with("A quantity is"), "{}", wrong.detail);
        assert_eq!(check("A", "many").unwrap_err().field, Field::Quantity);
    }

    #[test]
    fn the_servers_words_stand_at_the_field_they_are_about() {
        let problem = |status, detail: &str| Problem {
            problem_type: String::new(),
            title: String::new(),
            status,
            detail: detail.to_owned(),
        };
        assert_eq!(at_field(problem(422, "'A B' cannot stand in a SKU")).field, Field::Sku);
        assert_eq!(at_field(problem(409, "only 3 are left")).field, Field::Quantity);
        assert_eq!(at_field(problem(503, "busy")).field, Field::Form);
    }
}
