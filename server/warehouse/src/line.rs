//! One line of what a caller sends: what moves, and in which systems.

use encodings::proto::Arrival;
use flow::{Dispatch, Quantity, Sku, Style, System, Transport};
use http_edge::problem::Problem;
use inventory::intake::Movement;
use serde::{Deserialize, Serialize};

/// See the module; as the caller wrote it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) sku: String,
    quantity: i64,
    style: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transport: Option<String>,
    #[serde(default)]
    dispatch: Option<String>,
}

impl From<Arrival> for Line {
    fn from(arrival: Arrival) -> Self {
        let Arrival { sku, quantity, style, transport, dispatch } = arrival;
        Self { sku, quantity, style, transport, dispatch }
    }
}

impl Line {
    /// Where it names no transport, it means the one that the address names.
    ///
    /// # Errors
    /// When the two are not the same (400).
    pub(super) fn addressed_to(&mut self, named: Option<Transport>) -> Result<(), Problem> {
        let Some(transport) = named else { return Ok(()) };
        match &self.transport {
            Some(own) if own != transport.as_str() => Err(Problem::malformed(format!(
                "transport: it is {own:?}, and the address says ?transport={transport}; leave one of them out"
            ))),
            Some(_) => Ok(()),
            None => {
                // What goes without saying is not said, so that a request that is repeated is the same.
                self.transport = (!transport.is_default()).then(|| transport.as_str().to_owned());
                Ok(())
            }
        }
    }
}

/// What the lines mean, or what is wrong with the first that makes no sense.
pub(super) fn movements(lines: &[Line]) -> Result<Vec<Movement>, Problem> {
    let mut movements = Vec::with_capacity(lines.len() * 2);
    for (n, line) in lines.iter().enumerate() {
        let wrong = |field: &str, error: &dyn std::error::Error| {
            let place = if lines.len() > 1 { format!("[{n}].") } else { String::new() };
            Problem::invalid(format!("{place}{field}: {error}"))
        };
        let sku = Sku::parse(&line.sku).map_err(|error| wrong("sku", &error))?;
        let quantity = Quantity::parse(line.quantity).map_err(|error| wrong("quantity", &error))?;
        let dispatch = match &line.dispatch {
            Some(word) => {
                word.parse().map_err(|error: flow::style::UnknownDispatch| wrong("dispatch", &error))?
            }
            None => Dispatch::default(),
        };
        let transport = match &line.transport {
            Some(word) => {
                word.parse().map_err(|error: flow::system::UnknownTransport| wrong("transport", &error))?
            }
            None => Transport::default(),
        };
        let styles = match line.style.as_str() {
            "both" => Style::ALL.to_vec(),
            word => vec![word.parse().map_err(|_| wrong("style", &UnknownChoice(word.to_owned())))?],
        };
        let systems = styles.into_iter().map(|style| System { style, transport });
        movements.extend(systems.map(|system| Movement { sku, quantity, system, dispatch }));
    }
    Ok(movements)
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a style: use choreography, orchestration or both")]
struct UnknownChoice(String);
