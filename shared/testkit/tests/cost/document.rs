//! `docs/COST.md` is written from what was measured: here are only the sentences around the table. What stands between the
//! marks of the sizes is written by `infra/package`, and left alone.

use crate::operations::{Measured, Operation};
use crate::scene::Size;
use embedded::Usage;
use std::path::Path;

const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p collana-testkit --test cost";
const SIZES: &str = "<!-- sizes -->";
const END_OF_SIZES: &str = "<!-- /sizes -->";

/// Thousandths of a dollar for a million units, on demand, in us-east-1.
const PRICE_OF_READS: u64 = 125;
const PRICE_OF_WRITES: u64 = 625;

pub fn holds(measured: &[Measured]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/COST.md");
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let sizes = found.split_once(SIZES).and_then(|(_, rest)| rest.split_once(END_OF_SIZES)).map_or("\n", |(sizes, _)| sizes);
    let wanted = format!("{}\n{}\n{}{SIZES}{sizes}{END_OF_SIZES}\n", head(), table(measured), tail());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    let differs = (1..).zip(wanted.lines()).find(|(number, line)| found.lines().nth(number - 1) != Some(line));
    assert!(differs.is_none(), "docs/COST.md is not what was measured, from {differs:?} on; write it anew: {COMMAND}");
    assert_eq!(found.len(), wanted.len(), "docs/COST.md has more than was measured; write it anew: {COMMAND}");
}

fn head() -> String {
    format!(
        "# Cost\n
For whoever pays for an installation, and for whoever changes how the table is read or written. Words are explained in
[GLOSSARY.md](GLOSSARY.md).

## The table

What each operation asks of DynamoDB: the round trips in their order, and the units that they consume. A test does every
operation with the real use cases, reads what the engine says it consumed (`ReturnConsumedCapacity`), and fails if it is not
what stands here, or if a target is missed. After a change that is meant to cost something else, write this file anew with
`{COMMAND}`.

- One *write unit* is a write of up to 1 kB, one *read unit* a consistent read of up to 4 kB. A write in a transaction costs
  twice. All reads that decide about money are consistent.
- *Payment* says how much was written down when it was imported: *typical* is three line items and references as Stripe's
  are; *largest* is a hundred line items, the longest names, and references as long as they may be (255 characters of the
  PSP, 100 of the caller).
- *Earlier* is the number of captures that were made of the payment before. For an import they are those of another payment
  in the same space, or those that were made at the PSP and become operations here.
- A webhook is a new one, for a payment that was imported. It makes us read the payment at the PSP and look through all
  operations; a repeated one ends after the first round trip.
- *Per million* is what a million of them cost in dollars, table only: $0.625 for a million write units and $0.125 for a
  million read units, the published prices on demand in us-east-1 since November 2024. Storage, backups, functions and the
  gateway come on top.
- The engine is the embedded one of the dev server, not AWS. It follows AWS in what items cost; writes of indexes may be
  counted differently there, which is why they have a column of their own (they are part of the write units).
- Not counted is what does not happen each time: the authorizer's read of the API key, which the gateway keeps, and the
  read of the connection's settings by a function that has just started. Each is one `GetItem`, one read unit.
- Nor is the rate of a space: below about one request a second it costs nothing, beyond that one `UpdateItem` of one write unit
  pays for ten requests or more (decisions/0009-rate-limit.md).
- Nobody else writes meanwhile. Whoever loses a race reads and writes again.
"
    )
}

fn tail() -> &'static str {
    "What the test holds on to: a capture, a refund and a void are one read and two transactional writes, ten write units at most
without indexes, and the same whatever went before and however large the payment is. A void writes one index more, the
list of transactions, because it ends the transaction. An import is two transactional writes, whatever else is in the table;
the larger the payment, the more it writes, once. Status is one query and writes nothing.

What grows: status and a webhook read all operations of the payment, because the one shows them and the other looks for
news about each. A refund that names its capture reads the captures first. An import writes what was captured and refunded
at the PSP, 90 operations with each write.

## Function sizes

The binary of each function and the zip that is deployed, for one architecture: `infra/package --write` puts them here.

"
}

fn table(measured: &[Measured]) -> String {
    let mut table =
        "| operation | payment | earlier | round trips | read units | write units | of these for indexes | per million |\n".to_owned();
    table += "|---|---|---|---|---|---|---|---|\n";
    for operation in Operation::ALL {
        for rows in equal_runs(measured.iter().filter(|row| row.operation == operation).collect()) {
            table += &line(&rows);
        }
    }
    table
}

/// Neighbours that cost the same share a line.
fn equal_runs(rows: Vec<&Measured>) -> Vec<Vec<&Measured>> {
    let mut runs: Vec<Vec<&Measured>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run) if run[0].usage == row.usage => run.push(row),
            _ => runs.push(vec![row]),
        }
    }
    runs
}

fn line(rows: &[&Measured]) -> String {
    let usage = &rows[0].usage;
    let payment = named(rows.iter().map(|row| match row.size {
        Size::Typical => "typical",
        Size::Largest => "largest",
    }));
    let earlier = named(rows.iter().map(|row| row.earlier));
    let [reads, writes, indexes] = [usage.read_hundredths, usage.write_hundredths, usage.index_write_hundredths].map(units);
    let cells = [rows[0].operation.title(), &payment, &earlier, &calls(usage), &reads, &writes, &indexes, &price(usage)].join(" | ");
    format!("| {cells} |\n")
}

/// Each value once: `typical, largest`.
fn named<T: ToString>(values: impl Iterator<Item = T>) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in values.map(|value| value.to_string()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// `BatchGetItem, 2 × TransactWriteItems`.
fn calls(usage: &Usage) -> String {
    let runs = usage.calls.chunk_by(|one, other| one == other);
    let run = |run: &[String]| if run.len() == 1 { run[0].clone() } else { format!("{} × {}", run.len(), run[0]) };
    runs.map(run).collect::<Vec<_>>().join(", ")
}

fn units(hundredths: u64) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}").trim_end_matches('0').to_owned() }
}

/// To the cent; half a cent counts as one.
fn price(usage: &Usage) -> String {
    let cents = (usage.read_hundredths * PRICE_OF_READS + usage.write_hundredths * PRICE_OF_WRITES + 500) / 1000;
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[test]
fn units_and_prices_are_exact() {
    assert_eq!([0, 50, 100, 125, 14_000].map(units), ["0", "0.5", "1", "1.25", "140"]);
    let usage = Usage { read_hundredths: 200, write_hundredths: 1400, ..Usage::default() };
    assert_eq!(price(&usage), "$9.00");
}
