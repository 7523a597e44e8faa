//! Healing a lost message: inventory announces again what somebody does not know.

use crate::holdings::{self, Holding};
use crate::styles::Services;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use flow::{
    Sku,
    api::{AnnounceWanted, AnnouncedAgain},
};
use http_edge::{
    extract::{By, JsonBody, SystemPath},
    problem::Problem,
};

/// How many SKUs are announced with one call.
const ANNOUNCED_MAX: usize = 1_000;

pub fn routes(services: Services) -> Router {
    Router::new().route("/api/{style}/inventory/announce", post(announce)).with_state(services)
}

async fn announce(
    State(services): State<Services>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<AnnounceWanted>,
) -> Result<(StatusCode, Json<AnnouncedAgain>), Problem> {
    let known = holdings::read(&services, system).await?;
    let mut skus: Vec<(Sku, u64)> = match &wanted.sku {
        Some(sku) => {
            let sku = Sku::parse(sku).map_err(|error| Problem::invalid(format!("sku: {error}")))?;
            let beyond = known.iter().find(|known| known.sku == sku).map_or(0, Holding::beyond);
            vec![(sku, beyond)]
        }
        None => {
            known.iter().filter(|known| known.differs()).map(|known| (known.sku, known.beyond())).collect()
        }
    };
    let left = skus.len().saturating_sub(ANNOUNCED_MAX);
    skus.truncate(ANNOUNCED_MAX);
    let announced = services.inventory.announce_again(system, skus, Some(&by)).await?;
    if let Some(sku) = wanted.sku.filter(|_| announced.is_empty()) {
        let detail = format!("inventory does not know {sku}; send an arrival of it first");
        return Err(Problem::not_found(detail));
    }
    Ok((StatusCode::ACCEPTED, Json(AnnouncedAgain { announced, left })))
}
