//! What is to be sent through both styles, and what is to be broken in both before that.

use flow::fault::{Fault, FaultKind, Trigger};
use flow::{Quantity, Service, Sku};

/// How many arrivals a burst has.
pub const COUNT: std::ops::RangeInclusive<u32> = 5..=200;
/// What can be broken in both styles from here; the lab can break more.
pub const FAULTS: [FaultKind; 6] = [
    FaultKind::ConsumerStopped,
    FaultKind::HandlerError,
    FaultKind::HandlerDelay,
    FaultKind::CrashBeforeAck,
    FaultKind::HttpSlow,
    FaultKind::HttpError,
];

/// The form's fields, as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Whether many are sent at once, and not one.
    pub is_burst: bool,
    /// Of what one arrival is.
    pub sku: String,
    /// How much it brings.
    pub quantity: String,
    /// How many come in a burst.
    pub count: String,
    /// Where all chance starts from: the burst's, and the fault's.
    pub seed: String,
    /// What is broken in both.
    pub fault: Option<FaultKind>,
    /// Whose it is.
    pub service: Service,
    /// How often it strikes.
    pub probability: String,
    /// By how many milliseconds it delays.
    pub delay: String,
    /// What is wrong, and at which field.
    pub wrong: Option<(&'static str, String)>,
    /// Whether something is under way to the server.
    pub is_sending: bool,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The arrival, as the server takes it.
    One(String),
    /// So many arrivals of that seed.
    Burst(u32, u64),
}

impl Form {
    /// A form that is ready to send.
    pub fn new(sku: Option<&String>) -> Self {
        Self {
            is_burst: false,
            sku: sku.cloned().unwrap_or_default(),
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

    /// Takes what was typed or chosen; `false` when there is no such field.
    pub fn typed(&mut self, field: &str, value: String) -> bool {
        match field {
            "what" => self.is_burst = value == "burst",
            "sku" => self.sku = value,
            "quantity" => self.quantity = value,
            "count" => self.count = value,
            "seed" => self.seed = value,
            "fault" => self.fault = value.parse().ok(),
            "service" => self.service = value.parse().unwrap_or(self.service),
            "probability" => self.probability = value,
            "delay" => self.delay = value,
            _ => return false,
        }
        true
    }

    /// Takes what an address says of the fields.
    pub fn take(&mut self, query: impl Fn(&str) -> Option<String>) {
        for field in ["what", "sku", "quantity", "count", "seed", "fault", "service", "probability", "delay"]
        {
            query(field).into_iter().for_each(|value| {
                self.typed(field, value);
            });
        }
    }

    /// The fields that matter, for the address.
    pub fn query(&self) -> String {
        let mut query = if self.is_burst {
            format!("what=burst&count={}", self.count.trim())
        } else {
            format!("sku={}&quantity={}", self.sku, self.quantity.trim())
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
        (self.wrong, self.is_sending) = (Some(("", why.to_owned())), false);
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
                self.wrong = Some((field, words.to_owned()));
                None
            }
        }
    }

    fn order(&self) -> Result<Order, (&'static str, &'static str)> {
        if self.is_burst {
            let count = self.count.trim().parse().ok().filter(|count| COUNT.contains(count));
            let count = count.ok_or(("count", "A burst has 5 to 200 arrivals."))?;
            return Ok(Order::Burst(count, self.seed()?));
        }
        let quantity = self.quantity.trim().parse().ok().and_then(|quantity| Quantity::parse(quantity).ok());
        let quantity = quantity.ok_or(("quantity", "A quantity is a whole number from 1 to 1,000,000."))?;
        let sku = Sku::parse(self.sku.trim())
            .map_err(|_| ("sku", "A SKU is 1 to 32 letters, digits, hyphens, underscores or dots."))?;
        Ok(Order::One(format!("{{\"sku\":\"{sku}\",\"quantity\":{},\"style\":\"both\"}}", quantity.get())))
    }

    fn seed(&self) -> Result<u64, (&'static str, &'static str)> {
        self.seed.trim().parse().map_err(|_| ("seed", "A seed is a whole number, 0 or more."))
    }

    fn fault(&self) -> Result<Option<Fault>, (&'static str, &'static str)> {
        let Some(kind) = self.fault else { return Ok(None) };
        let (mut trigger, mut seed, mut delay_ms) = (Trigger::Next, 0, None);
        if self.wants_probability() {
            let share = self.probability.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
            trigger =
                Trigger::Probability(share.ok_or(("probability", "A probability lies between 0 and 1."))?);
            seed = self.seed()?;
        } else if self.wants_delay() {
            let delay = self.delay.trim().parse().ok().filter(|delay| (1..=60_000).contains(delay));
            delay_ms = Some(delay.ok_or(("delay", "A delay is 1 to 60,000 ms."))?);
            if self.is_burst {
                trigger = Trigger::EveryNth(1);
            }
        }
        Ok(Some(Fault { kind, service: self.service, trigger, seed, delay_ms, struck: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::new(Some(&"MUG-RED".to_owned()))
    }

    #[test]
    fn one_arrival_or_a_burst_is_sent_to_both() {
        let mut form = form();
        let one = r#"{"sku":"MUG-RED","quantity":12,"style":"both"}"#;
        assert_eq!(form.check(), Some((Order::One(one.to_owned()), None)));
        form.typed("what", "burst".to_owned());
        form.typed("count", "50".to_owned());
        assert_eq!(form.check(), Some((Order::Burst(50, 1), None)));
    }

    #[test]
    fn what_makes_no_sense_is_told_at_its_field_and_nothing_is_sent() {
        for (what, field, value) in [
            ("one", "quantity", "many"),
            ("one", "quantity", "0"),
            ("burst", "count", "4"),
            ("burst", "count", "201"),
            ("burst", "seed", "-1"),
        ] {
            let mut form = form();
            form.typed("what", what.to_owned());
            form.typed(field, value.to_owned());
            assert_eq!(form.check(), None, "{field} {value}");
            assert_eq!(form.wrong.unwrap().0, field);
        }
        for (kind, field, value) in [("handler_error", "probability", "1.1"), ("http_slow", "delay", "0")] {
            let mut form = form();
            form.typed("what", "burst".to_owned());
            form.typed("fault", kind.to_owned());
            form.typed(field, value.to_owned());
            assert_eq!(form.check(), None, "{field} {value}");
            assert_eq!(form.wrong.unwrap().0, field);
        }
    }

    #[test]
    fn every_fault_strikes_as_its_kind_needs_it() {
        let fault = |kind: &str| {
            let mut form = form();
            form.typed("what", "burst".to_owned());
            form.typed("fault", kind.to_owned());
            form.typed("seed", "7".to_owned());
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
            form.typed("fault", kind.to_string());
            assert!(!form.wants_probability() && !form.wants_seed(), "{kind}: nothing is left to chance");
            let fault = form.check().unwrap().1.unwrap();
            assert_eq!((fault.kind, fault.trigger), (kind, Trigger::Next));
            assert_eq!(fault.delay_ms, form.wants_delay().then_some(500));
        }
    }

    #[test]
    fn an_address_brings_the_fields_back() {
        let mut before = form();
        let fields = [("what", "burst"), ("count", "40"), ("seed", "9"), ("fault", "handler_error")];
        for (field, value) in [&fields[..], &[("service", "wishlist"), ("probability", "0.5")]].concat() {
            assert!(before.typed(field, value.to_owned()));
        }
        let query = before.query();
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let mut after = form();
        after.take(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()));
        assert_eq!(before, after);
    }
}
