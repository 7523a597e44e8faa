use super::{
    rows::advance,
    sqlite::{SCHEMA, SqliteFiles},
    *,
};
use store::Store;

async fn book(dir: &tempfile::TempDir) -> SqliteFiles {
    SqliteFiles(Store::open(&dir.path().join("inventory.db"), SCHEMA).unwrap())
}

async fn sight(book: &SqliteFiles) -> i64 {
    let (name, state) = ("a.csv".to_owned(), FileState::Seen);
    book.sight(vec![Sighted { name, size_bytes: 10, state, reason: None }]).await.unwrap()[0]
}

fn content(hash: &str, size_bytes: u64) -> Content {
    Content { hash: hash.into(), size_bytes }
}

async fn read_to(book: &SqliteFiles, id: i64, from_line: u64, to_line: u64) -> Result<(), StoreError> {
    let bad = vec![BadLine { line: to_line, reason: "no".into() }];
    let step = Advance { id, from_line, to_line, good: to_line - from_line - 1, bad, is_last: false };
    book.0.write(move |tx| advance(tx, &step)).await
}

#[tokio::test]
async fn a_file_goes_on_where_it_was_and_no_stretch_counts_twice() {
    let dir = tempfile::tempdir().unwrap();
    let book = book(&dir).await;
    let id = sight(&book).await;
    assert_eq!(
        book.identify(id, content("h1", 10), false, None).await.unwrap(),
        Identity::Read { id, lines_done: 0 }
    );
    read_to(&book, id, 0, 5).await.unwrap();
    assert!(read_to(&book, id, 0, 5).await.is_err(), "the same stretch again");
    assert_eq!(sight(&book).await, id, "it is still the same file");
    let again = book.identify(id, content("h1", 10), false, None).await.unwrap();
    assert_eq!(again, Identity::Read { id, lines_done: 5 });
    let file = book.find(id).await.unwrap().unwrap();
    assert_eq!((file.rows_good, file.rows_bad), (4, 1));
}

#[tokio::test]
async fn a_name_with_other_content_is_new_and_with_the_same_content_is_a_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let book = book(&dir).await;
    let mut ids = Vec::new();
    for hash in ["h1", "h2", "h1"] {
        let id = sight(&book).await;
        let identity = book.identify(id, content(hash, 10), false, None).await.unwrap();
        match ids.len() {
            2 => assert_eq!(identity, Identity::Repeat { of: ids[0] }),
            _ => assert_eq!(identity, Identity::Read { id, lines_done: 0 }),
        }
        book.counted(id).await.unwrap();
        book.done(id, FileState::Processed, None).await.unwrap();
        ids.push(id);
    }
    assert!(book.open().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_replaced_while_it_was_read_is_a_delivery_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let book = book(&dir).await;
    let first = sight(&book).await;
    book.identify(first, content("h1", 10), false, None).await.unwrap();
    read_to(&book, first, 0, 3).await.unwrap();
    let Identity::Read { id, lines_done: 0 } =
        book.identify(first, content("h2", 11), false, None).await.unwrap()
    else {
        panic!("it starts anew")
    };
    assert_ne!(id, first);
    assert_eq!(book.find(first).await.unwrap().unwrap().state, FileState::Processed);
}

#[tokio::test]
async fn a_file_that_grew_goes_on_with_the_row_in_which_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let book = book(&dir).await;
    let id = sight(&book).await;
    book.identify(id, content("h1", 10), false, None).await.unwrap();
    let bad = [4, 5].map(|line| BadLine { line, reason: CUT.into() }).into();
    let step = Advance { id, from_line: 0, to_line: 5, good: 3, bad, is_last: true };
    book.0.write(move |tx| advance(tx, &step)).await.unwrap();
    assert!(book.open().await.unwrap()[0].is_counted);
    book.done(id, FileState::Processed, None).await.unwrap();
    let on = book.identify(id, content("h2", 20), true, Some("comma".into())).await.unwrap();
    assert_eq!(on, Identity::Read { id, lines_done: 3 });
    let file = book.find(id).await.unwrap().unwrap();
    assert_eq!((file.rows_good, file.rows_bad, file.size_bytes), (3, 0, 20));
    assert_eq!((book.open().await.unwrap()[0].is_counted, file.format.as_deref()), (false, Some("comma")));
}
