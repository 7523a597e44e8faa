//! Names that are free in the server's folders, for what is moved there and for reports.

use super::client::{Client, ClientError};

/// What a new file is called: `stock.csv`, or `stock.12.csv` when that is taken, where 12 is the number of the file in the
/// book. Where numbers began anew with the book, a piece of the content's hash tells them apart.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub folder: &'a str,
    /// What the name begins with.
    pub start: &'a str,
    /// What it ends with, with its dot; empty when it has no ending.
    pub ending: &'a str,
    /// The number of the file in the book.
    pub id: i64,
    /// The hash of the file's content, in hexadecimal digits.
    pub hash: &'a str,
}

impl Wanted<'_> {
    /// The names to try in turn, in the folder. Where the server does not say whether a name is taken, only those come
    /// that no other file would get.
    pub async fn candidates(&self, client: &mut Client) -> Result<Vec<String>, ClientError> {
        let Self { folder, start, ending, id, hash } = self;
        let hash = hash.get(..8).unwrap_or(hash);
        let own = [format!("{start}.{id}-{hash}{ending}"), format!("{start}.{id}-{hash}-2{ending}")];
        if !client.tells_sizes() {
            return Ok(own.into());
        }
        let mut free = Vec::new();
        for name in [format!("{start}{ending}"), format!("{start}.{id}{ending}")].into_iter().chain(own) {
            if client.size(&format!("{folder}/{name}")).await?.is_none() {
                free.push(name);
                if free.len() == 2 {
                    break;
                }
            }
        }
        Ok(free)
    }
}
