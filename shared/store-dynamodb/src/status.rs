//! Reads for status: a whole transaction in one query, and the search of a space.

use crate::attributes::{Item, Reader, Wrong};
use crate::item::{head, interaction, operation, properties};
use crate::key::{self, Listed};
use crate::table::SPACE;
use crate::{Store, unavailable};
use app::ports::store::{Page, Search, SearchBy, StatusStore, StoreError, Versioned, WholeTransaction};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{SpaceId, TransactionId};
use domain::interaction::{Interaction, OperationMark};
use domain::transaction::ImportState;
use domain::{Operation, Transaction};
use std::collections::BTreeMap;

/// A query can see half of a commit that is under way; a moment later it is whole.
const READS: u32 = 5;
/// Pages of the index that one search looks through before it hands back a cursor.
const INDEX_PAGES: u32 = 5;

impl StatusStore for Store {
    async fn load_whole(&self, space: SpaceId, id: TransactionId) -> Result<Option<WholeTransaction>, StoreError> {
        for _ in 0..READS {
            let items = self.query_partition(&key::transaction(space, id), "").await?;
            if items.is_empty() {
                return Ok(None);
            }
            if let Some(whole) = assemble(&items)? {
                return Ok(Some(whole));
            }
        }
        Err(StoreError::Unavailable("the transaction is changing faster than it can be read".to_owned()))
    }

    async fn search(&self, space: SpaceId, search: &Search) -> Result<Page, StoreError> {
        let (ids, next) = self.search_index(space, search).await?;
        let keys: Vec<_> = ids.iter().map(|id| key::head(space, *id)).collect();
        let items = if keys.is_empty() { vec![] } else { self.batch_get(keys).await? };
        let heads = items.iter().map(head::read).collect::<Result<Vec<_>, _>>()?;
        let newest_first: BTreeMap<_, _> = heads.into_iter().map(|head| (std::cmp::Reverse(head.facts().id), head)).collect();
        // The index may lag behind the heads: what no longer fits is left out.
        let transactions = newest_first.into_values().filter(|transaction| fits(transaction, search)).collect();
        Ok(Page { transactions, next })
    }
}

impl Store {
    /// Ids from the index, newest first, and where the next page begins.
    async fn search_index(&self, space: SpaceId, search: &Search) -> Result<(Vec<TransactionId>, Option<TransactionId>), StoreError> {
        let listed = match &search.by {
            None => Listed::InSpace,
            Some(SearchBy::MerchantReference(reference)) => Listed::ByMerchantReference(reference),
            Some(SearchBy::OperationReference(reference)) => Listed::ByOperationReference(reference),
            Some(SearchBy::PspReference(reference)) => Listed::ByPspReference(reference),
        };
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let (from, to) = range(search);
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(SPACE.name)
            .key_condition_expression("spaceKey = :space AND spaceSort BETWEEN :from AND :to")
            .expression_attribute_values(":space", text(&key::listed(space, listed)))
            .expression_attribute_values(":from", text(&from))
            .expression_attribute_values(":to", text(&to))
            .scan_index_forward(false);
        // Only heads carry what is filtered by; the items behind a reference are filtered by their heads afterwards.
        let mut filters = Vec::new();
        if search.by.is_none() {
            if let Some(state) = search.state {
                filters.push("#state = :state");
                query = query.expression_attribute_names("#state", "state").expression_attribute_values(":state", text(state.as_str()));
            }
            if let Some(state) = search.import_state {
                filters.push("importState = :importState");
                query = query.expression_attribute_values(":importState", text(state.as_str()));
            }
            if let Some(needed) = search.needs_attention {
                filters.push("needsAttention = :attention");
                query = query.expression_attribute_values(":attention", AttributeValue::Bool(needed));
            }
        }
        if !filters.is_empty() {
            query = query.filter_expression(filters.join(" AND "));
        }
        let mut ids = Vec::new();
        let mut start = None;
        for page in 1..=INDEX_PAGES {
            let limit = i32::try_from(search.limit + 1).unwrap_or(i32::MAX);
            let answer = query.clone().set_exclusive_start_key(start).limit(limit).send().await.map_err(|error| unavailable(&error))?;
            for item in answer.items() {
                let id = read_id(item)?;
                if ids.last() != Some(&id) {
                    ids.push(id);
                }
            }
            start = answer.last_evaluated_key;
            if ids.len() > search.limit {
                ids.truncate(search.limit);
                return Ok((ids.clone(), ids.last().copied()));
            }
            match &start {
                None => return Ok((ids, None)),
                Some(last) if page == INDEX_PAGES => return Ok((ids, Some(last_sorted(last)?))),
                Some(_) => {}
            }
        }
        Ok((ids, None))
    }
}

/// The part of the index that the search looks at: from the oldest to the newest id, both included.
fn range(search: &Search) -> (String, String) {
    let oldest = search.created_from.and_then(TransactionId::earliest_at).map_or(0, TransactionId::number);
    let created_to = search.created_to.map_or(u64::MAX >> 11, |to| TransactionId::earliest_at(to).map_or(0, TransactionId::number));
    let newest = search.before.map_or(created_to, |before| created_to.min(before.number() - 1));
    // An empty range asks for nothing instead of being refused.
    (format!("{:016}", oldest.min(newest)), format!("{newest:016}"))
}

fn fits(transaction: &Transaction, search: &Search) -> bool {
    let facts = transaction.facts();
    let within =
        search.created_from.is_none_or(|from| facts.created_on >= from) && search.created_to.is_none_or(|to| facts.created_on < to);
    within
        && search.state.is_none_or(|state| facts.state == state)
        && search.import_state.is_none_or(|state| facts.import.state == state)
        && search.needs_attention.is_none_or(|needed| facts.needs_attention == needed)
}

fn read_id(item: &Item) -> Result<TransactionId, StoreError> {
    let id = Reader(item).number("transactionId").and_then(|id| TransactionId::new(id).ok_or(Wrong("transactionId")));
    id.map_err(|wrong| wrong.of(item))
}

fn last_sorted(key: &Item) -> Result<TransactionId, StoreError> {
    let id = Reader(key).parsed(SPACE.range, |sort| sort.parse().ok().and_then(TransactionId::new));
    id.map_err(|wrong| wrong.of(key))
}

/// Puts the items of a partition together; none if they are of different moments.
fn assemble(items: &[Item]) -> Result<Option<WholeTransaction>, StoreError> {
    let mut head_item = None;
    let mut merchant = None;
    let mut operations = Vec::new();
    let mut interactions = Vec::new();
    for item in items {
        let sk = Reader(item).text("sk").map_err(|wrong| wrong.of(item))?;
        match sk.split_once('#').map_or(sk, |(kind, _)| kind) {
            key::HEAD => head_item = Some(head::read(item)?),
            key::DATA => merchant = Some(properties::read(item).map_err(|attribute| Wrong(attribute).of(item))?),
            "O" => operations.push(operation::read(item)?),
            "I" => interactions.push(interaction::read(item)?),
            _ => return Err(Wrong("sk").of(item)),
        }
    }
    let (Some(transaction), Some(merchant)) = (head_item, merchant) else {
        return Ok(None);
    };
    // What an import adopts counts once the head says that it is done; before that it may be the rest of an interrupted one.
    operations.retain(|_| transaction.facts().import.is_done());
    let newest = operations.iter().map(|operation| operation.facts().version).max().max(interactions.last().map(|entry| entry.sequence));
    operations.sort_by_key(|operation| operation.facts().id);
    if !is_of_one_moment(&transaction, newest.unwrap_or(0), &operations, interactions.last()) {
        return Ok(None);
    }
    Ok(Some(WholeTransaction { head: Versioned::as_read(transaction), properties: merchant, operations, interactions }))
}

/// A commit leaves an interaction or an operation with the head's version, and none has a later one; and what the last
/// interaction says of an operation is how the operation stands. An import that was never finished has neither.
fn is_of_one_moment(transaction: &Transaction, newest: u64, operations: &[Operation], last: Option<&Interaction>) -> bool {
    let version = transaction.version();
    let is_there = |mark: &OperationMark| {
        operations.iter().any(|operation| operation.facts().id.number() == mark.id && operation.state() == mark.state)
    };
    let marks_agree = last.and_then(|entry| entry.operation.as_ref()).is_none_or(is_there);
    let is_pending = transaction.facts().import.state == ImportState::Pending;
    marks_agree && (newest == version || is_pending && newest < version)
}
