//! What is to be sent through both sides, and what is to be broken on both before that.

use super::pair::Pair;
use crate::lab::broken;
use crate::lab::picker::Picker;
use flow::api::Product;
use flow::fault::{Fault, FaultKind, Trigger};
use flow::{Quantity, Service, Sku, Style};

/// How many arrivals a burst has.
pub const COUNT: std::ops::RangeInclusive<u32> = 5..=200;
/// What can be broken on both sides from here; the lab can break more.
pub const FAULTS: [FaultKind; 8] = [
    FaultKind::ConsumerStopped,
    FaultKind::HandlerError,
    FaultKind::HandlerDelay,
    FaultKind::CrashBeforeAck,
    FaultKind::HttpSlow,
    FaultKind::HttpError,
    FaultKind::HttpRefused,
    FaultKind::RelayCrash,
];

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// One arrival or a burst.
    What,
    Sku,
    Quantity,
    Count,
    Seed,
    Fault,
    Service,
    Probability,
    Delay,
}

impl Field {
    const ALL: [Self; 9] = [
        Self::What,
        Self::Sku,
        Self::Quantity,
        Self::Count,
        Self::Seed,
        Self::Fault,
        Self::Service,
        Self::Probability,
        Self::Delay,
    ];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Sku => "sku",
            Self::Quantity => "quantity",
            Self::Count => "count",
            Self::Seed => "seed",
            Self::Fault => "fault",
            Self::Service => "service",
            Self::Probability => "probability",
            Self::Delay => "delay",
        }
    }
}

/// What is wrong, and with which field, if it is a field.
type Wrong = (Option<Field>, String);

/// The form's fields, as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Whether many are sent at once, and not one.
    pub is_burst: bool,
    /// What one arrival brings.
    pub sku: Picker,
    /// How much it brings.
    pub quantity: String,
    /// How many come in a burst.
    pub count: String,
    /// Where all chance starts from: the burst's, and the fault's.
    pub seed: String,
    /// What is broken in both.
    pub fault: Option<FaultKind>,
    /// The service that it strikes.
    pub service: Service,
    /// How often it strikes.
    pub probability: String,
    /// By how many milliseconds it delays.
    pub delay: String,
    /// Why it was not sent.
    pub wrong: Option<Wrong>,
    /// Whether something is under way to the server.
    pub is_sending: bool,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// So much of that product.
    One(Sku, Quantity),
    /// So many arrivals of that seed.
    Burst(u32, u64),
}

impl Form {
    /// A form that is ready to send.
    pub fn new(products: Vec<Product>) -> Self {
        let sku = products.first().map(|first| first.sku.to_string()).unwrap_or_default();
        Self {
            is_burst: false,
            sku: Picker::new(sku, products),
            quantity: "12".to_owned(),
            count: "20".to_owned(),
            seed: "1".to_owned(),
            fault: None,
            service: Service::Catalog,
            probability: "0.3".to_owned(),
            delay: "500".to_owned(),
            wrong: None,
            is_sending: false,
        }
    }

    /// Takes what was typed or chosen.
    pub fn typed(&mut self, field: Field, value: String) {
        match field {
            Field::What => self.is_burst = value == "burst",
            Field::Sku => self.sku.text = value,
            Field::Quantity => self.quantity = value,
            Field::Count => self.count = value,
            Field::Seed => self.seed = value,
            Field::Fault => self.fault = value.parse().ok(),
            Field::Service => self.service = value.parse().unwrap_or(self.service),
            Field::Probability => self.probability = value,
            Field::Delay => self.delay = value,
        }
    }

    /// What stands in a field, as an address has it.
    pub fn value(&self, field: Field) -> &str {
        match field {
            Field::What => {
                if self.is_burst {
                    "burst"
                } else {
                    "one"
                }
            }
            Field::Sku => &self.sku.text,
            Field::Quantity => &self.quantity,
            Field::Count => &self.count,
            Field::Seed => &self.seed,
            Field::Fault => self.fault.map_or("", FaultKind::as_str),
            Field::Service => self.service.as_str(),
            Field::Probability => &self.probability,
            Field::Delay => &self.delay,
        }
    }

    /// Whether the form was not sent because of this field.
    pub fn is_wrong(&self, field: Field) -> bool {
        self.wrong.as_ref().is_some_and(|wrong| wrong.0 == Some(field))
    }

    /// Takes what an address says of the fields.
    pub fn take(&mut self, query: impl Fn(&str) -> Option<String>) {
        for field in Field::ALL {
            if let Some(value) = query(field.as_str()) {
                self.typed(field, value);
            }
        }
    }

    /// The fields that matter, for the address.
    pub fn query(&self) -> String {
        let mut query = if self.is_burst {
            format!("what=burst&count={}", self.count.trim())
        } else {
            format!("sku={}&quantity={}", self.sku.text, self.quantity.trim())
        };
        if self.wants_seed() {
            query += &format!("&seed={}", self.seed.trim());
        }
        if let Some(fault) = self.fault {
            query += &format!("&fault={fault}&service={}", self.service);
        }
        if self.wants_probability() {
            query += &format!("&probability={}", self.probability.trim());
        }
        if self.wants_delay() {
            query += &format!("&delay={}", self.delay.trim());
        }
        query
    }

    /// Whether anything is left to chance.
    pub const fn wants_seed(&self) -> bool {
        self.is_burst || self.wants_probability()
    }

    /// Whether the fault strikes now and then. It does so only among many: what one arrival is compared for must not miss
    /// it.
    pub const fn wants_probability(&self) -> bool {
        self.is_burst && matches!(self.fault, Some(FaultKind::HandlerError | FaultKind::HttpError))
    }

    /// Whether the fault delays.
    pub const fn wants_delay(&self) -> bool {
        matches!(self.fault, Some(FaultKind::HandlerDelay | FaultKind::HttpSlow))
    }

    /// Says that something else went wrong.
    pub fn refuse(&mut self, why: &str) {
        (self.wrong, self.is_sending) = (Some((None, why.to_owned())), false);
    }

    /// What is to be sent and broken, if all fields make sense; else it is said what is wrong.
    pub fn check(&mut self) -> Option<(Order, Option<Fault>)> {
        let read = self.order().and_then(|order| Ok((order, self.fault()?)));
        match read {
            Ok(read) => {
                self.wrong = None;
                Some(read)
            }
            Err((field, words)) => {
                self.wrong = Some((Some(field), words.to_owned()));
                None
            }
        }
    }

    fn order(&self) -> Result<Order, (Field, &'static str)> {
        if self.is_burst {
            let count = self.count.trim().parse().ok().filter(|count| COUNT.contains(count));
            let count = count.ok_or((Field::Count, "A burst has 5 to 200 arrivals."))?;
            return Ok(Order::Burst(count, self.seed()?));
        }
        let quantity = self.quantity.trim().parse().ok().and_then(|quantity| Quantity::parse(quantity).ok());
        let quantity =
            quantity.ok_or((Field::Quantity, "A quantity is a whole number from 1 to 1,000,000."))?;
        let sku = Sku::parse(self.sku.text.trim())
            .map_err(|_| (Field::Sku, "A SKU is 1 to 32 letters, digits, hyphens, underscores or dots."))?;
        Ok(Order::One(sku, quantity))
    }

    fn seed(&self) -> Result<u64, (Field, &'static str)> {
        self.seed.trim().parse().map_err(|_| (Field::Seed, "A seed is a whole number, 0 or more."))
    }

    fn fault(&self) -> Result<Option<Fault>, (Field, &'static str)> {
        let Some(kind) = self.fault else { return Ok(None) };
        let (mut trigger, mut seed, mut delay_ms) = (Trigger::Next, 0, None);
        if self.wants_probability() {
            let share = self.probability.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
            trigger = Trigger::Probability(
                share.ok_or((Field::Probability, "A probability lies between 0 and 1."))?,
            );
            seed = self.seed()?;
        } else if self.wants_delay() {
            let delay = self.delay.trim().parse().ok().filter(|delay| (1..=60_000).contains(delay));
            delay_ms = Some(delay.ok_or((Field::Delay, "A delay is 1 to 60,000 ms."))?);
            if self.is_burst {
                trigger = Trigger::EveryNth(1);
            }
        }
        let service = if broken::is_inventorys(kind) { Service::Inventory } else { self.service };
        Ok(Some(Fault { kind, service, trigger, seed, delay_ms, struck: 0 }))
    }
}

/// What there is to know before it is sent.
pub fn hint(form: &Form, pair: Pair) -> Option<String> {
    if pair.is_one_system() {
        let words = "One system can be compared with itself only in turn: the right side is sent once the left one is through. Nothing is broken meanwhile.";
        return Some(words.to_owned());
    }
    let Some(kind) = form.fault else {
        return form.is_burst.then(|| "The same seed brings the same arrivals.".to_owned());
    };
    let that_ask = pair.systems().iter().filter(|system| system.style == Style::Choreography).count();
    let only = match (kind.as_str().starts_with("http"), that_ask) {
        (true, 0) => " Only choreography makes HTTP calls, so it strikes nothing here.",
        (true, 1) => " Only choreography makes HTTP calls, so it can strike only there.",
        _ => "",
    };
    Some(format!("{}{only} It is set on both sides, and cleared when all is over.", broken::sentence(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form { sku: Picker::new("MUG-RED".to_owned(), Vec::new()), ..Form::new(Vec::new()) }
    }

    #[test]
    fn one_arrival_or_a_burst_is_sent_to_both() {
        let mut form = form();
        let one = Order::One(Sku::parse("MUG-RED").unwrap(), Quantity::parse(12).unwrap());
        assert_eq!(form.check(), Some((one, None)));
        form.typed(Field::What, "burst".to_owned());
        form.typed(Field::Count, "50".to_owned());
        assert_eq!(form.check(), Some((Order::Burst(50, 1), None)));
    }

    #[test]
    fn what_makes_no_sense_is_told_at_its_field_and_nothing_is_sent() {
        for (what, field, value) in [
            ("one", Field::Quantity, "many"),
            ("one", Field::Quantity, "0"),
            ("burst", Field::Count, "4"),
            ("burst", Field::Count, "201"),
            ("burst", Field::Seed, "-1"),
        ] {
            let mut form = form();
            form.typed(Field::What, what.to_owned());
            form.typed(field, value.to_owned());
            assert_eq!(form.check(), None, "{field:?} {value}");
            assert_eq!(form.wrong.unwrap().0, Some(field));
        }
        for (kind, field, value) in
            [("handler_error", Field::Probability, "1.1"), ("http_slow", Field::Delay, "0")]
        {
            let mut form = form();
            form.typed(Field::What, "burst".to_owned());
            form.typed(Field::Fault, kind.to_owned());
            form.typed(field, value.to_owned());
            assert_eq!(form.check(), None, "{field:?} {value}");
            assert_eq!(form.wrong.unwrap().0, Some(field));
        }
    }

    #[test]
    fn every_fault_strikes_as_its_kind_needs_it() {
        let fault = |kind: &str| {
            let mut form = form();
            form.typed(Field::What, "burst".to_owned());
            form.typed(Field::Fault, kind.to_owned());
            form.typed(Field::Seed, "7".to_owned());
            form.check().unwrap().1.unwrap()
        };
        assert_eq!(fault("consumer_stopped").trigger, Trigger::Next);
        // A service that dies at every message would be given up by its supervisor.
        assert_eq!(fault("crash_before_ack").trigger, Trigger::Next);
        let error = fault("handler_error");
        assert_eq!((error.trigger, error.seed), (Trigger::Probability(0.3), 7));
        let slow = fault("http_slow");
        assert_eq!((slow.trigger, slow.delay_ms), (Trigger::EveryNth(1), Some(500)));
    }

    #[test]
    fn the_fault_of_one_arrival_strikes_that_arrival() {
        for kind in FAULTS {
            let mut form = form();
            form.typed(Field::Fault, kind.to_string());
            assert!(!form.wants_probability() && !form.wants_seed(), "{kind}: nothing is left to chance");
            let fault = form.check().unwrap().1.unwrap();
            assert_eq!((fault.kind, fault.trigger), (kind, Trigger::Next));
            assert_eq!(fault.delay_ms, form.wants_delay().then_some(500));
        }
    }

    #[test]
    fn what_can_strike_in_one_style_alone_is_said_before_it_is_sent() {
        let (mut form, pair) = (form(), Pair::default());
        let hint = |form: &Form| hint(form, pair);
        assert_eq!(hint(&form), None);
        form.typed(Field::What, "burst".to_owned());
        assert_eq!(hint(&form).as_deref(), Some("The same seed brings the same arrivals."));
        let only = "Only choreography makes HTTP calls";
        form.typed(Field::Fault, "http_slow".to_owned());
        assert!(hint(&form).unwrap().contains(only));
        form.typed(Field::Fault, "handler_error".to_owned());
        assert!(!hint(&form).unwrap().contains(only));
    }

    #[test]
    fn an_address_brings_the_fields_back() {
        let mut before = form();
        let fields = [
            (Field::What, "burst"),
            (Field::Count, "40"),
            (Field::Seed, "9"),
            (Field::Fault, "handler_error"),
            (Field::Service, "wishlist"),
            (Field::Probability, "0.5"),
        ];
        for (field, value) in fields {
            before.typed(field, value.to_owned());
            assert_eq!(before.value(field), value);
        }
        let query = before.query();
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let mut after = form();
        after.take(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()));
        assert_eq!(before, after);
    }
}
