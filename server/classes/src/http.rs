//! Classes by HTTP.
//!
//! A presenter's calls carry `Authorization: Bearer KEY` or the presenter's cookie, a follower's likewise; what neither may is
//! answered with 401 without a key and with 403 with a key of somebody else's role.

use super::{
    access::{Access, FOLLOWER_COOKIE, PRESENTER_COOKIE, cookie, given},
    code::{BadCode, Code},
    key::{self, Digest, Key},
    room::{Role, Room, RoomError},
    rooms::{Rooms, StartError, Watch},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, FromRef, FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{
        IntoResponse, Redirect, Response, Sse,
        sse::{Event as Sent, KeepAlive},
    },
    routing::{get, post, put},
};
use flow::api::{
    ClassStarted, ClassView, ClassWanted, HandedOver, Joined, QuestionAsked, QuestionWanted, Vote,
};
use futures::{Stream, stream};
use http_edge::{extract::JsonBody, problem::Problem};
use qrcode::{QrCode, render::svg};
use serde::Deserialize;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often a silent stream shows life.
const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// What the calls need.
#[derive(Debug, Clone)]
pub struct Classes {
    /// All classes.
    pub rooms: Rooms,
    /// Who may change something.
    pub access: Access,
    /// The origin at which readers see the page, if it is known.
    pub seen_at: Option<String>,
    /// Ends the streams, so that a stop need not wait for followers.
    pub stop: CancellationToken,
}

impl FromRef<Classes> for Rooms {
    fn from_ref(classes: &Classes) -> Self {
        classes.rooms.clone()
    }
}

pub fn routes(classes: Classes) -> Router {
    Router::new()
        .route("/presenter", get(open))
        .route("/class/{code}/present", get(present))
        .route("/api/classes", post(start))
        .route("/api/classes/{code}", get(view).put(want).delete(end))
        .route("/api/classes/{code}/stream", get(watch))
        .route("/api/classes/{code}/qr.svg", get(qr))
        .route("/api/classes/{code}/followers", post(join).delete(leave))
        .route("/api/classes/{code}/presenters", post(hand_over))
        .route("/api/classes/{code}/question", post(ask).put(want_question).delete(ask_nothing))
        .route("/api/classes/{code}/votes", put(vote).post(vote))
        .with_state(classes)
}

/// The class in the path. Whoever names many that do not exist is asked to wait.
struct On(Code);

impl FromRequestParts<Classes> for On {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, classes: &Classes) -> Result<Self, Response> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
        let (attempts, now) = (classes.rooms.attempts(), Instant::now());
        if let Err(wait) = attempts.admit(peer, now) {
            let wait_s = wait.as_secs() + 1;
            let detail = format!("too many wrong codes came from your address; try again in {wait_s} s");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
            return Err(([(header::RETRY_AFTER, wait_s.to_string())], problem).into_response());
        }
        let Path(all) = Path::<Vec<(String, String)>>::from_request_parts(parts, &())
            .await
            .map_err(|error| Problem::malformed(error.to_string()).into_response())?;
        let named = all.iter().find(|(name, _)| name == "code").map_or("", |(_, code)| code);
        match named.parse::<Code>() {
            Ok(code) if classes.rooms.is_on(&code) => Ok(Self(code)),
            parsed => {
                attempts.wrong(peer, now);
                Err(match parsed {
                    Ok(code) => no_class(&code),
                    Err(error @ BadCode) => Problem::not_found(format!("{error}")),
                }
                .into_response())
            }
        }
    }
}

fn no_class(code: &Code) -> Problem {
    Problem::not_found(format!("there is no class {code} now: it is over, or its code is mistyped"))
}

/// The presenter of the class in the path.
struct Presenter(Code);

impl FromRequestParts<Classes> for Presenter {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, classes: &Classes) -> Result<Self, Response> {
        let On(code) = On::from_request_parts(parts, classes).await?;
        let is_own = given(&parts.headers).any(|key| classes.access.is_own(key));
        match known(&classes.rooms, &code, &parts.headers) {
            _ if is_own => Ok(Self(code)),
            Some((Role::Presenter, _)) => Ok(Self(code)),
            Some((Role::Follower, _)) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "only the presenter of the class does that; you follow it".to_owned(),
            )
            .into_response()),
            None => Err(unauthorized("send the presenter's key of the class as Authorization: Bearer KEY")),
        }
    }
}

/// A follower of the class in the path.
struct Follower(Code, Digest);

impl FromRequestParts<Classes> for Follower {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, classes: &Classes) -> Result<Self, Response> {
        let On(code) = On::from_request_parts(parts, classes).await?;
        match known(&classes.rooms, &code, &parts.headers) {
            // A presenter votes like anybody else.
            Some((_, key)) => Ok(Self(code, key)),
            None => {
                Err(unauthorized("join the class first: POST /api/classes/{code}/followers answers your key"))
            }
        }
    }
}

/// In what role somebody comes to that class, and the digest of their key.
fn known(rooms: &Rooms, code: &Code, headers: &HeaderMap) -> Option<(Role, Digest)> {
    let mut roles: Vec<_> =
        given(headers).map(key::digest).filter_map(|key| Some((rooms.role(code, &key)?, key))).collect();
    roles.sort_by_key(|(role, _)| *role != Role::Presenter);
    roles.into_iter().next()
}

fn unauthorized(why: &str) -> Response {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, why.to_owned());
    ([(header::WWW_AUTHENTICATE, "Bearer realm=\"skuflow\"")], problem).into_response()
}

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Self {
        let status = match error {
            RoomError::Locked
            | RoomError::Full
            | RoomError::Presenters
            | RoomError::Rounds
            | RoomError::NoQuestion
            | RoomError::Closed => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let status = match error {
            StartError::Many => StatusCode::CONFLICT,
            StartError::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, error.to_string())
    }
}

#[derive(Deserialize)]
struct Link {
    key: Option<String>,
}

/// Hands the server's key to a browser, and goes to the start; so the key does not stay in the address bar.
async fn open(State(classes): State<Classes>, Query(link): Query<Link>) -> Response {
    let key = link.key.unwrap_or_default();
    if !classes.access.is_wanted() {
        return Redirect::to("/").into_response();
    }
    if !classes.access.is_own(&key) {
        return unauthorized(
            "this link does not have the presenter's key; use the one that the server printed at its start",
        );
    }
    with_key(PRESENTER_COOKIE, &key, "/")
}

/// Hands a class' presenter's key to a browser.
async fn present(State(classes): State<Classes>, On(code): On, Query(link): Query<Link>) -> Response {
    let key = link.key.unwrap_or_default();
    if classes.rooms.role(&code, &key::digest(&key)) != Some(Role::Presenter) {
        return unauthorized("this link does not have the key of the presenter of this class");
    }
    with_key(PRESENTER_COOKIE, &key, &format!("/class/{code}"))
}

fn with_key(name: &str, key: &str, to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie(name, key)), (header::LOCATION, to.to_owned())])
        .into_response()
}

/// Where followers open the class: where readers are known to see the page, or else where the presenter does. From other
/// machines a loopback address leads nowhere: then the address of this machine in its network takes its place.
fn origin(seen_at: Option<&str>, host: Option<&str>, own: impl Fn() -> Option<IpAddr>) -> String {
    if let Some(seen_at) = seen_at {
        return seen_at.to_owned();
    }
    let host = host.unwrap_or("localhost");
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, format!(":{port}")),
        _ => (host, String::new()),
    };
    match own().filter(|_| ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"].contains(&name)) {
        Some(IpAddr::V6(own)) => format!("http://[{own}]{port}"),
        Some(own) => format!("http://{own}{port}"),
        None => format!("http://{host}"),
    }
}

/// The address of this machine towards its network. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1 (RFC 5737): an address that is nobody's.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

async fn start(State(classes): State<Classes>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let host = uri.authority().map(ToString::to_string);
    let host = host.as_deref().or_else(|| headers.get(header::HOST)?.to_str().ok());
    // Where no key is wanted, the server is on loopback, and so are all who follow.
    let own = || if classes.access.is_wanted() { own_address() } else { None };
    let origin = origin(classes.seen_at.as_deref(), host, own);
    let presenter = Key::random();
    let url = |code: &Code| format!("{origin}/class/{code}");
    let code = classes.rooms.start(&presenter, url)?;
    let started = ClassStarted {
        code: code.as_str().into(),
        url: url(&code),
        presenter_key: presenter.reveal().to_owned(),
    };
    let headers = [
        (header::SET_COOKIE, cookie(PRESENTER_COOKIE, presenter.reveal())),
        (header::LOCATION, format!("/api/classes/{code}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(started)).into_response())
}

async fn view(State(rooms): State<Rooms>, On(code): On) -> Result<Json<ClassView>, Problem> {
    rooms.view(&code).map(Json).ok_or_else(|| no_class(&code))
}

/// Changes the class as whoever calls wants, and answers what it is then.
fn changed(
    rooms: &Rooms,
    code: &Code,
    is_presenter: bool,
    change: impl FnOnce(&mut Room) -> Result<(), RoomError>,
) -> Result<Json<ClassView>, Problem> {
    let view = rooms.change(code, is_presenter, change).ok_or_else(|| no_class(code))?;
    Ok(Json(view?))
}

async fn want(
    State(rooms): State<Rooms>,
    Presenter(code): Presenter,
    JsonBody(wanted): JsonBody<ClassWanted>,
) -> Result<Json<ClassView>, Problem> {
    changed(&rooms, &code, true, |room| room.want(wanted))
}

async fn end(State(rooms): State<Rooms>, Presenter(code): Presenter) -> StatusCode {
    rooms.end(&code);
    StatusCode::NO_CONTENT
}

async fn hand_over(State(rooms): State<Rooms>, Presenter(code): Presenter) -> Result<Response, Problem> {
    let presenter = Key::random();
    let _ = changed(&rooms, &code, true, |room| room.hand_over(&presenter))?;
    let handed = HandedOver { presenter_key: presenter.reveal().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(handed)).into_response())
}

async fn join(State(rooms): State<Rooms>, On(code): On, headers: HeaderMap) -> Result<Response, Problem> {
    // Who follows already stays who they are, with the vote that they gave.
    if let Some((Role::Follower, _)) = known(&rooms, &code, &headers)
        && let Some(key) = given(&headers).find(|key| rooms.role(&code, &key::digest(key)).is_some())
    {
        return Ok(Json(Joined { follower_key: key.to_owned() }).into_response());
    }
    let follower = Key::random();
    let _ = changed(&rooms, &code, false, |room| room.join(&follower))?;
    let cookie = cookie(FOLLOWER_COOKIE, follower.reveal());
    let joined = Json(Joined { follower_key: follower.reveal().to_owned() });
    let headers = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, joined).into_response())
}

/// Also of a class that is over: whoever leaves is free again.
async fn leave(State(rooms): State<Rooms>, Path(code): Path<String>, headers: HeaderMap) -> Response {
    if let Ok(code) = code.parse::<Code>()
        && let Some((Role::Follower, key)) = known(&rooms, &code, &headers)
    {
        let _ = rooms.change(&code, false, |room| {
            room.leave(&key);
            Ok(())
        });
    }
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(FOLLOWER_COOKIE, ""))]).into_response()
}

async fn ask(
    State(rooms): State<Rooms>,
    Presenter(code): Presenter,
    JsonBody(asked): JsonBody<QuestionAsked>,
) -> Result<Json<ClassView>, Problem> {
    changed(&rooms, &code, true, |room| room.ask(asked))
}

async fn want_question(
    State(rooms): State<Rooms>,
    Presenter(code): Presenter,
    JsonBody(wanted): JsonBody<QuestionWanted>,
) -> Result<Json<ClassView>, Problem> {
    changed(&rooms, &code, true, |room| room.want_question(wanted))
}

async fn ask_nothing(
    State(rooms): State<Rooms>,
    Presenter(code): Presenter,
) -> Result<Json<ClassView>, Problem> {
    changed(&rooms, &code, true, |room| {
        room.ask_nothing();
        Ok(())
    })
}

async fn vote(
    State(rooms): State<Rooms>,
    Follower(code, key): Follower,
    JsonBody(vote): JsonBody<Vote>,
) -> Result<Json<ClassView>, Problem> {
    changed(&rooms, &code, false, |room| room.vote(key, vote.choice))
}

/// The class as it is, and each time that something changes: `event: class`; at its end `event: over`.
async fn watch(
    State(classes): State<Classes>,
    On(code): On,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    let key = known(&classes.rooms, &code, &headers).map(|(_, key)| key);
    let watch = classes.rooms.watch(&code, key.as_ref()).ok_or_else(|| no_class(&code))?;
    let stop = classes.stop.clone();
    let views = stream::unfold((Some(watch), stop), |(watch, stop): (Option<Watch>, _)| async move {
        let mut watch = watch?;
        let next = stop.run_until_cancelled(watch.next()).await?;
        let Some(view) = next else {
            return Some((Ok(Sent::default().event("over").data("{}")), (None, stop)));
        };
        let sent = Sent::default().event("class").json_data(view).unwrap_or_default();
        Some((Ok(sent), (Some(watch), stop)))
    });
    Ok(Sse::new(views).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

/// The address for followers as a QR code, drawn here: no other server is asked.
async fn qr(State(rooms): State<Rooms>, On(code): On) -> Result<Response, Problem> {
    let url = rooms.view(&code).ok_or_else(|| no_class(&code))?.url;
    let drawn = QrCode::new(url.as_bytes())
        .map_err(|error| Problem::invalid(format!("the address does not fit into a QR code: {error}")))?
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], drawn).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_are_sent_to_an_address_that_they_can_reach() {
        let own = || Some("192.0.2.7".parse().unwrap());
        for (seen_at, host, expected) in [
            (Some("https://lab.example"), Some("127.0.0.1:3000"), "https://lab.example"),
            (None, Some("127.0.0.1:3000"), "http://192.0.2.7:3000"),
            (None, Some("localhost"), "http://192.0.2.7"),
            (None, Some("[::1]:3000"), "http://192.0.2.7:3000"),
            (None, Some("lab.example:3000"), "http://lab.example:3000"),
            (None, None, "http://192.0.2.7"),
        ] {
            assert_eq!(origin(seen_at, host, own), expected, "{seen_at:?} {host:?}");
        }
        assert_eq!(origin(None, Some("127.0.0.1:3000"), || None), "http://127.0.0.1:3000");
    }
}
