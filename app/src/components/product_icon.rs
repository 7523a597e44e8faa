//! The drawings of the products, one symbol per SKU in `public/products.svg`.

use flow::Sku;
use leptos::prelude::*;

/// The SKUs that have a drawing, in alphabetical order.
const DRAWN: [&str; 24] = [
    "BAG-CANVAS",
    "BOOK-EVENTS",
    "BOOK-QUEUES",
    "CABLE-USB-C",
    "CANDLE-BEES",
    "CHAIR-OAK",
    "CLOCK-WALL",
    "KETTLE-STEEL",
    "KNIFE-CHEF",
    "LAMP-ARC",
    "LAMP-DESK",
    "MUG-BLUE",
    "MUG-ENAMEL",
    "MUG-RED",
    "NOTEBOOK-A5",
    "PAN-IRON",
    "PEN-FOUNTAIN",
    "PLANT-FERN",
    "SCARF-LINEN",
    "SOCKS-WOOL",
    "SPEAKER-MINI",
    "STOOL-PINE",
    "TEAPOT-CLAY",
    "UMBRELLA-GREEN",
];

/// The name of the symbol for a SKU; a plain box for one that nobody has drawn.
fn symbol(sku: &str) -> &str {
    if DRAWN.binary_search(&sku).is_ok() { sku } else { "BOX" }
}

/// A product's drawing. It says nothing that its name does not.
#[component]
pub fn ProductIcon(sku: Sku) -> impl IntoView {
    view! {
        <svg class="product-icon" viewBox="0 0 48 48" aria-hidden="true">
            <use href=format!("/products.svg#{}", symbol(sku.as_str()))></use>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_sku_has_its_drawing_and_every_drawing_is_listed() {
        let sprite = include_str!("../../../public/products.svg");
        let mut drawn: Vec<_> = sprite
            .split("<symbol id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .filter(|id| *id != "BOX")
            .collect();
        drawn.sort_unstable();
        assert_eq!(drawn, DRAWN);
    }

    #[test]
    fn what_nobody_has_drawn_is_a_box() {
        assert_eq!(symbol("MUG-RED"), "MUG-RED");
        assert_eq!(symbol("MUG-GREEN"), "BOX");
    }
}
