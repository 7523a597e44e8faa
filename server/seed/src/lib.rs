//! What a new system starts with: products, some of them sold out, and people who wait for them.
//!
//! Every address is under example.com, which is reserved and receives no mail (RFC 2606, section 3).

use flow::Sku;

/// A product of the seed.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    sku: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Pieces in the warehouse.
    pub on_hand: u32,
    /// Pieces promised to somebody.
    pub reserved: u32,
    /// Pieces never to be sold.
    pub safety_stock: u32,
}

impl Product {
    const fn new(sku: &'static str, name: &'static str, on_hand: u32) -> Self {
        Self { sku, name, on_hand, reserved: 0, safety_stock: 0 }
    }

    const fn keeping(self, reserved: u32, safety_stock: u32) -> Self {
        Self { reserved, safety_stock, ..self }
    }

    /// The product's SKU.
    ///
    /// # Panics
    /// Never: a test reads them all.
    #[must_use]
    pub fn sku(&self) -> Sku {
        Sku::parse(self.sku).expect("the seed's SKUs are well formed")
    }

    #[must_use]
    pub const fn for_sale(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved + self.safety_stock)
    }
}

/// The products. A third is sold out, so that the first click already shows something.
pub const PRODUCTS: [Product; 24] = [
    Product::new("MUG-RED", "Red mug", 0),
    Product::new("MUG-BLUE", "Blue mug", 18),
    Product::new("MUG-ENAMEL", "Enamel camping mug", 0),
    Product::new("TEAPOT-CLAY", "Clay teapot", 7),
    Product::new("LAMP-ARC", "Arc lamp", 0),
    Product::new("LAMP-DESK", "Desk lamp", 12),
    Product::new("CHAIR-OAK", "Oak chair", 14).keeping(2, 2),
    Product::new("STOOL-PINE", "Pine stool", 9),
    Product::new("BOOK-QUEUES", "Book: Queues at work", 0),
    Product::new("BOOK-EVENTS", "Book: Thinking in events", 31),
    Product::new("NOTEBOOK-A5", "Notebook A5", 120).keeping(0, 20),
    Product::new("PEN-FOUNTAIN", "Fountain pen", 16),
    Product::new("SOCKS-WOOL", "Wool socks", 0),
    Product::new("SCARF-LINEN", "Linen scarf", 11),
    Product::new("BAG-CANVAS", "Canvas bag", 25).keeping(3, 2),
    Product::new("UMBRELLA-GREEN", "Green umbrella", 0),
    Product::new("CLOCK-WALL", "Wall clock", 5),
    Product::new("KETTLE-STEEL", "Steel kettle", 8),
    Product::new("PAN-IRON", "Cast-iron pan", 6),
    Product::new("KNIFE-CHEF", "Chef's knife", 10),
    Product::new("PLANT-FERN", "Potted fern", 0),
    Product::new("CANDLE-BEES", "Beeswax candle", 64),
    Product::new("SPEAKER-MINI", "Mini speaker", 0),
    Product::new("CABLE-USB-C", "USB-C cable", 200).keeping(5, 15),
];

const PEOPLE: [&str; 20] = [
    "ada", "amir", "bea", "chidi", "dana", "emil", "fatima", "goran", "hana", "ines", "jonas", "keiko",
    "lars", "mina", "nuri", "olga", "pablo", "quynh", "rosa", "sven",
];

/// The first name of one of the people.
#[must_use]
pub const fn person(n: usize) -> &'static str {
    PEOPLE[n % PEOPLE.len()]
}

/// Who wishes for what: address and SKU, about sixty of them, most for what is sold out.
pub fn wishes() -> impl Iterator<Item = (String, Sku)> {
    PRODUCTS.iter().enumerate().flat_map(|(n, product)| {
        let waiting = if product.for_sale() == 0 { 4 + n % 5 } else { usize::from(n % 3 == 0) * 3 };
        // Seven and twenty have no common divisor, so nobody wishes for the same thing twice.
        (0..waiting)
            .map(move |k| (format!("{}@example.com", PEOPLE[(n + 7 * k) % PEOPLE.len()]), product.sku()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_seed_has_two_dozen_products_some_sold_out_and_about_sixty_wishes() {
        let skus: HashSet<_> = PRODUCTS.iter().map(Product::sku).collect();
        assert_eq!(skus.len(), 24);
        assert_eq!(PRODUCTS.iter().filter(|product| product.for_sale() == 0).count(), 8);
        let wishes: HashSet<_> = wishes().collect();
        assert!((55..=65).contains(&wishes.len()), "{}", wishes.len());
    }
}
