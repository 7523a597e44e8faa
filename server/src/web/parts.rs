//! Parts of the page that only the server can draw, since only it knows what they tell: the control room.

use super::Parts;
use app::lab::room::{desk, faults, files, hold, others, simulator, workers};
use availability::AvailabilityClient;
use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{Html, IntoResponse},
    routing::get,
};
use base::clock;
use bridge::management::Visibility;
use control::{Control, Desk, http::PageQuery};
use flow::{Service, Style, fault::Faults};
use http_edge::{
    extract::{By, InStyle, JsonBody, PathId, reader},
    problem::Problem,
};
use journal::Journal;
use std::time::Duration;
use warehouse::{ftp::DropBox, simulator::Simulation};
use wishlist::Wishlist;

/// How many dead letters are shown at a time.
const LETTERS_SHOWN: usize = 50;
/// The page itself waits for eight seconds.
const LETTERS_WITHIN: Duration = Duration::from_secs(6);

/// What the parts tell of.
#[derive(Clone)]
struct Known {
    journal: Journal,
    control: Control,
    availability: AvailabilityClient,
    desk: Desk,
    drop_box: DropBox,
    simulation: Simulation,
    wishlist: Wishlist,
    visibility: Visibility,
}

/// The routes, for a page of this server only: they may change with it.
pub fn routes(parts: &Parts) -> Router {
    let known = Known {
        journal: parts.journal.clone(),
        control: parts.control.clone(),
        availability: parts.services.availability.clone(),
        desk: parts.desk.clone(),
        drop_box: parts.drop_box.clone(),
        simulation: parts.simulation.clone(),
        wishlist: parts.services.wishlist.clone(),
        visibility: parts.visibility.clone(),
    };
    Router::new()
        .route("/parts/{style}/hold", get(held))
        .route("/parts/{style}/faults", get(broken).post(break_one))
        .route("/parts/{style}/workers", get(crews))
        .route("/parts/{style}/desk", get(parked))
        .route("/parts/{style}/files", get(dropped))
        .route("/parts/{style}/simulator", get(simulated))
        .route("/parts/{style}/others", get(strangers))
        .route("/parts/{style}/source/{id}", get(source))
        .with_state(known)
}

fn drawn(html: String) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Html(html))
}

async fn held(State(known): State<Known>, InStyle(style): InStyle, headers: HeaderMap) -> impl IntoResponse {
    let picture = known.journal.picture().await;
    let holding = known.control.holding(style);
    let seen = hold::Seen {
        now_us: clock::now_us(),
        reader: reader(&headers).map(|id| id.to_string()),
        single_workers: known.control.single_workers(style),
    };
    drawn(hold::part(&holding, picture.system(style), &seen).into_string())
}

async fn broken(State(known): State<Known>, InStyle(style): InStyle) -> impl IntoResponse {
    drawn(faults::part(style, &known.control.faults(style)).into_string())
}

/// Adds one fault to the list; what is wrong with it is told as the API does.
async fn break_one(
    State(known): State<Known>,
    InStyle(style): InStyle,
    By(by): By,
    JsonBody(new): JsonBody<faults::NewFault>,
) -> Result<impl IntoResponse, Problem> {
    let wanted = Faults { faults: new.among(known.control.faults(style)) };
    let set = known.control.set_faults(style, wanted.faults, Some(&by));
    let set = set.map_err(|error| Problem::invalid(error.to_string()))?;
    Ok(drawn(faults::part(style, &set).into_string()))
}

async fn crews(State(known): State<Known>, InStyle(style): InStyle) -> impl IntoResponse {
    let crew = |&service: &Service| workers::Crew {
        service,
        workers: known.control.workers(style, service),
        // Only choreography's catalog and wishlist ask inventory.
        breaker: (style == Style::Choreography && service != Service::Inventory)
            .then(|| known.availability.breaker(style, service)),
    };
    let crews: Vec<_> = Service::ALL.iter().map(crew).collect();
    drawn(workers::part(style, &crews).into_string())
}

/// A page of the desk. The next one's address tells how many are parked and how much was done, so that it changes when
/// that page may have: only then the browser asks for it again.
async fn parked(
    State(known): State<Known>,
    InStyle(style): InStyle,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let wanted = PageQuery::of(query)?.wanted(style, LETTERS_SHOWN, LETTERS_WITHIN)?;
    let changes = known.desk.changes();
    let page = known.desk.list(style, &wanted).await?;
    let next = page.next.as_ref().map(|cursor| {
        let behind = PageQuery::behind(cursor);
        format!("/parts/{style}/desk?{behind}&as_of={}.{changes}", page.parked)
    });
    let drawn_page = desk::Page {
        letters: &page.letters,
        parked: page.parked,
        is_first: wanted.after.is_none(),
        next: next.as_deref(),
    };
    Ok(drawn(desk::part(style, &drawn_page).into_string()))
}

async fn dropped(State(known): State<Known>) -> Result<impl IntoResponse, Problem> {
    Ok(drawn(files::part(&known.drop_box.files().await?).into_string()))
}

async fn simulated(State(known): State<Known>) -> impl IntoResponse {
    drawn(simulator::part(&known.simulation.status()).into_string())
}

async fn strangers(State(known): State<Known>, InStyle(_): InStyle) -> impl IntoResponse {
    drawn(others::part(known.visibility.hidden().as_deref()).into_string())
}

/// An e-mail as it goes over the wire. What is no UTF-8 is shown with replacement characters.
async fn source(
    State(known): State<Known>,
    InStyle(style): InStyle,
    PathId(id): PathId,
) -> Result<impl IntoResponse, Problem> {
    let found = known.wishlist.email(style, id).await?;
    let forms = found.ok_or_else(|| Problem::not_found(format!("there is no e-mail {id} in {style}")))?;
    let text = String::from_utf8_lossy(&forms.source);
    Ok(drawn(app::pages::source(&text).into_string()))
}
