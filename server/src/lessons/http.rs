//! The lessons by HTTP, and the lease of whoever is in one.

use super::{LeaseError, Leases, find, list};
use crate::carriers::Carriers;
use ::lessons::{Brief, Lesson};
use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    routing::{get, put},
};
use flow::{Actor, Id};
use http_edge::{
    extract::{By, JsonBody},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub fn routes(leases: Leases, carriers: Carriers) -> Router {
    Router::new()
        .route("/api/lessons", get(async || Json::<Vec<Brief>>(list())))
        .route("/api/lessons/{lesson}", get(lesson))
        .route("/api/lessons/{lesson}/lease", put(take).delete(give_up))
        .with_state((leases, carriers))
}

/// How long a lease lasts that is not renewed, unless it says so itself. A page renews it every five seconds; a tab that
/// nobody looks at may be late.
const LASTS_DEFAULT_S: u64 = 20;
const LASTS_MAX_S: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaseWanted {
    /// The page's own name for it.
    id: String,
    /// How many seconds it lasts without being renewed.
    #[serde(default)]
    lasts_s: Option<u64>,
}

/// The lease as it is now.
#[derive(Debug, Serialize)]
struct LeaseTold {
    /// Whether it is a new one: what an older one had set is mended.
    fresh: bool,
}

fn known(id: &str) -> Result<&'static Lesson, Problem> {
    find(id).ok_or_else(|| {
        Problem::not_found(format!("there is no lesson {id:?}; GET /api/lessons lists those that there are"))
    })
}

fn lease_id(text: &str) -> Result<Id, Problem> {
    Actor::parse_id(text).map_err(|error| Problem::invalid(format!("id: {error}")))
}

async fn lesson(Path(id): Path<String>) -> Result<Json<&'static Lesson>, Problem> {
    Ok(Json(known(&id)?))
}

async fn take(
    State((leases, carriers)): State<(Leases, Carriers)>,
    Path(lesson): Path<String>,
    By(by): By,
    JsonBody(wanted): JsonBody<LeaseWanted>,
) -> Result<Json<LeaseTold>, Problem> {
    let lesson = known(&lesson)?;
    let id = lease_id(&wanted.id)?;
    let lasts_s = wanted.lasts_s.unwrap_or(LASTS_DEFAULT_S);
    if !(1..=LASTS_MAX_S).contains(&lasts_s) {
        return Err(Problem::invalid(format!("lasts_s: {lasts_s} is not between 1 and {LASTS_MAX_S}")));
    }
    if let Err(error) = carriers.wake(lesson.system()).await {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error));
    }
    Ok(Json(LeaseTold { fresh: leases.take(lesson, &id, Duration::from_secs(lasts_s), by).await? }))
}

/// Answers once all is mended.
async fn give_up(
    State((leases, _)): State<(Leases, Carriers)>,
    Path(lesson): Path<String>,
    query: Result<Query<LeaseWanted>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let lesson = known(&lesson)?;
    let Query(wanted) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let id = lease_id(&wanted.id)?;
    leases.give_up(lesson.system(), &id).await;
    Ok(StatusCode::NO_CONTENT)
}

impl From<LeaseError> for Problem {
    fn from(error: LeaseError) -> Self {
        Self::new(StatusCode::CONFLICT, error.to_string())
    }
}
