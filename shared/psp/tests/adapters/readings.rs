//! Readings in one line, so that a test can say the whole of what it expects.

use domain::Money;
use domain::payment::{MovementState, PspPayment};

/// What a payment reads as: its state, released amount and movements, one word each.
pub fn summary(payment: &PspPayment) -> String {
    let movements = payment.movements.iter().map(|it| {
        let ours = it.ours.as_ref().map_or("-", |ours| ours.as_str());
        let state = match &it.state {
            MovementState::Pending => "pending".to_owned(),
            MovementState::Successful => "successful".to_owned(),
            MovementState::Failed(failure) => format!("failed({})", failure.code),
        };
        format!("; {} {} {} {ours} {state}", it.kind.word(), it.psp_reference, it.money)
    });
    let released = Money::new(payment.released, payment.authorized.currency);
    let head = format!("{} {} released {released}", payment.state.as_str(), payment.authorized);
    head + &movements.collect::<String>()
}
