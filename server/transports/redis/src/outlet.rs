//! Where messages are published: one after the other, as many at once as there are.

use crate::{
    RedisLink, entry,
    job::Job,
    names,
};
use flow::{
    Style, System,
    topology::{self, Queue},
};
use messaging::{
    Envelope,
    publisher::PublishError,
    transport::{InFlight, Lost, Outlet},
};
use redis::{Cmd, ServerError, Value, cmd, pipe};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// So many commands travel together at most.
const TOGETHER: usize = 256;
/// How long a message may be without an answer.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct RedisOutlet {
    system: System,
    to_send: mpsc::UnboundedSender<Push>,
}

/// A command, and who waits for its answer.
struct Push {
    command: Cmd,
    answer: oneshot::Sender<Result<(), PublishError>>,
}

/// A message on its way.
#[derive(Debug)]
pub struct Pushed(oneshot::Receiver<Result<(), PublishError>>);

impl RedisOutlet {
    pub(crate) fn open(link: &RedisLink, system: System) -> Self {
        let (to_send, pushes) = mpsc::unbounded_channel();
        let (link, cut) = (link.clone(), link.cut());
        tokio::spawn(async move {
            tokio::select! {
                () = send_all(&link, pushes) => {}
                () = cut.cancelled() => {}
            }
        });
        Self { system, to_send }
    }

    /// The queue that is addressed by its name.
    fn queue(&self, exchange: &str, routing_key: &str) -> Option<&'static Queue> {
        let named = topology::queue_named(routing_key).filter(|queue| queue.system() == self.system);
        named.filter(|_| exchange.is_empty())
    }
}

/// Sends what there is to send until nobody can send any more. A connection that fails answers for everything.
async fn send_all(link: &RedisLink, mut pushes: mpsc::UnboundedReceiver<Push>) {
    let mut connection = link.connection();
    let mut batch = Vec::with_capacity(TOGETHER);
    while pushes.recv_many(&mut batch, TOGETHER).await > 0 {
        let mut all = pipe();
        all.ignore_errors();
        batch.iter().for_each(|push| {
            all.add_command(push.command.clone());
        });
        match all.query_async::<Vec<Value>>(&mut connection).await {
            Ok(values) => {
                for (push, value) in batch.drain(..).zip(values) {
                    // Who does not wait any more does not want to know.
                    let _ = push.answer.send(answer(value));
                }
            }
            Err(error) => {
                let Lost(why) = link.failed(error);
                for push in batch.drain(..) {
                    let _ = push.answer.send(Err(Lost(why.clone()).into()));
                }
            }
        }
    }
}

fn answer(value: Value) -> Result<(), PublishError> {
    match value {
        Value::ServerError(error) => Err(PublishError::Refused(Some(refusal(&error)))),
        _ => Ok(()),
    }
}

/// Why Redis does not take a message, and what mends it where we know.
pub(crate) fn refusal(error: &ServerError) -> String {
    let said = format!("{} {}", error.code(), error.details().unwrap_or_default());
    let said = said.trim();
    match error.code() {
        "OOM" => format!("Redis has no memory left ({said}); raise its maxmemory, or empty what waits there"),
        "MISCONF" => format!("Redis cannot write to its disk ({said})"),
        "READONLY" => format!("this Redis is a replica and takes nothing ({said})"),
        "WRONGTYPE" => format!("somebody keeps something else under our name ({said})"),
        _ => format!("Redis refuses it: {said}"),
    }
}

/// The command that adds a message to a stream.
pub(crate) fn add_entry(stream: &str, envelope: &Envelope) -> Cmd {
    let mut add = cmd("XADD");
    add.arg(stream).arg("*");
    for (name, value) in entry::fields(envelope) {
        add.arg(name).arg(value);
    }
    add
}

impl Outlet for RedisOutlet {
    type InFlight = Pushed;

    fn send(&self, exchange: &str, routing_key: &str, envelope: &Envelope) -> Result<Pushed, PublishError> {
        let command = match self.queue(exchange, routing_key) {
            None => add_entry(names::STREAM, envelope),
            Some(queue) => match queue.style {
                Style::Choreography => add_entry(&names::own_stream(queue.service), envelope),
                Style::Orchestration => {
                    let mut push = cmd("LPUSH");
                    push.arg(queue.name).arg(Job::of(envelope, queue).to_text());
                    push
                }
            },
        };
        let (answer, answered) = oneshot::channel();
        let pushed = self.to_send.send(Push { command, answer });
        pushed.map_err(|_| Lost("the connection to Redis is gone".to_owned()))?;
        Ok(Pushed(answered))
    }

    /// An entry of the stream is at once what every group has yet to read.
    fn reaches(&self, exchange: &str, routing_key: &str) -> Vec<&'static Queue> {
        match self.queue(exchange, routing_key) {
            Some(queue) => vec![queue],
            None => self.system.queues().collect(),
        }
    }
}

impl InFlight for Pushed {
    async fn confirmed(self) -> Result<(), PublishError> {
        match timeout(CONFIRM_TIMEOUT, self.0).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Lost("the connection to Redis is gone".to_owned()).into()),
            Err(_) => Err(PublishError::Timeout),
        }
    }
}
