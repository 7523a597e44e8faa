//! What wishlist asks of its store. A database behind it keeps the service as it is.

use crate::{
    address::MailAddress,
    mail::{ForSmtp, Forms, Stored},
    wishes::WishRecord,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use flow::{
    Availability, Id, Sku, System,
    api::{Email, Wish},
    event::State,
};
use std::{collections::HashSet, fmt::Debug, sync::Arc};
use store::{
    StoreError, Told,
    effect::Effect,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};

/// A message that says what is for sale.
#[derive(Debug, Clone)]
pub struct News {
    pub consumer: Consumer,
    pub message_id: Id,
    /// The arrival that it belongs to.
    pub correlation_id: Id,
    /// What is for sale.
    pub known: Availability,
    /// How far it is believed.
    pub word: Word,
}

/// What was known before, and the e-mails that came of it.
pub type Updated = (Option<State>, Vec<Stored>);

/// What became of an e-mail after a try to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The SMTP server has it.
    Sent,
    /// It is tried again.
    PutOff {
        /// Why it did not leave.
        reason: String,
        /// Before that it is not tried.
        not_before: DateTime<Utc>,
    },
    /// It is not tried again, for that reason.
    NotSendable(String),
}

/// The next e-mail to send.
#[derive(Debug)]
pub enum NextEmail {
    Due(ForSmtp),
    /// None now; one will be due then, if any.
    NotBefore(Option<DateTime<Utc>>),
}

/// The store of what is wished for, what is known, and the mailbox.
///
/// Every change is on disk when its method returns, and undone as a whole when it fails.
#[async_trait]
pub trait WishStore: Debug + Send + Sync {
    /// Takes in what is for sale, unless the message was handled before or something as new is known; where a SKU turns from
    /// not available to available, everybody who wished for it gets one e-mail, with links to the page at `base_url`.
    ///
    /// # Errors
    /// When the version is one that a command alone is not believed, or the store fails.
    async fn update(
        &self,
        news: News,
        base_url: Arc<str>,
        told: Told<Effect<Updated>>,
    ) -> Result<Effect<Updated>, VersionError>;

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError>;

    /// Who waits for what, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    async fn wishes(&self, system: System) -> Result<Vec<Wish>, StoreError>;

    /// Adds a wish; the same wish twice is one wish.
    ///
    /// # Errors
    /// When the store fails.
    async fn wish(
        &self,
        system: System,
        email: MailAddress,
        name: Option<String>,
        sku: Sku,
    ) -> Result<Wish, StoreError>;

    /// The wish that whoever knows the token may take away.
    ///
    /// # Errors
    /// When the store fails.
    async fn wish_of(&self, system: System, token: String) -> Result<Option<Wish>, StoreError>;

    /// Takes a wish away; `false` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    async fn forget(&self, system: System, id: i64) -> Result<bool, StoreError>;

    /// One e-mail in all its forms.
    ///
    /// # Errors
    /// When the store fails.
    async fn email(&self, system: System, id: i64) -> Result<Option<Forms>, StoreError>;

    /// Every e-mail, newest first. What is not sent yet waits for an SMTP server, where there is one, and that may be
    /// offline for a reason.
    ///
    /// # Errors
    /// When the store fails.
    async fn emails(
        &self,
        system: System,
        has_smtp: bool,
        offline: Option<String>,
    ) -> Result<Vec<Email>, StoreError>;

    /// How many e-mails there are.
    ///
    /// # Errors
    /// When the store fails.
    async fn mailed(&self, system: System) -> Result<u64, StoreError>;

    /// The next e-mail to send at `now`, apart from those that are being sent.
    ///
    /// # Errors
    /// When the store fails.
    async fn next_email(&self, now: DateTime<Utc>, busy: Vec<i64>) -> Result<NextEmail, StoreError>;

    /// Lets no e-mail wait beyond `latest`: the clock may have gone back.
    ///
    /// # Errors
    /// When the store fails.
    async fn bring_forward(&self, latest: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes what became of an e-mail.
    ///
    /// # Errors
    /// When the store fails.
    async fn note(&self, id: i64, fate: Fate) -> Result<(), StoreError>;

    /// What is known of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError>;

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    async fn highest(&self) -> Result<Floors, StoreError>;

    /// Takes on other wishes in place of all there are, and what is for sale in place of what is not newer than `floors`;
    /// the e-mails are gone with it. `told` gets what is known now.
    ///
    /// # Errors
    /// When the store fails.
    async fn replace(
        &self,
        wishes: Vec<WishRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
        told: Told<Vec<(System, Availability)>>,
    ) -> Result<(), StoreError>;

    /// Every wish.
    ///
    /// # Errors
    /// When the store fails.
    async fn export(&self) -> Result<Vec<WishRecord>, StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
