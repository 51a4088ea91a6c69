//! Path and query parameters of requests, checked by form before anything is looked up.

use crate::json::may_be_repeated;
use crate::request::Request;
use crate::time_text;
use app::ports::store::{Search, SearchBy};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Refusal;
use domain::TransactionState;
use domain::error::Flaw;
use domain::id::{OperationId, SpaceId, TransactionId};
use domain::transaction::ImportState;

pub(crate) fn transaction_id(request: &Request) -> Result<TransactionId, Refusal> {
    TransactionId::parse(request.parameter("id"))
        .ok_or_else(|| Refusal::flaw("id", "must be the positive integer that the import answered"))
}

pub(crate) fn operation_id(request: &Request) -> Result<OperationId, Refusal> {
    OperationId::parse(request.parameter("op")).ok_or_else(|| Refusal::flaw("op", "must be the positive integer that the command answered"))
}

const DEFAULT_LIMIT: usize = 20;
const LARGEST_LIMIT: usize = 99;

/// What is searched for, and nothing that we do not know: a misspelt filter must not list everything.
pub(crate) fn search(request: &Request, space: SpaceId) -> Result<Search, Refusal> {
    let mut search = Search { limit: DEFAULT_LIMIT, ..Search::default() };
    let mut flaws = Vec::new();
    let mut after = None;
    for (name, value) in &request.query {
        if let Err(detail) = filter(&mut search, &mut after, name, value) {
            let pointer = if may_be_repeated(name) { name.as_str() } else { "query" };
            flaws.push(Flaw { pointer: pointer.to_owned(), detail: detail.to_owned() });
        }
    }
    if let Some(after) = after {
        match read_cursor(after, space, &search) {
            Some(before) => search.before = Some(before),
            None => flaws.push(Flaw { pointer: "after".to_owned(), detail: "is not a cursor of this search".to_owned() }),
        }
    }
    if flaws.is_empty() { Ok(search) } else { Err(Refusal::InvalidRequest(flaws)) }
}

fn filter<'a>(search: &mut Search, after: &mut Option<&'a str>, name: &str, value: &'a str) -> Result<(), &'static str> {
    let printable = (1..=255).contains(&value.len()) && value.bytes().all(|b| (0x20..=0x7e).contains(&b));
    let reference = || if printable { Ok(value.to_owned()) } else { Err("must be 1 to 255 printable ASCII characters") };
    let mut by = |by: SearchBy| match search.by.replace(by) {
        None => Ok(()),
        Some(_) => Err("is one reference too many: search by one"),
    };
    match name {
        "merchantReference" => by(SearchBy::MerchantReference(reference()?))?,
        "operationReference" => by(SearchBy::OperationReference(reference()?))?,
        "pspReference" => by(SearchBy::PspReference(reference()?))?,
        "state" => search.state = Some(TransactionState::parse(value).ok_or("is not a state of a transaction")?),
        "importState" => search.import_state = Some(ImportState::parse(value).ok_or("is not a state of an import")?),
        "needsAttention" => search.needs_attention = Some(value.parse().map_err(|_| "must be true or false")?),
        "createdFrom" => search.created_from = Some(time_text::parse(value).ok_or("must be a time such as 2026-11-22T10:00:00Z")?),
        "createdTo" => search.created_to = Some(time_text::parse(value).ok_or("must be a time such as 2026-11-22T10:00:00Z")?),
        "limit" => {
            let limit = value.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
            search.limit = limit.ok_or("must be a number from 1 to 99")?;
        }
        "after" => *after = Some(value),
        _ => return Err("is not a parameter of this search"),
    }
    Ok(())
}

/// The opaque cursor: where the next page begins, bound to the space and the search that it belongs to.
pub(crate) fn write_cursor(before: TransactionId, space: SpaceId, search: &Search) -> String {
    URL_SAFE_NO_PAD.encode(format!("{before}.{:016x}", binding(space, search)))
}

fn read_cursor(text: &str, space: SpaceId, search: &Search) -> Option<TransactionId> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (before, bound) = text.split_once('.')?;
    (bound == format!("{:016x}", binding(space, search))).then(|| TransactionId::parse(before)).flatten()
}

/// FNV-1a over the space and the filters: it tells cursors of different searches apart, it protects nothing (the space of a
/// search comes from the caller's key alone).
fn binding(space: SpaceId, search: &Search) -> u64 {
    let filters = Search { limit: 0, before: None, ..search.clone() };
    format!("{space}|{filters:?}").bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
