//! The mailer: hands stored e-mails to an SMTP server, when one is named. It never keeps a handler waiting.
//!
//! One e-mail goes after the other, and none waits long for another: when the server takes its time over one, the next
//! goes ahead. While the server itself cannot be used, all wait.
//!
//! The window in which a crash can send an e-mail twice lies between the server's 250 and our note of it. A server that
//! hangs up after the whole message may have taken it or not; it is tried again, a few times. The Message-ID is the
//! same each time, and a good mailbox shows one.

use super::{
    Wishlist,
    address::MailAddress,
    mail::ForSmtp,
    smtp::{Session, SmtpServer, Trouble},
    wish_store::{Fate, NextEmail, WishStore},
};
use chrono::{TimeDelta, Utc};
use rand::RngExt;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The pauses while the server cannot be used.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// How long one e-mail has the server to itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many e-mails the server may be busy with at once.
const IN_FLIGHT_MAX: usize = 32;
/// The longest pause between two tries of one e-mail, in seconds.
const PUT_OFF_MAX_S: i64 = 3_600;
/// How often one e-mail is tried that the server puts off; with the growing pauses, for about half a day.
const TRIES_MAX: u32 = 20;
/// How often one is tried that the server may have taken; each try may be one e-mail more for its receiver.
const UNSURE_TRIES_MAX: u32 = 8;
/// How long the server is waited for when the program stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);
/// The store is looked at again after so long at the latest.
const LOOK_EVERY: Duration = Duration::from_secs(60);

impl Wishlist {
    /// Sends what is stored and not yet sent, oldest first, until told to stop.
    pub async fn send_mail(&self, server: SmtpServer, stop: CancellationToken) {
        let mailer = Mailer {
            store: Arc::clone(&self.store),
            offline: self.smtp_offline.clone(),
            server,
            in_flight: JoinSet::new(),
            ids: HashMap::new(),
            backoff: BACKOFF_MIN,
            rest_until: Instant::now(),
            give_up: CancellationToken::new(),
        };
        mailer.run(self.stored_emails.subscribe(), stop).await;
    }
}

struct Mailer {
    store: Arc<dyn WishStore>,
    /// Why the server cannot be used, while it cannot; whoever lists the e-mails is told.
    offline: watch::Sender<Option<String>>,
    server: SmtpServer,
    in_flight: JoinSet<Ended>,
    /// The e-mail of each task in flight.
    ids: HashMap<Id, i64>,
    backoff: Duration,
    /// Before that no connection is made.
    rest_until: Instant,
    /// Cancelled when the program can wait for the server no longer.
    give_up: CancellationToken,
}

/// What is to be done next.
enum Next {
    /// Look for another e-mail.
    Look,
    /// Look for another one after so long, or when one in flight has ended.
    Wait(Duration),
    /// The same; or when e-mails were stored.
    Idle(Duration),
}

/// How the handing over of an e-mail ended.
enum Ended {
    /// What became of it is stored.
    Noted,
    /// Nothing became of it: the server itself is not as it should be.
    NotTried(String),
}

impl Mailer {
    async fn run(mut self, mut stored: watch::Receiver<u64>, stop: CancellationToken) {
        let latest = Utc::now() + TimeDelta::seconds(PUT_OFF_MAX_S);
        if let Err(error) = self.store.bring_forward(latest).await {
            tracing::warn!(%error, "the e-mails that were put off could not be looked through");
        }
        loop {
            stored.mark_unchanged();
            let next = tokio::select! {
                next = self.begin_next() => next,
                () = stop.cancelled() => break,
            };
            let (wait, is_idle) = match next {
                Next::Look => continue,
                Next::Wait(wait) => (wait, false),
                Next::Idle(wait) => (wait, true),
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = self.in_flight.join_next_with_id() => self.ended(ended),
                _ = stored.changed(), if is_idle => {}
                () = sleep(wait) => {}
            }
        }
        // An answer that is not waited for may be one e-mail more after the next start.
        let all = async { while self.in_flight.join_next().await.is_some() {} };
        if timeout(FINISH_TIMEOUT, all).await.is_err() {
            self.give_up.cancel();
            while self.in_flight.join_next().await.is_some() {}
        }
    }

    /// Hands the next e-mail over to a task of its own, if there is one and the server can be used.
    async fn begin_next(&mut self) -> Next {
        let rest = self.rest_until.saturating_duration_since(Instant::now());
        if !rest.is_zero() {
            return Next::Wait(rest);
        }
        if self.ids.len() >= IN_FLIGHT_MAX {
            return Next::Wait(LOOK_EVERY);
        }
        let busy: Vec<i64> = self.ids.values().copied().collect();
        let now = Utc::now();
        let email = match self.store.next_email(now, busy).await {
            Ok(NextEmail::Due(email)) => email,
            Ok(NextEmail::NotBefore(due)) => {
                let wait = due.and_then(|due| (due - now).to_std().ok()).unwrap_or(LOOK_EVERY);
                return Next::Idle(wait.clamp(Duration::from_millis(10), LOOK_EVERY));
            }
            Err(error) => {
                tracing::warn!(%error, "the e-mails to send cannot be read; trying again");
                return Next::Wait(self.rest());
            }
        };
        // An earlier version, or somebody who edited the store, may have let it in.
        let to: MailAddress = match email.to.parse() {
            Ok(to) => to,
            Err(error) => {
                note(&*self.store, &email, Fate::NotSendable(error.to_string()), &self.give_up).await;
                return Next::Look;
            }
        };
        let session = match self.server.connect().await {
            Ok(session) => session,
            Err(reason) => return Next::Wait(self.cannot_be_used(reason)),
        };
        let id = email.id;
        let task = hand_over(Arc::clone(&self.store), session, email, to, self.give_up.clone());
        self.ids.insert(self.in_flight.spawn(task).id(), id);
        Next::Wait(PATIENCE)
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        match ended {
            Ok((task, Ended::Noted)) => {
                self.ids.remove(&task);
                self.backoff = BACKOFF_MIN;
                if self.offline.send_replace(None).is_some() {
                    tracing::info!("the SMTP server can be used again");
                }
            }
            Ok((task, Ended::NotTried(reason))) => {
                self.ids.remove(&task);
                self.cannot_be_used(reason);
            }
            Err(error) => {
                self.ids.remove(&error.id());
                tracing::error!(%error, "an e-mail could not be handed over");
                self.rest();
            }
        }
    }

    /// Notes that the server cannot be used, tells it once, and says how long to rest.
    fn cannot_be_used(&mut self, reason: String) -> Duration {
        if self.offline.borrow().is_none() {
            tracing::warn!(%reason, "the SMTP server cannot be used; all e-mails wait, and it is tried again");
        }
        self.offline.send_replace(Some(reason));
        self.rest()
    }

    fn rest(&mut self) -> Duration {
        let rest = self.backoff.mul_f64(rand::rng().random_range(0.5..1.0));
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        self.rest_until = Instant::now() + rest;
        rest
    }
}

/// Hands one e-mail over, and notes what became of it.
async fn hand_over(
    store: Arc<dyn WishStore>,
    mut session: Session,
    email: ForSmtp,
    to: MailAddress,
    give_up: CancellationToken,
) -> Ended {
    let tried = tokio::select! {
        tried = session.deliver(&to, &email.source) => tried,
        () = give_up.cancelled() => Err(Trouble::Passing {
            reason: "the program was stopped before the SMTP server answered".into(),
            perhaps_taken: true,
        }),
    };
    let ended = match fate(tried, email.tries + 1) {
        Ok(fate) => {
            note(&*store, &email, fate, &give_up).await;
            Ended::Noted
        }
        Err(reason) => Ended::NotTried(reason),
    };
    if !give_up.is_cancelled() {
        session.quit().await;
    }
    ended
}

/// Stores what became of an e-mail. What was sent and is not noted would be sent again: it is noted as soon as there
/// is room on the disk.
async fn note(store: &dyn WishStore, email: &ForSmtp, fate: Fate, give_up: &CancellationToken) {
    if let Fate::NotSendable(reason) = &fate {
        tracing::warn!(to = %email.to, %reason, "an e-mail cannot be sent");
    }
    loop {
        let Err(error) = store.note(email.id, fate.clone()).await else { return };
        tracing::warn!(%error, "what became of an e-mail cannot be stored; trying again");
        tokio::select! {
            () = give_up.cancelled() => return,
            () = sleep(BACKOFF_MIN) => {}
        }
    }
}

/// What follows from the last of so many tries; an error says why that was no try of this e-mail.
fn fate(tried: Result<(), Trouble>, tries: u32) -> Result<Fate, String> {
    Ok(match tried {
        Ok(()) => Fate::Sent,
        Err(Trouble::Server(reason)) => return Err(reason),
        Err(Trouble::Final(reason)) => Fate::NotSendable(reason),
        Err(Trouble::Passing { reason, perhaps_taken: true }) if tries >= UNSURE_TRIES_MAX => {
            Fate::NotSendable(format!("{reason}; tried {tries} times, and it may have come all the same"))
        }
        Err(Trouble::Passing { reason, .. }) if tries >= TRIES_MAX => {
            Fate::NotSendable(format!("{reason}; tried {tries} times"))
        }
        Err(Trouble::Passing { reason, .. }) => {
            Fate::PutOff { reason, not_before: Utc::now() + pause(tries) }
        }
    })
}

/// How long an e-mail waits after so many tries: three times as long each time, less up to a half, so that those that
/// were put off together do not come back together.
fn pause(tries: u32) -> TimeDelta {
    let longest_s = 3_i64.saturating_pow(tries.saturating_sub(1)).min(PUT_OFF_MAX_S);
    TimeDelta::milliseconds(rand::rng().random_range(longest_s * 500..=longest_s * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_stay_below_an_hour() {
        for tries in 1..=TRIES_MAX {
            let longest_ms = 1_000 * 3_i64.pow(tries - 1).min(PUT_OFF_MAX_S);
            let pause_ms = pause(tries).num_milliseconds();
            assert!((longest_ms / 2..=longest_ms).contains(&pause_ms), "{tries}: {pause_ms}");
        }
        assert!(pause(u32::MAX) <= TimeDelta::hours(1));
    }

    #[test]
    fn nothing_is_tried_for_ever_and_what_may_have_come_less_often() {
        let after = |tries, perhaps_taken| {
            fate(Err(Trouble::Passing { reason: "busy".into(), perhaps_taken }), tries).unwrap()
        };
        let is_put_off = |fate: &Fate| matches!(fate, Fate::PutOff { reason, .. } if reason == "busy");
        assert!(is_put_off(&after(TRIES_MAX - 1, false)));
        assert_eq!(after(TRIES_MAX, false), Fate::NotSendable("busy; tried 20 times".into()));
        assert!(is_put_off(&after(UNSURE_TRIES_MAX - 1, true)));
        let Fate::NotSendable(reason) = after(UNSURE_TRIES_MAX, true) else { panic!("it is given up") };
        assert!(reason.contains("may have come all the same"), "{reason}");
    }
}
