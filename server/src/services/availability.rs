//! Asking inventory over HTTP what is for sale: choreography's way of getting what the event does not carry.

use crate::{
    bridge::Reporter,
    clock,
    messaging::{Failure, envelope},
};
use flow::{Availability, Id, Kind, Service, Sku, Style, event::State};
use reqwest::{Client, StatusCode};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// A question that takes longer is given up; the message is then tried again.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A pooled HTTP client of inventory's availability endpoint.
#[derive(Debug, Clone)]
pub struct AvailabilityClient {
    http: Client,
    inventory: SocketAddr,
}

impl AvailabilityClient {
    /// A client of the inventory that listens at `inventory`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(inventory: SocketAddr) -> Result<Self, reqwest::Error> {
        // No proxy: this call stays on the machine, whatever the environment says.
        let http = Client::builder().no_proxy().timeout(TIMEOUT).tcp_nodelay(true).build()?;
        Ok(Self { http, inventory })
    }

    /// Asks for `sku`, on behalf of the arrival `correlation_id`, and reports question and answer.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when inventory does not know the SKU, [`Failure::Transient`] for everything else.
    pub async fn ask(
        &self,
        style: Style,
        sku: Sku,
        correlation_id: &str,
        reporter: &Reporter,
    ) -> Result<Availability, Failure> {
        let http_id = envelope::new_id();
        let path = format!("/api/{style}/inventory/skus/{sku}/availability");
        let target = Service::Inventory;
        let mut request = self.http.get(format!("http://{}{path}", self.inventory));
        if let Some(traceparent) = envelope::traceparent(correlation_id, &http_id) {
            request = request.header(envelope::HEADER_TRACEPARENT, &*traceparent);
        }
        let asked_us = reporter.tell(Kind::HttpRequest { http_id: Arc::clone(&http_id), target, path });
        let mut status = None;
        let answer = match request.send().await {
            Ok(response) => {
                status = Some(response.status());
                read(response, sku).await
            }
            Err(error) => {
                Err(Failure::Transient(format!("inventory did not answer: {}", root_cause(&error))))
            }
        };
        let duration_us = clock::now_us().saturating_sub(asked_us);
        let kind = Kind::HttpResponse {
            http_id: Id::clone(&http_id),
            target,
            status: status.map(|status| status.as_u16()),
            error: answer.as_ref().err().map(ToString::to_string),
            answer: answer.as_ref().ok().copied().map(State::from),
            duration_us,
        };
        reporter.tell_with(kind, |event| event.causation_id = Some(http_id));
        answer
    }
}

async fn read(response: reqwest::Response, sku: Sku) -> Result<Availability, Failure> {
    match response.status() {
        StatusCode::OK => response
            .json()
            .await
            .map_err(|error| Failure::Transient(format!("inventory's answer makes no sense: {error}"))),
        StatusCode::NOT_FOUND => Err(Failure::Permanent(format!("inventory does not know {sku}"))),
        status => Err(Failure::Transient(format!("inventory answered {status}"))),
    }
}

/// reqwest's own text repeats the address; what went wrong is at the end of the chain.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
