//! The way in which the producer keeps a message until each service addressed has acknowledged it: a ROUTER socket, to which each
//! service has a DEALER.
//!
//! Many messages are on their way at once. One that somebody does not acknowledge in time is handed back to the outbox, which
//! sends it again, to those who have not acknowledged it yet; and whoever comes back gets at once what is on its way.

use crate::{
    Hub, door,
    frames::{self, Headers},
    listen::Socket as Kind,
    outlet::{Push, ZmqOutlet},
};
use bytes::Bytes;
use flow::{Id, Service};
use futures::{StreamExt, channel::mpsc::Receiver};
use messaging::publisher::PublishError;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval},
};
use zeromq::{RouterSocket, Socket, SocketEvent, SocketRecv, SocketSend, ZmqError, ZmqMessage};

/// What services say.
pub const HELLO: &str = "hello";
pub const ACK: &str = "ack";
/// What they are answered.
pub const WELCOME: &str = "welcome";

/// How long services may take to acknowledge. A message may well be put off for longer, and is known to them then.
const ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// How exactly that is measured.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Of so many messages it is remembered who has acknowledged them, after they went back to the outbox.
const REMEMBERED: usize = 10_000;

/// A message that is not acknowledged by all.
struct Pending {
    /// Who has yet to acknowledge it.
    waits_for: Vec<Service>,
    message: ZmqMessage,
    since: Instant,
    answer: oneshot::Sender<Result<(), PublishError>>,
}

struct Router {
    hub: Hub,
    socket: RouterSocket,
    events: Receiver<SocketEvent>,
    /// Who has said hello and not left.
    is_here: [bool; Service::ALWAYS.len()],
    pending: HashMap<Id, Pending>,
    /// Who has yet to acknowledge what went back to the outbox.
    handed_back: HashMap<Id, Vec<Service>>,
    /// The same, oldest first.
    ages: VecDeque<Id>,
    _open: door::Open,
}

pub(crate) async fn bind(hub: &Hub) -> Result<ZmqOutlet, ZmqError> {
    let mut socket = RouterSocket::new();
    let events = socket.monitor();
    let open = hub.bind_inside(Kind::Router, &mut socket).await?;
    let (outlet, pushes) = ZmqOutlet::new(hub.clone());
    let router = Router {
        hub: hub.clone(),
        socket,
        events,
        is_here: Default::default(),
        pending: HashMap::new(),
        handed_back: HashMap::new(),
        ages: VecDeque::new(),
        _open: open,
    };
    tokio::spawn(router.run(pushes));
    Ok(outlet)
}

impl Router {
    async fn run(mut self, mut pushes: mpsc::UnboundedReceiver<Push>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                push = pushes.recv() => match push {
                    Some(push) => self.send(push).await,
                    None => return,
                },
                heard = self.socket.recv() => match heard {
                    Ok(message) => self.hear(&message).await,
                    // There is always somebody who may yet come.
                    Err(error) => tracing::debug!(%error, "the ROUTER socket"),
                },
                Some(event) = self.events.next() => {
                    if let SocketEvent::Disconnected(identity) = event
                        && let Some(service) = self.hub.service_of(&identity)
                    {
                        self.is_here[service as usize] = false;
                    }
                }
                _ = ticks.tick() => self.look(),
            }
        }
    }

    async fn send(&mut self, push: Push) {
        let Push { target, envelope, answer } = push;
        let id = Id::clone(&envelope.message_id);
        // Who has acknowledged it does not get it again.
        let known = self.pending.remove(&id).map(|pending| pending.waits_for);
        let waits_for = known.or_else(|| self.handed_back.remove(&id)).unwrap_or_else(|| target.services());
        if waits_for.is_empty() {
            let _ = answer.send(Ok(()));
            return;
        }
        let headers = Headers { run: self.hub.run().to_owned(), ..Headers::of(&envelope) };
        let message = frames::message(&target.topic(), &headers, &envelope.body);
        for service in &waits_for {
            self.hand_to(*service, &message).await;
        }
        self.pending.insert(id, Pending { waits_for, message, since: Instant::now(), answer });
    }

    async fn hand_to(&mut self, service: Service, message: &ZmqMessage) {
        if !self.is_here[service as usize] {
            return;
        }
        let mut addressed = message.clone();
        addressed.push_front(self.hub.identity(service).to_owned().into());
        if self.socket.send(addressed).await.is_err() {
            self.is_here[service as usize] = false;
        }
    }

    async fn hear(&mut self, message: &ZmqMessage) {
        let frames: Vec<&Bytes> = message.iter().collect();
        let said: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
        let service = said.first().and_then(|identity| self.hub.service_of(identity));
        match (service, &said[1..]) {
            (Some(service), [word]) if *word == HELLO.as_bytes() => {
                self.is_here[service as usize] = true;
                let welcome = ZmqMessage::from(WELCOME);
                self.hand_to(service, &welcome).await;
                let due = self.pending.values().filter(|one| one.waits_for.contains(&service));
                let mut due: Vec<_> = due.map(|one| (one.since, one.message.clone())).collect();
                // In the order in which they were sent.
                due.sort_by_key(|(since, _)| *since);
                for (_, message) in due {
                    self.hand_to(service, &message).await;
                }
            }
            (Some(service), [word, id]) if *word == ACK.as_bytes() => {
                let Ok(id) = std::str::from_utf8(id) else { return };
                self.acknowledged(service, &id.into());
            }
            (Some(_), _) => {}
            (None, _) => {
                let why = "it is none of our services, and only they acknowledge";
                self.hub.doors().door(Kind::Router).turn_away("what a peer said", why);
            }
        }
    }

    fn acknowledged(&mut self, service: Service, id: &Id) {
        if let Some(waits_for) = self.handed_back.get_mut(id) {
            waits_for.retain(|one| *one != service);
        }
        let Some(pending) = self.pending.get_mut(id) else { return };
        pending.waits_for.retain(|one| *one != service);
        if pending.waits_for.is_empty()
            && let Some(pending) = self.pending.remove(id)
        {
            // Who does not wait any more does not want to know.
            let _ = pending.answer.send(Ok(()));
        }
    }

    /// Hands back what nobody will acknowledge for now.
    fn look(&mut self) {
        let now = Instant::now();
        let is_here = self.is_here;
        let is_over = |pending: &Pending| {
            let waited = now.duration_since(pending.since);
            // To wait for who is not there only keeps others from being sent.
            let is_away = pending.waits_for.iter().all(|service| !is_here[*service as usize]);
            waited >= if is_away { LOOK_EVERY } else { ACK_TIMEOUT }
        };
        let over: Vec<_> =
            self.pending.iter().filter(|(_, one)| is_over(one)).map(|(id, _)| Id::clone(id)).collect();
        for id in over {
            let Some(Pending { waits_for, answer, .. }) = self.pending.remove(&id) else { continue };
            let who: Vec<_> = waits_for.iter().map(|service| service.as_str()).collect();
            let who = who.join(" and ");
            let why = format!("{who} has not acknowledged it yet: inventory keeps it, and sends it again");
            let _ = answer.send(Err(PublishError::NotTaken(why)));
            self.handed_back.insert(Id::clone(&id), waits_for);
            self.ages.push_back(id);
            while self.ages.len() > REMEMBERED {
                if let Some(oldest) = self.ages.pop_front() {
                    self.handed_back.remove(&oldest);
                }
            }
        }
    }
}
