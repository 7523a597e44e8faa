//! What a lesson asks of the running system: the calls that the lab's own controls make.

use flow::api::{EncodingChoice, LoyaltyWanted, WorkersWanted};
use flow::fault::{ClosedGate, Fault, FaultKind, Gates};
use flow::picture::{QueuePicture, SystemPicture};
use flow::{Dispatch, Encoding, Service};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One thing that is asked of the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Goods come in, so many times at once.
    Arrive {
        sku: String,
        quantity: u32,
        #[serde(default = "once")]
        times: usize,
    },
    Sell {
        sku: String,
        quantity: u32,
    },
    /// Closes exactly these gates; none opens all.
    Hold(Vec<ClosedGate>),
    /// Lets the oldest held step go on.
    Step,
    Break(Fault),
    Mend {
        kind: FaultKind,
        service: Service,
    },
    Workers {
        service: Service,
        workers: u16,
        prefetch: u16,
    },
    /// Whether the fourth service takes part.
    Join(bool),
    /// Whether inventory's own list of receivers names the fourth service.
    Apply(bool),
    Encode(Encoding),
    /// Puts what is parked back into its queues.
    Replay,
}

const fn once() -> usize {
    1
}

/// A call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    /// The body, as JSON; empty where there is none.
    pub body: String,
}

impl Deed {
    /// The call that asks for it, as things stand in that system.
    #[must_use]
    pub fn call(&self, picture: &SystemPicture) -> Call {
        let system = picture.system;
        let text = |value: serde_json::Value| value.to_string();
        // What is plain data is always written.
        fn json_of(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap_or_default()
        }
        let stock = |sku: &str, quantity: u32| json!({ "sku": sku, "quantity": quantity, "style": system.style, "transport": system.transport });
        let loyalty = |applied| LoyaltyWanted { joined: true, applied, dispatch: Dispatch::default() };
        let (method, path, body) = match self {
            Self::Arrive { sku, quantity, times } => {
                let all = vec![stock(sku, *quantity); *times];
                ("POST", "/api/arrivals".to_owned(), text(all.into()))
            }
            Self::Sell { sku, quantity } => ("POST", "/api/sales".to_owned(), text(stock(sku, *quantity))),
            Self::Hold(closed) => ("PUT", system.api("gates"), json_of(&Gates { closed: closed.clone() })),
            Self::Step => ("POST", system.api("gates/step"), String::new()),
            Self::Break(fault) => ("POST", system.api("faults"), json_of(fault)),
            Self::Mend { kind, service } => {
                ("DELETE", system.api(&format!("faults?kind={kind}&service={service}")), String::new())
            }
            Self::Workers { service, workers, prefetch } => (
                "POST",
                system.api(&format!("{service}/workers")),
                json_of(&WorkersWanted { workers: *workers, prefetch: *prefetch }),
            ),
            Self::Join(true) => ("PUT", system.api("loyalty"), json_of(&loyalty(None))),
            Self::Join(false) => {
                ("PUT", system.api("loyalty"), json_of(&LoyaltyWanted { joined: false, ..loyalty(None) }))
            }
            Self::Apply(applied) => ("PUT", system.api("loyalty"), json_of(&loyalty(Some(*applied)))),
            Self::Encode(encoding) => {
                ("PUT", system.api("encoding"), json_of(&EncodingChoice { encoding: *encoding }))
            }
            Self::Replay => {
                let ids: Vec<_> = picture.own_queues().iter().flat_map(QueuePicture::letters).collect();
                ("POST", system.api("dead-letters/replay"), text(json!({ "ids": ids })))
            }
        };
        Call { method, path, body }
    }

    /// Takes its place among what stands, or ends something of it; what is over at once changes nothing.
    pub(super) fn stand_in(&self, standing: &mut Vec<Self>) {
        match self {
            Self::Arrive { .. } | Self::Sell { .. } | Self::Step | Self::Replay => {}
            Self::Mend { kind, service } => standing.retain(
                |deed| !matches!(deed, Self::Break(fault) if (fault.kind, fault.service) == (*kind, *service)),
            ),
            Self::Hold(closed) => {
                standing.retain(|deed| !matches!(deed, Self::Hold(_)));
                if !closed.is_empty() {
                    standing.push(self.clone());
                }
            }
            Self::Join(false) => {
                standing.retain(|deed| !matches!(deed, Self::Join(_) | Self::Apply(_)));
            }
            // A fault for once has struck by then.
            Self::Break(fault) if fault.trigger == flow::fault::Trigger::Next && !fault.kind.lasts() => {}
            _ => {
                standing.retain(|deed| deed != self);
                standing.push(self.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Event, Kind, Picture, Provenance, Style, System, Transport};

    #[test]
    fn a_deed_is_the_call_that_the_labs_controls_make() {
        let system = System { style: Style::Choreography, transport: Transport::Zeromq };
        let picture = Picture::default();
        let of = |deed: Deed| {
            let Call { method, path, body } = deed.call(picture.system(system));
            format!("{method} {path} {body}")
        };
        assert_eq!(
            of(Deed::Arrive { sku: "MUG-RED".into(), quantity: 3, times: 1 }),
            r#"POST /api/arrivals [{"quantity":3,"sku":"MUG-RED","style":"choreography","transport":"zeromq"}]"#
        );
        assert_eq!(
            of(Deed::Mend { kind: FaultKind::Poison, service: Service::Catalog }),
            "DELETE /api/choreography/faults?kind=poison&service=catalog&transport=zeromq "
        );
        assert_eq!(of(Deed::Step), "POST /api/choreography/gates/step?transport=zeromq ");
        assert_eq!(
            of(Deed::Workers { service: Service::Catalog, workers: 2, prefetch: 5 }),
            r#"POST /api/choreography/catalog/workers?transport=zeromq {"workers":2,"prefetch":5}"#
        );
    }

    #[test]
    fn what_is_replayed_is_what_is_parked_then() {
        let system = System::of(Style::Orchestration);
        let mut picture = Picture::default();
        let kind = Kind::DeadLettered { reason: "poison".to_owned() };
        let mut parked = Event::new(1, Provenance::Service, kind);
        (parked.seq, parked.system, parked.message_id) = (1, Some(system), Some("m-1".into()));
        parked.queue = Some(system.queue_of(Service::Catalog).name.into());
        let replay = |picture: &Picture| Deed::Replay.call(picture.system(system)).body;
        assert_eq!(replay(&picture), r#"{"ids":[]}"#);
        picture.apply(&parked);
        assert_eq!(replay(&picture), r#"{"ids":["catalog.update_sku_availability.dead:m-1"]}"#);
    }
}
