//! Loyalty joins a system and leaves it again, while everything runs.
//!
//! What is wanted stands on disk first, and a keeper sees to it: it consumes as long as loyalty is to take part, and takes the
//! queues away once it is not. So a server that was killed in between does the rest when it starts.
//!
//! To leave is always possible. Loyalty has some seconds to work off what is addressed to it; what is left then is thrown away
//! with its queues, counted and told. To refuse instead would keep it for ever where messages come without end, or where
//! nobody can handle them.

use crate::recount;
use axum::{Json, Router, extract::State, routing::get};
use control::Control;
use flow::{
    Actor, Dispatch, Service, Style, System, Transport,
    api::{Loyalty as Stands, LoyaltyWanted, WorkersState},
    topology::Queue,
};
use http_edge::{
    extract::{By, JsonBody, SystemPath},
    problem::Problem,
};
use inventory::Inventory;
use journal::Journal;
use loyalty::{Loyalty, membership::Membership};
use messaging::{
    Bindings as _,
    connection::{Connector, Owner, Session},
    topology,
};
use std::{sync::Arc, time::Duration};
use store::StoreError;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long an answer waits until loyalty consumes, or has left.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what is addressed to it may take to be sent and handled before it leaves.
const WORK_OFF_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a broker may take for one thing.
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long to wait before the queues are tried again that could not be taken away.
const PAUSE: Duration = Duration::from_millis(500);

/// Why it is not as wanted.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// Nobody can be on the list who is not there.
    #[error(
        "applied: inventory's list can name loyalty only while it takes part; send \"joined\":true with it, or leave applied out"
    )]
    AppliedAlone,
    /// There is nothing to apply.
    #[error(
        "applied: choreography's exchange copies the event to every queue that is bound, so that inventory's code needs no \
         change; to change the list that it keeps for dispatch queues, send \"dispatch\":\"queues\" with it"
    )]
    NothingToApply,
    /// It has no queue there.
    #[error("loyalty joins systems over amqp only so far; leave transport={} out", .0.transport)]
    NotOver(System),
    /// It has not left yet.
    #[error("loyalty is still leaving {}: the broker does not take its queues away; try again when it answers", .0.as_str())]
    StillLeaving(System),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<MembersError> for Problem {
    fn from(error: MembersError) -> Self {
        match error {
            MembersError::AppliedAlone | MembersError::NothingToApply | MembersError::NotOver(_) => {
                Self::invalid(error.to_string())
            }
            MembersError::StillLeaving(_) => {
                Self::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            MembersError::Store(error) => error.into(),
        }
    }
}

/// Who lets loyalty join and leave; clones share it.
#[derive(Clone)]
pub struct Members {
    /// Who joins and leaves.
    pub loyalty: Loyalty,
    /// Who may know of it.
    pub inventory: Inventory,
    /// What the others see of it.
    pub control: Control,
    /// The way to the broker.
    pub connector: Connector,
    /// Where it is told.
    pub journal: Journal,
    /// One change at a time.
    pub alone: Arc<[Mutex<()>; System::COUNT]>,
}

pub fn routes(members: Members) -> Router {
    Router::new().route("/api/{style}/loyalty", get(stands).put(want)).with_state(members)
}

async fn stands(State(members): State<Members>, SystemPath(system): SystemPath) -> Json<Stands> {
    Json(members.stands(system))
}

async fn want(
    State(members): State<Members>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<LoyaltyWanted>,
) -> Result<Json<Stands>, Problem> {
    // A task of its own: a client that goes away must not leave it half done.
    let wanting = tokio::spawn(async move { members.want(system, wanted, &by).await });
    Ok(Json(wanting.await.expect("nothing panics while it joins or leaves")?))
}

fn check(style: Style, wanted: LoyaltyWanted) -> Result<(), MembersError> {
    match wanted {
        LoyaltyWanted { joined: false, applied: Some(true), .. } => Err(MembersError::AppliedAlone),
        LoyaltyWanted { applied: Some(true), dispatch: Dispatch::Fanout, .. }
            if style == Style::Choreography =>
        {
            Err(MembersError::NothingToApply)
        }
        _ => Ok(()),
    }
}

impl Members {
    #[must_use]
    pub fn stands(&self, system: System) -> Stands {
        let membership = self.loyalty.membership(system);
        Stands {
            joined: membership.has_joined(),
            applied: membership.is_applied(),
            consuming: membership.has_joined() && self.consumes(system),
            leaving: membership == Membership::Leaving,
            thrown_away: match membership {
                Membership::Out { thrown_away } => thrown_away,
                Membership::In { .. } | Membership::Leaving => 0,
            },
        }
    }

    /// Keeps loyalty from joining or leaving on anybody's word, as long as what is answered lives.
    pub async fn nobody_moves(&self) -> Vec<MutexGuard<'_, ()>> {
        let mut all = Vec::with_capacity(self.alone.len());
        for alone in self.alone.iter() {
            all.push(alone.lock().await);
        }
        all
    }

    fn consumes(&self, system: System) -> bool {
        self.control.workers(system, Service::Loyalty).state == WorkersState::Running
    }

    /// Lets it join or leave, and changes inventory's list; answers how it stands then.
    ///
    /// # Errors
    /// What to mend.
    pub async fn want(
        &self,
        system: System,
        wanted: LoyaltyWanted,
        by: &Arc<Actor>,
    ) -> Result<Stands, MembersError> {
        check(system.style, wanted)?;
        if wanted.joined && system.transport != Transport::Amqp {
            return Err(MembersError::NotOver(system));
        }
        let _alone = self.alone[system.index()].lock().await;
        match (self.loyalty.membership(system), wanted.joined) {
            (Membership::In { applied }, true) => {
                let wanted = wanted.applied.unwrap_or(applied);
                if wanted != applied {
                    self.loyalty.becomes(system, Membership::In { applied: wanted }, Some(by)).await?;
                }
            }
            (Membership::In { applied }, false) => self.leave(system, applied, by).await?,
            (Membership::Leaving, true) => {
                if !self.has_left(system).await {
                    return Err(MembersError::StillLeaving(system));
                }
                self.join(system, wanted.applied == Some(true), by).await?;
            }
            (Membership::Out { .. }, true) => self.join(system, wanted.applied == Some(true), by).await?,
            (Membership::Leaving, false) => _ = self.has_left(system).await,
            (Membership::Out { .. }, false) => {}
        }
        Ok(self.stands(system))
    }

    /// Its queue is there before inventory's list names it: until then, what is addressed to it would come back.
    async fn join(&self, system: System, applied: bool, by: &Arc<Actor>) -> Result<(), MembersError> {
        self.control.set_loyalty(system, true);
        let joined = self.loyalty.becomes(system, Membership::In { applied: false }, Some(by)).await;
        if joined.is_err() {
            self.control.set_loyalty(system, false);
        }
        joined?;
        within(ANSWER_TIMEOUT, || async move { self.consumes(system) }).await;
        if applied {
            self.loyalty.becomes(system, Membership::In { applied }, Some(by)).await?;
        }
        Ok(())
    }

    async fn leave(&self, system: System, applied: bool, by: &Arc<Actor>) -> Result<(), MembersError> {
        let queue = system.style.queue_of(Service::Loyalty);
        if applied {
            self.loyalty.becomes(system, Membership::In { applied: false }, Some(by)).await?;
        }
        self.control.dismiss(system, Service::Loyalty, Some(by));
        let is_sent = || async move { self.inventory.unsent_to(queue).await.is_ok_and(|unsent| unsent == 0) };
        within(WORK_OFF_TIMEOUT, is_sent).await;
        let change = self.control.set_loyalty(system, false);
        // Without a broker nothing comes, either.
        let _ = timeout(BROKER_TIMEOUT, self.work_off(queue, change)).await;
        if let Err(error) = self.loyalty.becomes(system, Membership::Leaving, Some(by)).await {
            self.control.set_loyalty(system, true);
            return Err(error.into());
        }
        self.has_left(system).await;
        Ok(())
    }

    /// Takes the binding away and waits until the queue is empty; it is still consumed.
    async fn work_off(&self, queue: &Queue, change: u64) -> Result<(), String> {
        let connection = self.connector.visit("loyalty leaves").await?;
        let empty = async {
            let channel = connection.create_channel().await?;
            // The tap must not be the only one that hears.
            self.control.tap_has_followed(change).await;
            topology::unbind(&channel, queue).await?;
            let channel = &channel;
            let is_empty =
                || async move { topology::waiting(channel, queue).await.is_ok_and(|waiting| waiting == 0) };
            within(WORK_OFF_TIMEOUT, is_empty).await;
            Ok::<_, lapin::Error>(())
        };
        let emptied = empty.await.map_err(|error| error.to_string());
        let _ = connection.close(200, "done".into()).await;
        emptied
    }

    async fn has_left(&self, system: System) -> bool {
        within(ANSWER_TIMEOUT, || async move { self.loyalty.membership(system) != Membership::Leaving }).await
    }

    /// Sees to it that what is wanted is so, until told to stop. `session` is what loyalty does with its connection until it
    /// is told to leave.
    pub async fn keep<S: Session>(
        self,
        system: System,
        stop: CancellationToken,
        session: impl Fn(CancellationToken) -> S,
    ) {
        let mut memberships = self.loyalty.memberships();
        while !stop.is_cancelled() {
            let membership = memberships.borrow_and_update()[system.index()];
            match membership {
                Membership::In { .. } => {
                    let leaves = stop.child_token();
                    let connector = Connector { stop: leaves.clone(), ..self.connector.clone() };
                    let owner = Owner { node: Service::Loyalty.into(), system: Some(system) };
                    let leaving = async {
                        let stays = |all: &loyalty::membership::Memberships| all[system.index()].has_joined();
                        tokio::select! {
                            _ = memberships.wait_for(|all| !stays(all)) => leaves.cancel(),
                            () = leaves.cancelled() => {}
                        }
                    };
                    tokio::join!(connector.keep(owner.clone(), session(leaves.clone())), leaving);
                    if !stop.is_cancelled() {
                        self.connector.links.forget(&owner);
                        self.control.scope(system, Service::Loyalty).crew().dismissed();
                    }
                }
                Membership::Leaving => {
                    if let Err(error) = self.take_back(system).await {
                        tracing::warn!(%error, %system, "loyalty's queues are not taken away yet; trying again");
                        tokio::select! {
                            () = sleep(PAUSE) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                }
                Membership::Out { .. } => {
                    tokio::select! {
                        // Loyalty outlives this.
                        _ = memberships.changed() => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Takes its queues away, with all that is left for it, and notes that it has left.
    async fn take_back(&self, system: System) -> Result<(), String> {
        let queue = system.style.queue_of(Service::Loyalty);
        self.control.dismiss(system, Service::Loyalty, None);
        let change = self.control.set_loyalty(system, false);
        let connection = self.connector.visit("loyalty leaves").await?;
        let taking = async {
            self.control.tap_has_followed(change).await;
            let channel = connection.create_channel().await?;
            topology::take_away(&channel, queue).await
        };
        let taken = timeout(BROKER_TIMEOUT, taking).await;
        let _ = connection.close(200, "done".into()).await;
        let in_queues =
            taken.map_err(|_| "the broker does not answer")?.map_err(|error| error.to_string())?;
        let noted = async {
            let unsent = self.inventory.drop_unsent_to(queue).await?;
            if unsent > 0 {
                recount::outbox(&self.journal, &self.inventory).await?;
            }
            let thrown_away = in_queues.saturating_add(unsent);
            self.loyalty.becomes(system, Membership::Out { thrown_away }, None).await
        };
        noted.await.map_err(|error: StoreError| error.to_string())
    }
}

/// Waits until something is so, for a while; says whether it is.
async fn within<F: Future<Output = bool>>(time: Duration, is_so: impl Fn() -> F) -> bool {
    let started = Instant::now();
    while !is_so().await {
        if started.elapsed() > time {
            return false;
        }
        sleep(LOOK_AGAIN).await;
    }
    true
}
