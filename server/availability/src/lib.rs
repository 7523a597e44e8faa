//! Asking inventory over HTTP what is for sale: choreography's way of getting what the event does not carry.

mod breaker;
mod chosen;
mod hearing;
pub mod http;

use axum::http::{Request, Uri, header, uri::Authority};
use base::clock;
use breaker::Breaker;
use chosen::Chosen;
use encodings::media_type;
use flow::{Availability, Encoding, Id, Kind, Node, Service, Sku, System, api, event::State, fault::Gate};
use hearing::Heard;
use http_body_util::Empty;
use http_edge::HEADER_CALL;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use journal::Reporter;
use messaging::{Failure, Scope, Scopes, envelope, headers};
use rand::RngExt;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

/// A question that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many questions are asked at once; each has a connection, and so two descriptors in one process. More do not make
/// inventory faster.
const CALLS_MAX: usize = 64;
/// A connection is given up before inventory's side does so, with a question perhaps on its way.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a question is asked again, and after how long at most. Asking changes nothing, so that is safe.
const RETRY_WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// How many retries each call pays for, and how many may be saved up: when most calls fail, asking again only adds
/// to the trouble.
const RETRIES_PER_CALL: f64 = 0.2;
const RETRIES_SAVED_MAX: f64 = 10.0;

/// A pooled HTTP client of inventory's availability endpoint. It is hyper's own, without redirects, proxies and cookies:
/// nothing is asked as often as this.
#[derive(Debug, Clone)]
pub struct AvailabilityClient {
    http: Client<HttpConnector, Empty<&'static [u8]>>,
    inventory: Authority,
    scopes: Scopes,
    chosen: Chosen,
    callers: Arc<[[Mutex<Caller>; Service::COUNT]; System::COUNT]>,
    /// Each question takes one; each needs a connection.
    turns: Arc<Semaphore>,
}

/// What is remembered of one calling service in one system.
#[derive(Debug)]
struct Caller {
    breaker: Breaker,
    /// How many retries are paid for.
    retries: f64,
}

impl Default for Caller {
    fn default() -> Self {
        Self { breaker: Breaker::default(), retries: RETRIES_SAVED_MAX }
    }
}

impl AvailabilityClient {
    /// A client of the inventory that listens at `inventory`.
    #[must_use]
    pub fn new(inventory: SocketAddr, scopes: Scopes) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(CALLS_MAX)
            .build(connector);
        let (callers, turns) = (Arc::default(), Arc::new(Semaphore::new(CALLS_MAX)));
        Self { http, inventory: authority(inventory), scopes, chosen: Chosen::default(), callers, turns }
    }

    /// In what encoding the consumers of that system ask.
    #[must_use]
    pub fn encoding(&self, system: System) -> Encoding {
        self.chosen.of(system)
    }

    /// From the next question on, the consumers of that system ask in that encoding. A restart forgets it.
    pub fn choose(&self, system: System, encoding: Encoding) {
        self.chosen.choose(system, encoding);
    }

    /// The circuit breaker of a calling service.
    #[must_use]
    pub fn breaker(&self, system: System, service: Service) -> api::Breaker {
        self.caller(system, service).breaker.to_api()
    }

    /// Asks for `sku`, on behalf of the arrival `correlation_id`, and reports each question and answer.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when inventory does not know the SKU, [`Failure::NotNow`] while the breaker is open,
    /// [`Failure::Transient`] for everything else.
    pub async fn ask(
        &self,
        system: System,
        sku: Sku,
        correlation_id: &str,
        reporter: &Reporter,
    ) -> Result<Availability, Failure> {
        let service = match reporter.about().node {
            Some(Node::Service(service)) => service,
            _ => Service::Inventory,
        };
        let scope = self.scopes.of(system, service);
        self.admit(scope, reporter)?;
        scope.pass(Gate::BeforeHttp, reporter).await;
        let mut tries = 0;
        let answer = loop {
            let answer = self.ask_once(scope, sku, correlation_id, reporter).await;
            let Some(wait) = self.learn(scope, &answer, tries, reporter) else { break answer };
            tries += 1;
            sleep(wait).await;
            // The breaker may have opened meanwhile: then the message waits, and not its handler.
            self.admit(scope, reporter)?;
        };
        scope.pass(Gate::AfterHttp, reporter).await;
        answer
    }

    fn caller(&self, system: System, service: Service) -> MutexGuard<'_, Caller> {
        let caller = &self.callers[system.index()][service as usize];
        caller.lock().expect("nothing panics while it holds this lock")
    }

    /// Takes in how a call ended; after how long to ask again, if at all.
    fn learn(
        &self,
        scope: &Scope,
        answer: &Result<Availability, Failure>,
        tries: usize,
        reporter: &Reporter,
    ) -> Option<Duration> {
        self.change(scope, reporter, |caller| {
            let Err(Failure::Transient(reason)) = answer else {
                caller.breaker.succeeded();
                caller.retries = (caller.retries + RETRIES_PER_CALL).min(RETRIES_SAVED_MAX);
                return None;
            };
            caller.breaker.failed(clock::now_us(), reason);
            let wait = RETRY_WAITS.get(tries).filter(|_| caller.retries >= 1.0)?;
            caller.retries -= 1.0;
            Some(wait.mul_f64(rand::rng().random_range(0.5..1.0)))
        })
    }

    /// Changes what is remembered of a caller; tells it if its breaker is another after that.
    fn change<T>(&self, scope: &Scope, reporter: &Reporter, change: impl FnOnce(&mut Caller) -> T) -> T {
        let mut caller = self.caller(scope.system, scope.service);
        let from = caller.breaker.state();
        let changed = change(&mut caller);
        let to = caller.breaker.state();
        if from != to {
            // Under the lock, so that the journal has the changes in their order.
            let reason = caller.breaker.last_error().map(str::to_owned);
            reporter.tell(Kind::BreakerChanged { from, to, reason });
        }
        changed
    }

    fn admit(&self, scope: &Scope, reporter: &Reporter) -> Result<(), Failure> {
        let admitted = self.change(scope, reporter, |caller| caller.breaker.admit(clock::now_us()));
        admitted.map_err(|wait_us| {
            // Not all at once: the first to come back is the one that tries.
            let spread = rand::rng().random_range(1.0..1.5);
            Failure::NotNow {
                reason: "inventory is not asked for now: its circuit breaker is open".into(),
                delay: Duration::from_micros(wait_us).mul_f64(spread),
            }
        })
    }

    async fn ask_once(
        &self,
        scope: &Scope,
        sku: Sku,
        correlation_id: &str,
        reporter: &Reporter,
    ) -> Result<Availability, Failure> {
        let _turn = self.turns.acquire().await.expect("nobody closes it");
        let http_id = envelope::new_id();
        let path = scope.system.api(&format!("inventory/skus/{sku}/availability"));
        let target = Service::Inventory;
        let refused = scope.before_call(&http_id, reporter);
        let inventory = if refused { authority(closed_port()) } else { self.inventory.clone() };
        let uri = Uri::builder().scheme("http").authority(inventory).path_and_query(&*path);
        let uri = uri.build().expect("styles and SKUs need no escaping in a path");
        let encoding = self.encoding(scope.system);
        let request = Request::get(uri).header(HEADER_CALL, &*http_id);
        let mut request = request.header(header::ACCEPT, media_type::name(encoding));
        if let Some(traceparent) = envelope::traceparent(correlation_id, &http_id) {
            request = request.header(headers::HEADER_TRACEPARENT, &*traceparent);
        }
        let asked_us =
            reporter.tell(Kind::HttpRequest { http_id: Arc::clone(&http_id), target, path, encoding });
        let mut heard = Heard::default();
        let asking = async {
            let request = request.body(Empty::new()).expect("ids are header values");
            let response = self.http.request(request).await.map_err(|error| silence(root_cause(&error)))?;
            heard.listen(response, sku).await
        };
        let too_late = |_| Err(silence(format!("nothing came within {} s", TIMEOUT.as_secs())));
        let answer = timeout(TIMEOUT, asking).await.unwrap_or_else(too_late);
        scope.after_call(&http_id);
        let duration_us = clock::now_us().saturating_sub(asked_us);
        let kind = Kind::HttpResponse {
            http_id: Id::clone(&http_id),
            target,
            status: heard.status.map(|status| status.as_u16()),
            error: answer.as_ref().err().map(ToString::to_string),
            answer: answer.as_ref().ok().copied().map(State::from),
            duration_us,
            encoding: heard.encoding,
            body: heard.body.map(|body| body.to_id()),
        };
        reporter.tell_with(kind, |event| event.causation_id = Some(http_id));
        answer
    }
}

/// A loopback address at which nobody listens: it was free a moment ago, and is nobody's now.
fn closed_port() -> SocketAddr {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    // Port 1 (tcpmux) is the fallback: hardly any machine has had that service in decades.
    std::net::TcpListener::bind(any)
        .and_then(|listener| listener.local_addr())
        .unwrap_or_else(|_| ([127, 0, 0, 1], 1).into())
}

fn authority(addr: SocketAddr) -> Authority {
    addr.to_string().parse().expect("an address with a port is an authority (RFC 3986, section 3.2)")
}

fn silence(why: String) -> Failure {
    Failure::Transient(format!("inventory did not answer: {why}"))
}

/// What went wrong is at the end of the chain.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
