//! The search of a space: newest first, in pages, by each key; indexes may lag, so it is asked until it has caught up.

use crate::engine::eventually;
use app::ports::store::{CommandStore, Committed, FinishedImport, ImportStore, Search, SearchBy, StatusStore, Versioned};
use domain::TransactionState;
use domain::id::TransactionId;
use domain::operation::CaptureCommand;
use domain::time::Span;
use domain::transaction::{ImportCommand, ImportFailure, ImportState};
use testkit::TestStore;
use testkit::builders::{
    NOW, begun, capture_of, capture_requested, completed, import_command, merchant_reference, payment, space, transaction_id,
};

fn by(by: SearchBy) -> Search {
    Search { by: Some(by), ..all() }
}

fn all() -> Search {
    Search { limit: 100, ..Search::default() }
}

fn merchant(reference: &str) -> Search {
    by(SearchBy::MerchantReference(reference.to_owned()))
}

async fn page(store: &TestStore, search: &Search) -> (Vec<u64>, Option<u64>) {
    let page = store.search(space(1), search).await.unwrap();
    let ids = page.transactions.iter().map(|transaction| transaction.facts().id.number()).collect();
    (ids, page.next.map(TransactionId::number))
}

/// Asks again until the index has caught up.
pub async fn found(store: &TestStore, search: &Search, expected: &[u64]) {
    eventually(expected.to_vec(), async || page(store, search).await.0).await;
}

/// All pages, as a caller asks for them.
async fn pages(store: &TestStore, search: &Search) -> Vec<Vec<u64>> {
    let mut search = search.clone();
    let mut pages = Vec::new();
    while pages.len() < 100 {
        let (ids, next) = page(store, &search).await;
        pages.push(ids);
        let Some(next) = next else { return pages };
        search.before = Some(transaction_id(next));
    }
    panic!("the cursor does not end: {pages:?}")
}

async fn import_all(store: &TestStore, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        store.import(space(1), transaction_id(id), &format!("pay_{id}")).await;
    }
}

#[tokio::test]
async fn a_space_is_listed_newest_first_and_by_number() {
    let store = TestStore::open().await;
    import_all(&store, [9, 10, 1, 100_000]).await;
    store.import(space(11), transaction_id(5), "pay_5").await;
    found(&store, &all(), &[100_000, 10, 9, 1]).await;
    assert_eq!(page(&store, &all()).await.1, None);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_and_end() {
    let store = TestStore::open().await;
    import_all(&store, 1..=7).await;
    found(&store, &all(), &[7, 6, 5, 4, 3, 2, 1]).await;
    let of = |limit| Search { limit, ..Search::default() };
    assert_eq!(pages(&store, &of(3)).await, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    assert_eq!(pages(&store, &of(7)).await, [vec![7, 6, 5, 4, 3, 2, 1]]);
    assert_eq!(pages(&store, &of(1)).await.len(), 7);
    import_all(&store, [8]).await;
    found(&store, &all(), &[8, 7, 6, 5, 4, 3, 2, 1]).await;
    assert_eq!(pages(&store, &of(4)).await, [vec![8, 7, 6, 5], vec![4, 3, 2, 1]]);
}

#[tokio::test]
async fn nothing_comes_after_the_last() {
    let store = TestStore::open().await;
    import_all(&store, [1, 2]).await;
    found(&store, &all(), &[2, 1]).await;
    for before in [1, 2] {
        let search = Search { before: Some(transaction_id(before)), ..all() };
        assert_eq!(page(&store, &search).await, ((1..before).rev().collect(), None));
    }
}

#[tokio::test]
async fn a_transaction_is_found_by_the_callers_reference() {
    let store = TestStore::open().await;
    for (id, reference) in [(1, "SO-1"), (2, "SO-1"), (3, "SO-10"), (4, "so-1")] {
        let command = ImportCommand { merchant_reference: merchant_reference(reference), ..import_command(&format!("pay_{id}")) };
        store.import_as(space(1), transaction_id(id), &command).await;
    }
    found(&store, &merchant("SO-1"), &[2, 1]).await;
    found(&store, &merchant("SO-10"), &[3]).await;
    assert_eq!(page(&store, &merchant("SO")).await, (vec![], None));
    assert_eq!(pages(&store, &Search { limit: 1, ..merchant("SO-1") }).await, [vec![2], vec![1]]);
}

#[tokio::test]
async fn a_transaction_is_found_by_either_reference_of_the_psp() {
    let store = TestStore::open().await;
    let read = store.begin(space(1), transaction_id(1), &import_command("ch_1")).await;
    let finished = store.finish_import(&read, &completed(read.transaction(), &payment("pi_1"))).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    for reference in ["ch_1", "pi_1"] {
        found(&store, &by(SearchBy::PspReference(reference.to_owned())), &[1]).await;
    }
    assert_eq!(page(&store, &by(SearchBy::PspReference("SO-1".to_owned()))).await, (vec![], None));
}

#[tokio::test]
async fn a_transaction_is_found_once_by_the_reference_of_its_operations() {
    let store = TestStore::open().await;
    for id in [1, 2] {
        let mut read = store.import(space(1), transaction_id(id), &format!("pay_{id}")).await;
        for key in ["a", "b", "c"] {
            let command = CaptureCommand { merchant_reference: Some(merchant_reference("INV-1")), ..capture_of("1") };
            read = committed(&store, &read, &capture_requested(read.transaction(), key, &command)).await;
        }
    }
    let search = by(SearchBy::OperationReference("INV-1".to_owned()));
    found(&store, &search, &[2, 1]).await;
    assert_eq!(pages(&store, &Search { limit: 1, ..search }).await, [vec![2], vec![1]]);
    assert_eq!(page(&store, &merchant("INV-1")).await, (vec![], None));
}

async fn committed(store: &TestStore, read: &Versioned, change: &domain::transaction::Change) -> Versioned {
    match store.commit(read, change).await {
        Ok(Committed::Done(read)) => read,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn filters_narrow_down_each_search() {
    let store = TestStore::open().await;
    import_all(&store, [1, 2]).await;
    store.begin(space(1), transaction_id(3), &import_command("pay_3")).await;
    let read = store.begin(space(1), transaction_id(4), &import_command("pay_4")).await;
    committed(&store, &read, &read.transaction().fail_import(ImportFailure::NotFoundAtPsp, NOW).unwrap()).await;
    found(&store, &all(), &[4, 3, 2, 1]).await;
    for search in [all(), merchant("SO-1")] {
        for (state, expected) in [(ImportState::Completed, &[2, 1][..]), (ImportState::Pending, &[3]), (ImportState::Failed, &[4])] {
            found(&store, &Search { import_state: Some(state), ..search.clone() }, expected).await;
        }
        found(&store, &Search { state: Some(TransactionState::Authorized), ..search.clone() }, &[2, 1]).await;
        found(&store, &Search { state: Some(TransactionState::Voided), ..search.clone() }, &[]).await;
        found(&store, &Search { needs_attention: Some(true), ..search.clone() }, &[]).await;
        let both = Search { needs_attention: Some(false), state: Some(TransactionState::Create), ..search };
        found(&store, &both, &[4, 3]).await;
    }
}

#[tokio::test]
async fn one_among_many_is_found_by_following_the_cursor() {
    let store = TestStore::open().await;
    import_all(&store, [1]).await;
    for id in 2..=90 {
        store.begin(space(1), transaction_id(id), &import_command(&format!("pay_{id}"))).await;
    }
    found(&store, &all(), &(1..=90).rev().collect::<Vec<_>>()).await;
    let search = Search { import_state: Some(ImportState::Completed), limit: 5, ..Search::default() };
    let pages = pages(&store, &search).await;
    assert_eq!(pages.concat(), [1]);
    assert!((2..=4).contains(&pages.len()), "each looks through 30: {pages:?}");
}

#[tokio::test]
async fn a_range_of_time_includes_its_beginning_and_not_its_end() {
    let store = TestStore::open().await;
    let at = |seconds| NOW.plus(Span::from_seconds(seconds));
    let mut ids = Vec::new();
    for (second, random) in [(0, 0), (1, 6), (1, 7), (2, 0), (3, 0)] {
        let id = TransactionId::draw(at(second), random);
        let mut facts = begun(space(1), id, &import_command(&format!("pay_{id}"))).facts().clone();
        facts.created_on = at(second);
        let transaction = domain::Transaction::restore(facts).unwrap();
        store.begin_import(&transaction, &Default::default()).await.unwrap();
        ids.push(id.number());
    }
    found(&store, &all(), &ids.iter().copied().rev().collect::<Vec<_>>()).await;
    let between = |from, to| Search { created_from: Some(at(from)), created_to: Some(at(to)), ..all() };
    assert_eq!(page(&store, &between(1, 3)).await.0, [ids[3], ids[2], ids[1]]);
    assert_eq!(page(&store, &between(0, 4)).await.0.len(), 5);
    for (from, to) in [(3, 3), (3, 1), (2, 0), (4, 9), (-9, 0)] {
        assert_eq!(page(&store, &between(from, to)).await, (vec![], None), "{from} to {to}");
    }
    let before = |id, search| Search { before: Some(transaction_id(id)), ..search };
    assert_eq!(page(&store, &before(ids[2], between(0, 4))).await.0, [ids[1], ids[0]]);
    assert_eq!(page(&store, &before(ids[2], between(2, 4))).await, (vec![], None), "the cursor is already before the beginning");
}
