//! HTTP: the services' APIs, the journal, health, the page and its files, behind one set of guards.

mod coded;
pub mod compress;
pub mod health;
pub mod journal;
pub mod listen;
mod others;
pub mod page;
mod patience;
pub mod public_url;
pub mod queues;
pub mod refusal;
pub mod security;
pub mod source;
mod take_home;
pub mod transport;

use crate::{
    announce,
    data::{self, Reset},
    lessons::{self, Leases, Settable},
    measure::{self, Measure},
    members::{self, Members},
    styles::Services,
};
use ::journal::Journal;
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use bridge::management::Visibility;
use control::{Control, Desk};
use http_edge::{BODY_MAX_BYTES, problem::Problem};
use messaging::{Depths, EmbeddedBroker, Links};
use security::Guard;
use std::{path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;
use transport::Carriage;
use warehouse::{Backpressure, ftp::DropBox, ndjson::Recorder, simulator::Simulation};

/// What the routes need.
#[derive(Clone)]
pub struct Parts {
    pub services: Services,
    pub journal: Journal,
    /// What is held and broken on purpose.
    pub control: Control,
    /// What is done about parked messages.
    pub desk: Desk,
    /// How full the queues are.
    pub depths: Depths,
    /// Which connections are up.
    pub links: Links,
    /// The embedded broker, unless another one is named.
    pub embedded: Option<EmbeddedBroker>,
    pub drop_box: DropBox,
    /// Who lets loyalty join and leave.
    pub members: Members,
    /// Who measures what each system takes and loses.
    pub measure: Measure,
    /// What carries each system's messages.
    pub carriage: Carriage,
    /// The way back to the seed.
    pub reset: Reset,
    pub simulation: Simulation,
    /// Who shows what to whom.
    pub classes: classes::http::Classes,
    /// Which broker it is, in words.
    pub broker_label: String,
    /// Whether what strangers do on the broker is seen.
    pub visibility: Visibility,
    /// The folder for what waits to be read.
    pub spool: PathBuf,
    /// Ends the streams, so that a stop need not wait for browsers.
    pub stop: CancellationToken,
}

/// Every route, behind its guard.
pub fn routes(parts: &Parts, guard: Guard) -> Router {
    let Services { inventory, catalog, wishlist, loyalty, availability } = parts.services.clone();
    let control = parts.control.clone();
    let backpressure = Backpressure::new(inventory.clone(), parts.depths.clone());
    let (spool, stop) = (parts.spool.clone(), parts.stop.clone());
    let settable = Settable {
        control: control.clone(),
        availability: availability.clone(),
        members: parts.members.clone(),
    };
    let pages = page::routes(parts, guard.access.clone());
    let recorder = Recorder { inventory: inventory.clone(), backpressure, spool, stop };
    // Each module names its calls in full: nested routers would take every address apart once a level.
    Router::new()
        .merge(inventory::http::routes(inventory, control.scopes()))
        .merge(announce::routes(parts.services.clone()))
        .merge(catalog::http::routes(catalog))
        .merge(wishlist::http::routes(wishlist))
        .merge(loyalty::http::routes(loyalty))
        .merge(members::routes(parts.members.clone()))
        .merge(lessons::http::routes(Leases::new(settable), parts.carriage.carriers.clone()))
        .merge(warehouse::request::routes(recorder))
        .merge(warehouse::ftp::http::routes(parts.drop_box.clone()))
        .merge(warehouse::simulator::http::routes(parts.simulation.clone()))
        .merge(data::http::routes(parts.reset.clone()))
        .merge(journal::routes(parts.journal.clone(), parts.stop.clone()))
        .merge(queues::routes(parts.depths.clone()))
        .merge(source::routes())
        .merge(others::routes(parts.visibility.clone()))
        .merge(availability::http::routes(availability.clone()))
        .merge(control::http::routes(control, availability, parts.desk.clone()))
        .nest("/api", Router::new().fallback(no_such_call))
        .route("/healthz", get(async || "alive\n"))
        .merge(encodings::proto::routes())
        .merge(transport::routes(parts.carriage.clone()))
        .merge(measure::http::routes(parts.measure.clone()))
        .merge(health::routes(parts))
        .merge(classes::http::routes(parts.classes.clone()))
        .merge(take_home::routes(parts.journal.clone(), pages.clone()))
        .merge(pages)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::from_fn(coded::refuse))
        .layer(compress::layer())
        .layer(middleware::from_fn_with_state(parts.carriage.carriers.clone(), transport::wake))
        .layer(middleware::from_fn_with_state(Arc::new(guard), security::guard))
}

async fn no_such_call() -> Problem {
    Problem::not_found("this API has no such call; the README lists them all".into())
}
