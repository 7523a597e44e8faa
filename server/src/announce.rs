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
    let known = known(&services, style).await?;
    let mut skus: Vec<(Sku, u64)> = match &wanted.sku {
        Some(sku) => {
            let sku = Sku::parse(sku).map_err(|error| Problem::invalid(format!("sku: {error}")))?;
            let beyond = known.iter().find(|known| known.sku == sku).map_or(0, |known| known.beyond);
            vec![(sku, beyond)]
        }
        None => known.iter().filter(|known| known.differs).map(|known| (known.sku, known.beyond)).collect(),
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

/// What the other services know of a SKU, beside what inventory has recorded.
struct Known {
    sku: Sku,
    /// Whether somebody knows something else. Those on whose way a message still is are among them: to be told twice does
    /// no harm.
    differs: bool,
    /// A version that somebody knows by other numbers, at or beyond inventory's: only a newer one is taken in there. 0 without.
    beyond: u64,
}

async fn known(services: &Services, style: Style) -> Result<Vec<Known>, StoreError> {
    let shown = services.catalog.products(style, Search::default(), u32::MAX).await?;
    let shown: HashMap<Sku, (u64, u32)> =
        shown.into_iter().map(|product| (product.sku, (product.version, product.quantity))).collect();
    let waited_for: HashMap<Sku, u64> = services.wishlist.versions(style).await?.into_iter().collect();
    let stock = services.inventory.rows(style).await?;
    let known = stock.into_iter().map(|(sku, row)| {
        let version = row.version;
        let (marked, quantity) = shown.get(&sku).copied().unwrap_or_default();
        let versions = [Some(&row.calculated_version), Some(&marked), waited_for.get(&sku)];
        let is_forged = marked > version || (marked == version && quantity != row.for_sale());
        let ahead = waited_for.get(&sku).copied().filter(|known| *known > version).unwrap_or_default();
        let beyond = if is_forged { marked.max(ahead) } else { ahead };
        let differs =
            beyond > 0 || versions.into_iter().any(|known| known.is_none_or(|known| *known < version));
        Known { sku, differs, beyond }
    });
    Ok(known.collect())
}
