//! The HTTP API of gates, faults, workers, breakers and the dead-letter desk.

use super::{
    Control, Desk,
    desk::{
        Cursor, DeskError,
        page::{PAGE_DEFAULT, PAGE_MAX, Wanted},
    },
};
use availability::AvailabilityClient;
use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use flow::{
    Service, Style, System, Transport,
    api::{Breaker, Crew, Desk as DeskWanted, DeskDone, Workers, WorkersWanted},
    fault::{Fault, FaultKind, Faults, Gates, Holding, UnknownFault},
    style::UnknownService,
};
use http_edge::{
    extract::{By, JsonBody, PathId, PathService, SystemPath},
    problem::Problem,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::{fmt::Display, str::FromStr, time::Duration};

const WORKERS_MAX: u16 = 16;
const PREFETCH_MAX: u16 = 1_000;
/// How many seconds a page of dead letters may take to be found, unless the query says fewer.
const LOOKING_MAX_S: u64 = 30;
/// How many letters are parked, on all pages.
const HEADER_TOTAL: &str = "x-total-count";
/// Grows with everything that is replayed or discarded: a page that follows may have changed by it.
const HEADER_CHANGES: &str = "x-desk-changes";

pub fn routes(control: Control, availability: AvailabilityClient, desk: Desk) -> Router {
    let letters = Router::new()
        .route("/api/{style}/dead-letters", get(dead_letters).delete(discard_all))
        .route("/api/{style}/dead-letters/replay", post(replay))
        .route("/api/{style}/dead-letters/discard", post(discard))
        .with_state(desk.clone());
    let queues = Router::new()
        .route("/api/{style}/{service}/messages", delete(purge))
        .with_state((control.clone(), desk));
    Router::new()
        .route("/api/{style}/gates", get(holding).put(set_gates))
        .route("/api/{style}/gates/step", post(step))
        .route("/api/{style}/gates/{id}/release", post(release))
        .route("/api/{style}/faults", get(faults).put(set_faults).post(add_fault).delete(clear_faults))
        .route("/api/{style}/{service}/workers", get(workers).post(set_workers))
        .with_state(control.clone())
        .merge(
            Router::new()
                .route("/api/{style}/{service}/breaker", get(breaker))
                .with_state(availability.clone()),
        )
        .merge(Router::new().route("/api/{style}/workers", get(crews)).with_state((control, availability)))
        .merge(letters)
        .merge(queues)
}

async fn holding(State(control): State<Control>, SystemPath(system): SystemPath) -> Json<Holding> {
    Json(control.holding(system))
}

async fn set_gates(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(gates): JsonBody<Gates>,
) -> Json<Holding> {
    Json(control.set_gates(system, gates, Some(&by)))
}

async fn step(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    By(by): By,
) -> Result<Json<Holding>, Problem> {
    if !control.step(system, Some(&by)) {
        let detail =
            format!("nothing is held in {}; close a gate and send an arrival first", system.as_str());
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    Ok(Json(control.holding(system)))
}

async fn release(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    PathId(id): PathId,
    By(by): By,
) -> Result<Json<Holding>, Problem> {
    if !u64::try_from(id).is_ok_and(|hold_id| control.release(system, hold_id, Some(&by))) {
        return Err(Problem::not_found(format!(
            "nothing is held by the name {id} in {}; it may have gone on",
            system.as_str()
        )));
    }
    Ok(Json(control.holding(system)))
}

async fn faults(State(control): State<Control>, SystemPath(system): SystemPath) -> Json<Faults> {
    Json(Faults { faults: control.faults(system) })
}

async fn set_faults(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<Faults>,
) -> Result<Json<Faults>, Problem> {
    let faults = control.set_faults(system, wanted.faults, Some(&by));
    faults.map(|faults| Json(Faults { faults })).map_err(|error| Problem::invalid(error.to_string()))
}

/// Sets one more, in place of the same kind and service if that is set already. The others stay as they are.
async fn add_fault(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    by: By,
    JsonBody(fault): JsonBody<Fault>,
) -> Result<Json<Faults>, Problem> {
    let mut faults = control.faults(system);
    faults.retain(|other| (other.kind, other.service) != (fault.kind, fault.service));
    faults.push(fault);
    set_faults(State(control), SystemPath(system), by, JsonBody(Faults { faults })).await
}

/// Which faults to clear.
#[derive(Debug, Deserialize)]
struct ClearQuery {
    /// Only those of this kind; without it, of all.
    kind: Option<String>,
    /// Only those of this service; without it, of all.
    service: Option<String>,
}

async fn clear_faults(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    Query(query): Query<ClearQuery>,
    by: By,
) -> Result<Json<Faults>, Problem> {
    let kind = query.kind.map(|word| word.parse::<FaultKind>()).transpose();
    let kind = kind.map_err(|error: UnknownFault| Problem::invalid(format!("kind: {error}")))?;
    let service = query.service.map(|word| word.parse::<Service>()).transpose();
    let service = service.map_err(|error: UnknownService| Problem::invalid(format!("service: {error}")))?;
    let is_meant = |fault: &Fault| {
        kind.is_none_or(|kind| kind == fault.kind) && service.is_none_or(|service| service == fault.service)
    };
    let left = control.faults(system).into_iter().filter(|fault| !is_meant(fault)).collect();
    set_faults(State(control), SystemPath(system), by, JsonBody(Faults { faults: left })).await
}

async fn workers(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    PathService(service): PathService,
) -> Json<Workers> {
    Json(control.workers(system, service))
}

async fn set_workers(
    State(control): State<Control>,
    SystemPath(system): SystemPath,
    PathService(service): PathService,
    By(by): By,
    JsonBody(wanted): JsonBody<WorkersWanted>,
) -> Result<Json<Workers>, Problem> {
    for (field, value, max) in
        [("workers", wanted.workers, WORKERS_MAX), ("prefetch", wanted.prefetch, PREFETCH_MAX)]
    {
        if !(1..=max).contains(&value) {
            return Err(Problem::invalid(format!("{field}: {value} is not between 1 and {max}")));
        }
    }
    if !control.has_joined(system, service) {
        let system = system.as_str();
        return Err(Problem::invalid(format!(
            "{service} has not joined {system}: there are no workers to set"
        )));
    }
    control.set_workers(system, service, wanted, Some(&by));
    Ok(Json(control.workers(system, service)))
}

/// All services at once, each with its breaker if it calls anybody.
async fn crews(
    State((control, availability)): State<(Control, AvailabilityClient)>,
    SystemPath(system): SystemPath,
) -> Json<Vec<Crew>> {
    let crew = |service: Service| Crew {
        service,
        workers: control.workers(system, service),
        // Only choreography's consumers ask inventory, and inventory does not ask itself.
        breaker: (system.style == Style::Choreography && service != Service::Inventory)
            .then(|| availability.breaker(system, service)),
    };
    Json(control.members(system).into_iter().map(crew).collect())
}

async fn breaker(
    State(availability): State<AvailabilityClient>,
    SystemPath(system): SystemPath,
    PathService(service): PathService,
) -> Json<Breaker> {
    Json(availability.breaker(system, service))
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::OneBodyForMany
            | DeskError::NoCursor { .. }
            | DeskError::CursorGone(_)
            | DeskError::TooDeep { .. } => Self::invalid(error.to_string()),
            DeskError::NoConnection(_) | DeskError::Amqp(_) | DeskError::Publish(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
        }
    }
}

/// Which page of the letters is asked for, as the query says it.
#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    after: Option<String>,
    nth: Option<String>,
    limit: Option<String>,
    within_s: Option<String>,
}

impl PageQuery {
    /// Reads a request's query.
    fn of(query: Result<Query<Self>, QueryRejection>) -> Result<Self, Problem> {
        query.map(|Query(query)| query).map_err(|error| Problem::malformed(error.body_text()))
    }

    /// The page that it asks for.
    fn wanted(self, system: System) -> Result<Wanted, Problem> {
        let limit = number("limit", self.limit, PAGE_DEFAULT, PAGE_MAX)?;
        let within_s = number("within_s", self.within_s, LOOKING_MAX_S, LOOKING_MAX_S)?;
        let nth = number("nth", self.nth, 1, u32::MAX)?;
        let after = self.after.map(|id| Cursor::parse(system, id, nth)).transpose()?;
        Ok(Wanted { after, limit, patience: Duration::from_secs(within_s) })
    }
}

/// A whole number of the query, from 1.
fn number<T>(name: &str, text: Option<String>, absent: T, max: T) -> Result<T, Problem>
where
    T: Copy + Display + FromStr + From<u8> + PartialOrd,
{
    let Some(text) = text else { return Ok(absent) };
    match text.parse() {
        Ok(number) if (T::from(1)..=max).contains(&number) => Ok(number),
        _ => Err(Problem::invalid(format!("{name}: {text:?} must be a whole number from 1 to {max}"))),
    }
}

/// The address of the page behind that letter, which is looked for as long and has as many letters.
fn address_behind(system: System, cursor: &Cursor, wanted: &Wanted) -> String {
    let id = utf8_percent_encode(&cursor.id, NON_ALPHANUMERIC);
    // Nearly always a name is unique.
    let nth = if cursor.nth == 1 { String::new() } else { format!("&nth={}", cursor.nth) };
    let within_s = match wanted.patience.as_secs() {
        LOOKING_MAX_S => String::new(),
        fewer => format!("&within_s={fewer}"),
    };
    system.api(&format!("dead-letters?after={id}{nth}&limit={}{within_s}", wanted.limit))
}

/// A page of letters, with a `Link` to the next if there is one (RFC 8288).
async fn dead_letters(
    State(desk): State<Desk>,
    SystemPath(system): SystemPath,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let wanted = PageQuery::of(query)?.wanted(system)?;
    // Read before the page: what is done meanwhile makes it old.
    let changes = desk.changes();
    let page = desk.list(system, &wanted).await?;
    let next = page.next.as_ref().map(|cursor| {
        let link = format!("<{}>; rel=\"next\"", address_behind(system, cursor, &wanted));
        [(header::LINK, link)]
    });
    let told = [(HEADER_TOTAL, page.parked.to_string()), (HEADER_CHANGES, changes.to_string())];
    Ok((next, told, Json(page.letters)).into_response())
}

async fn discard_all(
    State(desk): State<Desk>,
    SystemPath(system): SystemPath,
    By(by): By,
) -> Result<Json<DeskDone>, Problem> {
    Ok(Json(DeskDone { done: desk.discard_all(system, Some(&by)).await?, gone: Vec::new() }))
}

/// Empties a service's queue.
async fn purge(
    State((control, desk)): State<(Control, Desk)>,
    SystemPath(system): SystemPath,
    PathService(service): PathService,
    By(by): By,
) -> Result<Json<DeskDone>, Problem> {
    if !control.has_joined(system, service) {
        let system = system.as_str();
        return Err(Problem::invalid(format!("{service} has not joined {system}: it has no queue there")));
    }
    if system.transport != Transport::Amqp {
        let transport = system.transport;
        return Err(Problem::invalid(format!("over {transport} a queue cannot be purged; over amqp it can")));
    }
    Ok(Json(DeskDone { done: desk.purge(system, service, Some(&by)).await?, gone: Vec::new() }))
}

async fn replay(
    State(desk): State<Desk>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<DeskWanted>,
) -> Result<Json<DeskDone>, Problem> {
    Ok(Json(desk.replay(system, wanted, Some(&by)).await?))
}

async fn discard(
    State(desk): State<Desk>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<DeskWanted>,
) -> Result<Json<DeskDone>, Problem> {
    Ok(Json(desk.discard(system, wanted, Some(&by)).await?))
}
