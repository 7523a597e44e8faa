//! Healing a lost message: inventory announces again what somebody does not know.

use crate::styles::Services;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use catalog::search::Search;
use flow::{
    Sku, Style,
    api::{AnnounceWanted, AnnouncedAgain},
};
use http_edge::{
    extract::{By, InStyle, JsonBody},
    problem::Problem,
};
use std::collections::HashMap;
use store::StoreError;

/// How many SKUs are announced with one call.
const ANNOUNCED_MAX: usize = 1_000;

/// The routes.
pub fn routes(services: Services) -> Router {
    Router::new().route("/api/{style}/inventory/announce", post(announce)).with_state(services)
}

async fn announce(
    State(services): State<Services>,
    InStyle(style): InStyle,
    By(by): By,
    JsonBody(wanted): JsonBody<AnnounceWanted>,
) -> Result<(StatusCode, Json<AnnouncedAgain>), Problem> {
    let mut skus = match &wanted.sku {
        Some(sku) => vec![Sku::parse(sku).map_err(|error| Problem::invalid(format!("sku: {error}")))?],
        None => behind(&services, style).await?,
    };
    let left = skus.len().saturating_sub(ANNOUNCED_MAX);
    skus.truncate(ANNOUNCED_MAX);
    let announced = services.inventory.announce_again(style, skus, Some(&by)).await?;
    if let Some(sku) = wanted.sku.filter(|_| announced.is_empty()) {
        let detail = format!("inventory does not know {sku}; send an arrival of it first");
        return Err(Problem::not_found(detail));
    }
    Ok((StatusCode::ACCEPTED, Json(AnnouncedAgain { announced, left })))
}

/// The SKUs of which some service does not know the last version. Those on whose way a message still is are among them:
/// to be told twice does no harm.
async fn behind(services: &Services, style: Style) -> Result<Vec<Sku>, StoreError> {
    let shown = services.catalog.products(style, Search::default(), u32::MAX).await?;
    let shown: HashMap<Sku, u64> = shown.into_iter().map(|product| (product.sku, product.version)).collect();
    let known: HashMap<Sku, u64> = services.wishlist.versions(style).await?.into_iter().collect();
    let is_behind = |versions: &HashMap<Sku, u64>, sku: Sku, recorded: u64| {
        versions.get(&sku).is_none_or(|version| *version < recorded)
    };
    let stock = services.inventory.versions(style).await?;
    let behind = stock.into_iter().filter(|&(sku, [recorded, calculated])| {
        calculated < recorded || is_behind(&shown, sku, recorded) || is_behind(&known, sku, recorded)
    });
    Ok(behind.map(|(sku, _)| sku).collect())
}
