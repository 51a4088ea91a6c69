//! How the PSP's webhooks travel: late, doubled, lost, in another order; repeated until they are acknowledged.

use super::faults::work;
use super::psp::Event;
use super::world::{FUNCTION, World, connection};
use app::ports::psp::RawWebhook;
use app::webhook::{Acknowledgement, receive};
use domain::time::Span;
use std::sync::Arc;

/// After how many seconds the PSP repeats what was not acknowledged, before it gives up: for longer than the table is ever away.
const REPEATED_AFTER: [i64; 9] = [60, 300, 1800, 7200, 21_600, 43_200, 43_200, 43_200, 43_200];

/// Sends an event on its way, or on two.
pub(super) fn post(world: &Arc<World>, event: Event) {
    let (hazards, habits) = (&world.hazards, &world.hazards.plan.habits);
    if !event.is_vital && hazards.chance.per_10_000(habits.loses_webhooks) {
        hazards.trace.tell(hazards.now(), "webhook lost", 0, || event.id.clone());
        return;
    }
    let copies = if hazards.chance.per_10_000(habits.doubles_webhooks) { 2 } else { 1 };
    for _ in 0..copies {
        tokio::spawn(deliver(Arc::clone(world), event.clone()));
    }
}

async fn deliver(world: Arc<World>, event: Event) {
    let hazards = &world.hazards;
    let delay = match !hazards.is_calm() && hazards.chance.per_10_000(hazards.plan.habits.delays_webhooks) {
        true => hazards.chance.span(Span::from_seconds(5), Span::from_hours(12)),
        false => hazards.chance.millis(50, 4000),
    };
    hazards.sleep_until(event.on.plus(delay)).await;
    let raw = RawWebhook { headers: vec![], body: format!("{} {} {}", event.id, event.kind, event.payment).into_bytes() };
    for wait in REPEATED_AFTER {
        let (ports, name) = (world.ports(), connection());
        let receiving = receive(&ports, event.space, &name, &raw);
        match work(hazards, "webhook", FUNCTION, receiving).await {
            Some(Acknowledgement::Stored) => {
                hazards.trace.tell(hazards.now(), "acknowledged", 0, || event.id.clone());
                world.acknowledged().push(event);
                return;
            }
            Some(Acknowledgement::Forged) => hazards.violate(format!("a genuine webhook was called forged: {}", event.id)),
            Some(Acknowledgement::TryLater) | None => {}
        }
        hazards.sleep(Span::from_seconds(wait)).await;
    }
}
