//! The SKU picker: a text field that suggests, after the ARIA pattern "editable combobox with list autocomplete".

use flow::api::Product;
use leptos::{ev, html, prelude::*};

/// How many suggestions are shown; whoever wants another types a letter more.
const SUGGESTED: usize = 8;

/// The products whose SKU or name contains every word of the text; exact beginnings first.
#[must_use]
pub fn suggestions(products: &[Product], text: &str) -> Vec<Product> {
    let text = text.trim().to_lowercase();
    let words: Vec<_> = text.split_whitespace().collect();
    let mut found: Vec<_> = products
        .iter()
        .filter(|product| {
            let (sku, name) = (product.sku.as_str().to_lowercase(), product.name.to_lowercase());
            words.iter().all(|word| sku.contains(word) || name.contains(word))
        })
        .collect();
    found.sort_by_key(|product| !product.sku.as_str().to_lowercase().starts_with(&text));
    found.into_iter().take(SUGGESTED).cloned().collect()
}

/// What is known of a product, in a few words.
#[must_use]
pub fn described(product: &Product) -> String {
    match product.quantity {
        _ if !product.available => format!("{}, sold out", product.name),
        quantity => format!("{}, {quantity} for sale", product.name),
    }
}

/// The field with its list. `text` is what stands in it; any text may stand there.
#[component]
pub fn SkuPicker(
    /// What stands in the field.
    text: RwSignal<String>,
    /// What can be suggested.
    #[prop(into)]
    products: Signal<Vec<Product>>,
    /// What is wrong with the text, if anything.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Whether the field does not work yet.
    #[prop(into)]
    disabled: Signal<bool>,
) -> impl IntoView {
    let (is_open, set_open) = signal(false);
    // The field first shows every product; typing narrows them down.
    let (is_typed, set_typed) = signal(false);
    let (active, set_active) = signal(None::<usize>);
    let input: NodeRef<html::Input> = NodeRef::new();
    let found = Memo::new(move |_| {
        let text = if is_typed.get() { text.get() } else { String::new() };
        products.with(|products| suggestions(products, &text))
    });
    let is_shown = Memo::new(move |_| is_open.get() && !found.with(Vec::is_empty));
    let close = move || {
        set_open.set(false);
        set_active.set(None);
        set_typed.set(false);
    };
    let choose = move |at: usize| {
        if let Some(product) = found.with_untracked(|found| found.get(at).cloned()) {
            text.set(product.sku.to_string());
        }
        close();
    };
    let step = move |by: isize| {
        let count = found.with_untracked(Vec::len);
        if count == 0 {
            return;
        }
        set_open.set(true);
        let from = active.get_untracked().map_or(if by > 0 { count - 1 } else { 0 }, |at| at);
        set_active.set(Some((from + count).saturating_add_signed(by) % count));
    };
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            step(1);
        }
        "ArrowUp" => {
            event.prevent_default();
            step(-1);
        }
        "Enter" if is_shown.get_untracked() => {
            if let Some(at) = active.get_untracked() {
                // Choosing is not sending.
                event.prevent_default();
                choose(at);
            } else {
                close();
            }
        }
        "Escape" if is_shown.get_untracked() => {
            event.prevent_default();
            close();
        }
        _ => {}
    };
    let hint = move || {
        let typed = text.get();
        let known = products.with(|products| {
            products.iter().find(|product| product.sku.as_str() == typed.to_uppercase()).map(described)
        });
        known.unwrap_or_else(|| "A new one is welcome, too.".to_owned())
    };
    view! {
        <div class="field picker">
            <label for="sku">"SKU"</label>
            <input
                id="sku"
                class="input"
                node_ref=input
                type="text"
                role="combobox"
                autocomplete="off"
                autocapitalize="characters"
                spellcheck="false"
                aria-autocomplete="list"
                aria-expanded=move || is_shown.get().to_string()
                aria-controls="sku-list"
                aria-activedescendant=move || active.get().filter(|_| is_shown.get()).map(|at| format!("sku-{at}"))
                aria-invalid=move || error.with(Option::is_some).to_string()
                aria-describedby="sku-hint"
                disabled=disabled
                prop:value=move || text.get()
                value=text.get_untracked()
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    set_typed.set(true);
                    set_open.set(true);
                    set_active.set(None);
                }
                on:focus=move |_| {
                    if let Some(input) = input.get_untracked() {
                        input.select();
                    }
                }
                on:click=move |_| set_open.set(true)
                on:blur=move |_| close()
                on:keydown=on_key
            />
            <ul id="sku-list" class="picker-list" role="listbox" aria-label="Products" class:is-open=is_shown>
                {move || {
                    let found = if is_shown.get() { found.get() } else { Vec::new() };
                    found
                        .into_iter()
                        .enumerate()
                        .map(|(at, product)| {
                            view! {
                                <li
                                    id=format!("sku-{at}")
                                    role="option"
                                    class="picker-option"
                                    aria-selected=move || (active.get() == Some(at)).to_string()
                                    // The field keeps the focus; a click would take it away first.
                                    on:mousedown=move |event| event.prevent_default()
                                    on:click=move |_| choose(at)
                                >
                                    <span class="picker-sku">{product.sku.to_string()}</span>
                                    <span class="soft">{described(&product)}</span>
                                </li>
                            }
                        })
                        .collect::<Vec<_>>()
                }}
            </ul>
            <p id="sku-hint" class=move || if error.with(Option::is_some) { "field-error" } else { "hint" }>
                {move || error.get().unwrap_or_else(hint)}
            </p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Sku;

    fn product(sku: &str, name: &str, quantity: u32) -> Product {
        Product {
            sku: Sku::parse(sku).unwrap(),
            name: name.to_owned(),
            available: quantity > 0,
            quantity,
            version: 1,
            updated_at: String::new(),
        }
    }

    #[test]
    fn every_word_must_be_found_in_the_sku_or_the_name() {
        let products = [
            product("TEA-MUG", "Tea set", 0),
            product("MUG-RED", "Red mug", 3),
            product("MUG-BLUE", "Blue mug", 0),
        ];
        let skus = |text| -> Vec<_> {
            suggestions(&products, text).iter().map(|found| found.sku.to_string()).collect()
        };
        assert_eq!(skus("mug"), ["MUG-RED", "MUG-BLUE", "TEA-MUG"]);
        assert_eq!(skus("red mug"), ["MUG-RED"]);
        assert_eq!(skus(""), ["TEA-MUG", "MUG-RED", "MUG-BLUE"]);
        assert_eq!(skus("cup"), Vec::<String>::new());
        assert_eq!(described(&products[0]), "Tea set, sold out");
    }
}
