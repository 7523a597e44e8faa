//! The SKU picker: a text field that suggests, after the ARIA pattern "editable combobox with list autocomplete".

use flow::api::Product;
use leptos::{ev, prelude::*};
use std::collections::BTreeSet;
use web_sys::HtmlInputElement;

/// How many suggestions are shown; whoever wants another types a letter more.
const SUGGESTED: usize = 8;
/// How many products are asked for at a time.
pub const ASKED: u32 = 50;
/// How many are remembered.
const KNOWN: usize = 500;

/// The products whose SKU or name contains every word of the text: first those that begin like it, then by name.
#[must_use]
pub fn suggestions(products: &[Product], text: &str) -> Vec<Product> {
    let text = text.trim().to_ascii_lowercase();
    let words: Vec<_> = text.split_whitespace().collect();
    let mut found: Vec<_> = products
        .iter()
        .filter(|product| {
            let (sku, name) = (product.sku.as_str().to_ascii_lowercase(), product.name.to_ascii_lowercase());
            words.iter().all(|word| sku.contains(word) || name.contains(word))
        })
        .collect();
    found.sort_by_cached_key(|product| {
        let begins = product.sku.as_str().to_ascii_lowercase().starts_with(&text);
        (!begins, product.name.as_str(), product.sku)
    });
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

/// What a reader does with the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Types; this is what stands there now.
    Type(String),
    Press(String),
    /// Wants to see the list.
    Open,
    Leave,
    /// Takes the suggestion at that place.
    Choose(usize),
}

/// The field with its list; any text may stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picker {
    /// What stands in the field.
    pub text: String,
    /// What is known of the catalog, which may have thousands more: what came last is in front.
    products: Vec<Product>,
    is_open: bool,
    /// The field first shows every product; typing narrows them down.
    is_typed: bool,
    active: Option<usize>,
}

impl Picker {
    #[must_use]
    pub fn new(text: String, products: Vec<Product>) -> Self {
        Self { text, products, ..Self::default() }
    }

    /// The catalog told of products. What it said of them before is out of date.
    pub fn learn(&mut self, told: Vec<Product>) {
        let mut products = told;
        let told: BTreeSet<_> = products.iter().map(|product| product.sku).collect();
        products.extend(self.products.drain(..).filter(|known| !told.contains(&known.sku)));
        products.truncate(KNOWN);
        self.products = products;
    }

    /// Forgets what the catalog said.
    pub fn forget(&mut self) {
        self.products.clear();
    }

    fn found(&self) -> Vec<Product> {
        suggestions(&self.products, if self.is_typed { &self.text } else { "" })
    }

    /// The reader has done that. Says whether the event has been used up.
    pub fn take(&mut self, act: Act) -> bool {
        match act {
            Act::Type(text) => self.typed(text),
            Act::Press(key) => return self.key(&key),
            Act::Open => self.is_open = true,
            Act::Leave => self.close(),
            Act::Choose(at) => self.choose(at),
        }
        false
    }

    fn typed(&mut self, text: String) {
        self.text = text;
        (self.is_typed, self.is_open, self.active) = (true, true, None);
    }

    const fn close(&mut self) {
        (self.is_open, self.is_typed, self.active) = (false, false, None);
    }

    fn choose(&mut self, at: usize) {
        if let Some(product) = self.found().get(at) {
            self.text = product.sku.to_string();
        }
        self.close();
    }

    fn key(&mut self, key: &str) -> bool {
        let count = self.found().len();
        let is_shown = self.is_open && count > 0;
        match (key, self.active) {
            ("ArrowDown" | "ArrowUp", _) if count == 0 => {}
            ("ArrowDown", at) => self.go(at.map_or(0, |at| (at + 1) % count)),
            ("ArrowUp", at) => self.go(at.unwrap_or(0).checked_sub(1).unwrap_or(count - 1)),
            // Choosing is not sending.
            ("Enter", Some(at)) if is_shown => self.choose(at),
            ("Enter", None) if is_shown => {
                self.close();
                return false;
            }
            ("Escape", _) if is_shown => self.close(),
            _ => return false,
        }
        true
    }

    const fn go(&mut self, to: usize) {
        (self.is_open, self.active) = (true, Some(to));
    }

    /// What there is to see of it, with what is wrong about its text, if anything.
    #[must_use]
    pub fn seen(&self, wrong: Option<&str>) -> Seen {
        let found = if self.is_open { self.found() } else { Vec::new() };
        let below = wrong.map(str::to_owned).unwrap_or_else(|| {
            let upper = self.text.to_ascii_uppercase();
            let known = self.products.iter().find(|product| product.sku.as_str() == upper).map(described);
            known.unwrap_or_else(|| "You can also enter a new SKU.".to_owned())
        });
        let option = |(at, product): (usize, &Product)| Suggestion {
            at,
            sku: product.sku.to_string(),
            words: described(product),
        };
        Seen {
            text: self.text.clone(),
            active: self.active.filter(|_| !found.is_empty()),
            options: found.iter().enumerate().map(option).collect(),
            is_wrong: wrong.is_some(),
            below,
        }
    }
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Suggestion {
    at: usize,
    sku: String,
    words: String,
}

/// What there is to see of the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    text: String,
    /// The line of the list that the arrow keys are at.
    active: Option<usize>,
    options: Vec<Suggestion>,
    is_wrong: bool,
    /// What is known of the text, or what is wrong with it.
    below: String,
}

/// The field with its list.
#[component]
pub fn SkuField(
    /// The id of its text field.
    id: &'static str,
    /// What there is to see of it.
    seen: Memo<Seen>,
    /// Whether what is known of its text is only read out.
    #[prop(optional)]
    is_brief: bool,
    /// Whether it does not work yet.
    is_off: Signal<bool>,
    /// Takes what the reader does. Says whether the event has been used up.
    on_act: Callback<Act, bool>,
) -> impl IntoView {
    let (list, hint) = (format!("{id}-list"), format!("{id}-hint"));
    let text = Memo::new(move |_| seen.with(|seen| seen.text.clone()));
    let options = Memo::new(move |_| seen.with(|seen| seen.options.clone()));
    let active = Memo::new(move |_| seen.with(|seen| seen.active));
    let is_wrong = Memo::new(move |_| seen.with(|seen| seen.is_wrong));
    let is_shown = Memo::new(move |_| options.with(|options| !options.is_empty()));
    let act = move |act| _ = on_act.run(act);
    let pressed = move |event: ev::KeyboardEvent| {
        if on_act.run(Act::Press(event.key())) {
            event.prevent_default();
        }
    };
    let hint_class = move || match (is_wrong.get(), is_brief) {
        (_, true) => "sr-only",
        (true, false) => "field-error",
        (false, false) => "hint",
    };
    // What is typed next takes the place of what stands there.
    let focused = |event: ev::FocusEvent| event_target::<HtmlInputElement>(&event).select();
    view! {
        <div class="field picker">
            <label for=id>"SKU"</label>
            <input
                id=id
                class="input"
                type="text"
                role="combobox"
                autocomplete="off"
                autocapitalize="characters"
                spellcheck="false"
                aria-autocomplete="list"
                aria-expanded=move || is_shown.get().to_string()
                aria-controls=list.clone()
                aria-activedescendant=move || active.get().map(|at| format!("{id}-{at}"))
                aria-invalid=move || is_wrong.get().to_string()
                aria-describedby=hint.clone()
                disabled=is_off
                value=text.get_untracked()
                prop:value=text
                on:input=move |event| act(Act::Type(event_target_value(&event)))
                on:keydown=pressed
                on:click=move |_| act(Act::Open)
                on:focus=focused
                on:blur=move |_| act(Act::Leave)
            />
            <ul
                id=list
                class="picker-list"
                class:is-open=is_shown
                role="listbox"
                aria-label="Products"
                // The field keeps the focus while something is taken from the list.
                on:mousedown=move |event| event.prevent_default()
            >
                <For each=move || options.get() key=Clone::clone let(one)>
                    <Line id active one on_act />
                </For>
            </ul>
            <p id=hint class=hint_class>
                {move || seen.with(|seen| seen.below.clone())}
            </p>
        </div>
    }
}

/// A line of the list; a click takes it.
#[component]
fn Line(
    id: &'static str,
    active: Memo<Option<usize>>,
    one: Suggestion,
    on_act: Callback<Act, bool>,
) -> impl IntoView {
    let Suggestion { at, sku, words } = one;
    view! {
        <li
            id=format!("{id}-{at}")
            class="picker-option"
            role="option"
            aria-selected=move || (active.get() == Some(at)).to_string()
            on:click=move |_| _ = on_act.run(Act::Choose(at))
        >
            <span class="picker-sku">{sku}</span>
            <span class="soft">{words}</span>
        </li>
    }
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
    fn the_arrow_keys_go_round_and_enter_takes_without_sending() {
        let products = vec![product("MUG-BLUE", "Blue mug", 0), product("MUG-RED", "Red mug", 3)];
        let mut picker = Picker::new("MUG-BLUE".to_owned(), products);
        assert!(!picker.key("Enter"), "a closed list leaves the key to the form");
        assert!(picker.key("ArrowUp"));
        assert_eq!(picker.active, Some(1));
        assert!(picker.key("ArrowDown"));
        assert!(picker.key("ArrowDown") && picker.key("Enter"));
        assert_eq!((picker.text.as_str(), picker.is_open), ("MUG-RED", false));
        picker.typed("blue".to_owned());
        assert_eq!(picker.found().len(), 1);
        assert!(picker.key("Escape") && !picker.key("Escape"));
    }

    #[test]
    fn what_the_catalog_tells_last_is_what_counts_and_no_more_than_so_much_is_remembered() {
        let many: Vec<_> = (0..KNOWN).map(|at| product(&format!("S-{at}"), "Thing", 1)).collect();
        let mut picker = Picker::new("S-7".to_owned(), many);
        picker.learn(vec![product("Z-1", "Zebra", 4), product("S-7", "Thing", 0)]);
        assert_eq!((picker.products.len(), picker.products[0].sku.as_str()), (KNOWN, "Z-1"));
        assert!(picker.seen(None).below.contains("Thing, sold out"));
        picker.typed(" zeb".to_owned());
        assert_eq!(picker.found().len(), 1);
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
        assert_eq!(skus("mug"), ["MUG-BLUE", "MUG-RED", "TEA-MUG"]);
        assert_eq!(skus("red mug"), ["MUG-RED"]);
        assert_eq!(skus(""), ["MUG-BLUE", "MUG-RED", "TEA-MUG"]);
        assert_eq!(skus("cup"), Vec::<String>::new());
        assert_eq!(described(&products[0]), "Tea set, sold out");
    }
}
