use super::*;
use futures::{FutureExt, future::join_all};

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(&dir.path().join("t.db"), "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)").unwrap()
}

async fn insert(store: &Store, n: i64) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            tx.execute("INSERT INTO t (n) VALUES (?1)", [n])?;
            Ok(())
        })
        .await
}

async fn count(store: &Store) -> i64 {
    store
        .read::<i64, StoreError>(|tx| Ok(tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_read_sees_every_write_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    for result in join_all((0..1_000).map(|n| insert(&store, n))).await {
        result.unwrap();
    }
    assert_eq!(count(&store).await, 1_000);
}

#[tokio::test]
async fn work_that_fails_undoes_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let outcomes = join_all([1, 2, 1, 3].map(|n| insert(&store, n))).await;
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(count(&store).await, 3);
}

#[tokio::test]
async fn work_that_panics_undoes_only_itself_and_the_store_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let panics = store.write::<(), StoreError>(|tx| {
        tx.execute("INSERT INTO t (n) VALUES (7)", [])?;
        panic!("a defect");
    });
    assert!(matches!(panics.await, Err(StoreError::Panicked)));
    assert_eq!(count(&store).await, 0);
    insert(&store, 1).await.unwrap();
    let read = store.read::<(), StoreError>(|_| panic!("a defect")).await;
    assert!(matches!(read, Err(StoreError::Panicked)));
    assert_eq!(count(&store).await, 1);
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_full_store_says_so_keeps_what_it_has_and_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let limit = |pages: u32| {
        let store = store.clone();
        async move {
            let set = move |tx: &Transaction<'_>| -> Result<(), StoreError> {
                Ok(tx.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
            };
            store.write(set).await
        }
    };
    let fill = async || {
        let sql = "INSERT INTO t (n) SELECT value FROM (WITH RECURSIVE c(value) AS (SELECT 10 UNION ALL \
                   SELECT value + 1 FROM c WHERE value < 50000) SELECT value FROM c)";
        store.write::<_, StoreError>(|tx| Ok(tx.execute(sql, [])?)).await
    };
    insert(&store, 1).await.unwrap();
    limit(4).await.unwrap();
    assert!(matches!(fill().await, Err(StoreError::Full)));
    assert_eq!(count(&store).await, 1);
    limit(1_000_000).await.unwrap();
    fill().await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_sqlite_gives_up_takes_nobody_elses_work_outside_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    // Holds the thread until all of them wait for it, so that they share a transaction.
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let hold = store.write::<_, StoreError>(move |_| {
        gone.recv().unwrap();
        Ok(())
    });
    let gives_up = store.write::<_, StoreError>(|tx| Ok(tx.execute_batch("ROLLBACK")?));
    let (before, after) = (insert(&store, 1), insert(&store, 2));
    let mut all = [hold.boxed(), before.boxed(), gives_up.boxed(), after.boxed()];
    for one in &mut all {
        assert!(futures::poll!(one).is_pending(), "it is handed over when it is first polled");
    }
    go.send(()).unwrap();
    let [_, before, gives_up, after] = join_all(all).await.try_into().unwrap();
    assert!(matches!(before, Err(StoreError::Lost)), "{before:?}");
    assert!(matches!(gives_up, Err(StoreError::Lost)), "{gives_up:?}");
    // It comes in a transaction of its own.
    after.unwrap();
    let numbers = store
        .read::<Vec<i64>, StoreError>(|tx| {
            Ok(tx.prepare("SELECT n FROM t")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .await;
    assert_eq!(numbers.unwrap(), [2]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_not_well_although_an_empty_commit_succeeded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ping().await.unwrap();
    let read_only = async |on: bool| {
        let set = move |tx: &Transaction<'_>| -> Result<(), StoreError> {
            Ok(tx.pragma_update(None, "query_only", on)?)
        };
        store.write(set).await
    };
    read_only(true).await.unwrap();
    store.write::<_, StoreError>(|_| Ok(())).await.unwrap();
    store.ping().await.unwrap_err();
    read_only(false).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_store_whose_file_was_taken_away_is_not_well() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ping().await.unwrap();
    std::fs::remove_file(dir.path().join("t.db")).unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Gone(_))));
}

#[test]
fn a_file_of_another_kind_is_refused_by_name_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let foreign = b"this is no database at all, but somebody's letter".repeat(100);
    std::fs::write(&path, &foreign).unwrap();
    let error = Store::open(&path, "").unwrap_err().to_string();
    assert!(error.contains("t.db"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), foreign);
}
