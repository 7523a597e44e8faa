//! Wishlist's HTTP API.

use super::Wishlist;
use crate::web::{
    extract::{InStyle, JsonBody, PathId},
    problem::Problem,
};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get},
};
use flow::{
    Sku,
    api::{Email, Wish},
};
use lettre::Address;
use serde::Deserialize;

/// The routes below `/api/{style}/wishlist`.
pub fn routes(wishlist: Wishlist) -> Router {
    Router::new()
        .route("/wishes", get(list).post(add))
        .route("/wishes/{id}", delete(remove))
        .route("/emails", get(emails))
        .with_state(wishlist)
}

/// A wish as the caller writes it.
#[derive(Debug, Deserialize)]
struct NewWish {
    email: String,
    sku: String,
}

async fn list(State(wishlist): State<Wishlist>, InStyle(style): InStyle) -> Result<Json<Vec<Wish>>, Problem> {
    Ok(Json(wishlist.wishes(style).await?))
}

async fn add(
    State(wishlist): State<Wishlist>,
    InStyle(style): InStyle,
    JsonBody(wish): JsonBody<NewWish>,
) -> Result<(StatusCode, Json<Wish>), Problem> {
    let sku = Sku::parse(&wish.sku).map_err(|error| Problem::invalid(format!("sku: {error}")))?;
    let email: Address = wish.email.trim().parse().map_err(|_| {
        Problem::invalid(format!("email: {:?} is no address; use one like ada@example.com", wish.email))
    })?;
    Ok((StatusCode::CREATED, Json(wishlist.wish(style, email, sku).await?)))
}

async fn remove(
    State(wishlist): State<Wishlist>,
    InStyle(style): InStyle,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    if wishlist.forget(style, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!("there is no wish {id} in {style}")))
    }
}

async fn emails(
    State(wishlist): State<Wishlist>,
    InStyle(style): InStyle,
) -> Result<Json<Vec<Email>>, Problem> {
    Ok(Json(wishlist.emails(style).await?))
}
