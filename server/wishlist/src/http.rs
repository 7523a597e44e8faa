//! Wishlist's HTTP API.

use super::{Wishlist, address::MailAddress, mail::Forms, message::escape};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use encodings::{Wanted, accept::choose, answer, media_type};
use flow::{
    Encoding, Sku, System,
    api::{Email, Unsubscription, Wish},
};
use http_edge::{
    extract::{JsonBody, PathId, SystemPath},
    problem::Problem,
};
use serde::Deserialize;
use std::collections::HashMap;

/// The longest name of somebody, in characters.
const NAME_MAX: usize = 100;
/// An e-mail is somebody else's HTML: it runs nothing, loads nothing, and is nobody here. Links open beside it.
const EMAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// The page to unsubscribe has one button.
const FORM_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub fn routes(wishlist: Wishlist) -> Router {
    Router::new()
        .route("/api/{style}/wishlist/wishes", get(list).post(add))
        .route("/api/{style}/wishlist/wishes/{id}", delete(remove))
        .route("/api/{style}/wishlist/emails", get(emails))
        .route("/api/{style}/wishlist/emails/{id}/html", get(html))
        .route("/api/{style}/wishlist/emails/{id}/source", get(source))
        .merge(
            Router::new()
                .route("/api/{style}/wishlist/unsubscribe/{token}", get(ask_to_unsubscribe).post(unsubscribe))
                .layer(middleware::map_response(answer::varies)),
        )
        .with_state(wishlist)
}

/// A wish as the caller writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWish {
    /// An address, perhaps with a name: `Ada <ada@example.com>`.
    email: String,
    sku: String,
    #[serde(default)]
    name: Option<String>,
}

async fn list(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
) -> Result<Json<Vec<Wish>>, Problem> {
    Ok(Json(wishlist.wishes(system).await?))
}

async fn add(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    JsonBody(wish): JsonBody<NewWish>,
) -> Result<(StatusCode, Json<Wish>), Problem> {
    let sku = Sku::parse(&wish.sku).map_err(|error| Problem::invalid(format!("sku: {error}")))?;
    let (name, email) =
        MailAddress::with_name(&wish.email).map_err(|error| Problem::invalid(format!("email: {error}")))?;
    let name = wish.name.or(name).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX || name.chars().any(char::is_control))
    {
        return Err(Problem::invalid(format!("name: use at most {NAME_MAX} characters in one line")));
    }
    Ok((StatusCode::CREATED, Json(wishlist.wish(system, email, name, sku).await?)))
}

async fn remove(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    if wishlist.forget(system, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!("there is no wish {id} in {}", system.as_str())))
    }
}

async fn emails(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
) -> Result<Json<Vec<Email>>, Problem> {
    Ok(Json(wishlist.emails(system).await?))
}

async fn form(wishlist: &Wishlist, system: System, id: i64) -> Result<Forms, Problem> {
    let found = wishlist.email(system, id).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no e-mail {id} in {}", system.as_str())))
}

/// The e-mail as its receiver sees it, for a frame of its own.
async fn html(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let form = form(&wishlist, system, id).await?;
    let html = form.html.unwrap_or_else(|| {
        format!("<!doctype html>\n<meta charset=\"utf-8\">\n<pre>{}</pre>\n", escape(&form.text))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, EMAIL_POLICY),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    Ok((headers, html).into_response())
}

/// The e-mail as it goes over the wire.
async fn source(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let form = form(&wishlist, system, id).await?;
    let headers = [(header::CONTENT_TYPE, "message/rfc822"), (header::CONTENT_DISPOSITION, "inline")];
    Ok((headers, form.source).into_response())
}

/// What a token is verified in: a page for people, or an encoding for other services.
const TOKEN_OFFERS: [(&str, Option<Encoding>); 1 + media_type::ALL.len()] = {
    let mut offers = [("text/html", None); 1 + media_type::ALL.len()];
    let mut at = 0;
    while at < media_type::ALL.len() {
        offers[at + 1] = (media_type::ALL[at].0, Some(media_type::ALL[at].1));
        at += 1;
    }
    offers
};

/// Says whose wish a token is for. Asks first: who only looks at a link's target must not lose a wish by it.
async fn ask_to_unsubscribe(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    Path(path): Path<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (name, encoding) = choose(&headers, &TOKEN_OFFERS)
        .ok_or_else(|| answer::not_acceptable(&format!("text/html, {}", media_type::IN_WORDS)))?;
    let token = path.get("token").map_or("", String::as_str);
    let wish = wishlist.wish_of(system, token).await?;
    if let Some(encoding) = encoding {
        return verified(wish, Wanted { encoding, name });
    }
    Ok(match wish {
        Some(wish) => form_page(
            StatusCode::OK,
            "Hear no more?",
            &format!(
                "<p>{} waits for <strong>{}</strong>.</p>\n<form method=\"post\"><button>Hear no more of {}</button></form>",
                escape(&wish.email),
                wish.sku,
                wish.sku
            ),
        ),
        None => no_wish(),
    })
}

/// The same for another service.
fn verified(wish: Option<Wish>, wanted: Wanted) -> Result<Response, Problem> {
    let Wish { email, sku, .. } =
        wish.ok_or_else(|| Problem::not_found("no wish has this token; it may have been taken away".into()))?;
    let mut response = encodings::answer(&Unsubscription { email, sku }, wanted);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn unsubscribe(
    State(wishlist): State<Wishlist>,
    SystemPath(system): SystemPath,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let token = path.get("token").map_or("", String::as_str);
    let Some(wish) = wishlist.wish_of(system, token).await? else { return Ok(no_wish()) };
    wishlist.forget(system, wish.id).await?;
    let told = format!("<p>{} will hear no more of <strong>{}</strong>.</p>", escape(&wish.email), wish.sku);
    Ok(form_page(StatusCode::OK, "Done", &told))
}

fn no_wish() -> Response {
    let told = "<p>There is no such wish any more, so there will be no e-mail about it.</p>";
    form_page(StatusCode::NOT_FOUND, "Nothing to do", told)
}

fn form_page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Skuflow</title>\n\
         <link rel=\"stylesheet\" href=\"/pkg/skuflow.css\">\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n\
         <p><a href=\"/store\">To the shop</a></p>\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, FORM_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // With `no-referrer`, as elsewhere, a browser would not say either from which page the form was sent.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, html).into_response()
}
