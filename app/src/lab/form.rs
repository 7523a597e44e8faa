//! The form that sends arrivals: what stands in it, what is wrong with it, and what it asks of the server.

use super::picker::Picker;
use flow::api::{Problem, Product, StockRequest};
use flow::{Dispatch, Quantity, Sku, System};

/// How many arrivals the second button sends.
pub const MANY: usize = 10;
/// What the first click brings in.
const FIRST_QUANTITY: &str = "12";

/// What is wrong, and at which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: Field,
    pub detail: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Sku,
    Quantity,
    Form,
}

/// What the form's buttons do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Send,
    /// Ten arrivals at once.
    SendMany,
    Sell,
}

#[derive(Debug, Clone)]
pub struct Form {
    /// The field for the SKU.
    pub sku: Picker,
    /// What stands in the field for the quantity.
    pub quantity: String,
    /// How choreography's event reaches the queues.
    pub dispatch: Dispatch,
    /// What is wrong, if anything.
    pub wrong: Option<Wrong>,
    /// Whether the server is still to answer.
    pub is_sending: bool,
}

impl Form {
    /// A form that is ready to send. The first click shall show something: something that is sold out, if
    /// anything is.
    #[must_use]
    pub fn new(products: Vec<Product>, dispatch: Dispatch) -> Self {
        let first = products.iter().find(|one| !one.available).or(products.first());
        let text = first.map(|first| first.sku.to_string()).unwrap_or_default();
        Self {
            sku: Picker::new(text, products),
            quantity: FIRST_QUANTITY.to_owned(),
            dispatch,
            wrong: None,
            is_sending: false,
        }
    }

    /// What is wrong at that field.
    #[must_use]
    pub fn wrong_at(&self, field: Field) -> Option<&str> {
        self.wrong.as_ref().filter(|wrong| wrong.field == field).map(|wrong| wrong.detail.as_str())
    }

    /// What to ask of the server; none, and the reason is shown, when something is wrong or it is busy.
    pub fn submit(&mut self, system: System) -> Option<StockRequest> {
        if self.is_sending {
            return None;
        }
        match check(&self.sku.text, &self.quantity) {
            Ok((sku, quantity)) => {
                (self.wrong, self.is_sending) = (None, true);
                Some(StockRequest {
                    sku: sku.to_string(),
                    quantity: i64::from(quantity.get()),
                    style: system.style.as_str().to_owned(),
                    transport: system.transport,
                    dispatch: self.dispatch,
                })
            }
            Err(wrong) => {
                self.wrong = Some(wrong);
                None
            }
        }
    }

    pub fn refused(&mut self, problem: Problem) {
        self.wrong = Some(at_field(problem));
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

/// The server's words, at the field they are about. A refusal (403) is about the page: the address that it names may well
/// contain the word of a field.
fn at_field(problem: Problem) -> Wrong {
    let about = problem.detail.to_ascii_lowercase();
    let field = if problem.status == 403 {
        Field::Form
    } else if problem.status == 409 || about.contains("quantity") {
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
        Some(first) if !text.starts_with("a SKU") => {
            std::iter::once(first.to_ascii_uppercase()).chain(characters).collect()
        }
        _ => text.replacen("a SKU", "A SKU", 1),
    }
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
        let refused = at_field(problem(403, "the page at https://skuflow.example is not known"));
        assert_eq!(
            refused,
            Wrong { field: Field::Form, detail: "The page at https://skuflow.example is not known".into() }
        );
    }
}
