//! Files that an older version of this crate wrote.

use super::{MESSAGES, SCHEMA_VERSION};
use rusqlite::{Connection, TransactionBehavior};

/// Brings the file to the present schema, all at once or not at all.
pub(crate) fn run(connection: &mut Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version >= SCHEMA_VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(&format!(
        "ALTER TABLE messages RENAME TO messages_of_version_1;
         {MESSAGES}
         -- The queue was above 40 bits of position.
         INSERT INTO messages
             SELECT key >> 40, key & ((1 << 40) - 1), exchange, routing_keys, properties, body, expires_at_ms,
                 redelivered, delivery_count
             FROM messages_of_version_1 ORDER BY key;
         DROP TABLE messages_of_version_1;
         PRAGMA user_version = {SCHEMA_VERSION};"
    ))?;
    transaction.commit()
}
