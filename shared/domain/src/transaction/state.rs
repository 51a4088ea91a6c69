//! The ten states of a transaction and the moves between them.

use crate::named::named;

named! {
    TransactionState {
        Create = "CREATE",
        Pending = "PENDING",
        Confirmed = "CONFIRMED",
        Processing = "PROCESSING",
        Failed = "FAILED",
        Authorized = "AUTHORIZED",
        Voided = "VOIDED",
        Completed = "COMPLETED",
        Fulfill = "FULFILL",
        Decline = "DECLINE",
    }
}

impl TransactionState {
    /// The states that can follow directly.
    pub const fn next(self) -> &'static [TransactionState] {
        use TransactionState::*;
        match self {
            Create => &[Pending, Confirmed],
            Pending => &[Confirmed, Failed],
            Confirmed => &[Processing, Failed],
            Processing => &[Authorized, Failed],
            Authorized => &[Completed, Voided],
            Completed => &[Fulfill, Decline],
            Failed | Voided | Fulfill | Decline => &[],
        }
    }

    pub const fn is_final(self) -> bool {
        self.next().is_empty()
    }

    /// How a report that jumps ahead is replayed: every state on the shortest way to `target`, the target included.
    /// None where no way leads there, which makes the report a step back or an illegal one.
    pub fn steps_to(self, target: TransactionState) -> Option<Vec<TransactionState>> {
        let mut ways = std::collections::VecDeque::from([vec![self]]);
        while let Some(way) = ways.pop_front() {
            let here = *way.last()?;
            if here == target {
                return Some(way[1..].to_vec());
            }
            ways.extend(here.next().iter().map(|next| [way.as_slice(), &[*next]].concat()));
        }
        None
    }

    /// Whether `self` lies before or at `later` on some way: then a report of `self` is merely late.
    pub fn comes_before(self, later: TransactionState) -> bool {
        self.steps_to(later).is_some()
    }
}

named! {
    /// How far the adoption of a payment has come.
    ImportState {
        Pending = "IMPORT_PENDING",
        Completed = "IMPORT_COMPLETED",
        Failed = "IMPORT_FAILED",
        Ok = "IMPORT_OK",
    }
}

impl ImportState {
    pub const fn next(self) -> &'static [ImportState] {
        match self {
            ImportState::Pending => &[ImportState::Completed, ImportState::Failed],
            ImportState::Failed => &[ImportState::Pending],
            ImportState::Completed => &[ImportState::Ok],
            ImportState::Ok => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TransactionState::*;
    use super::*;

    #[test]
    fn a_jump_forward_is_replayed_step_by_step() {
        assert_eq!(Create.steps_to(Authorized), Some(vec![Pending, Confirmed, Processing, Authorized]).map(|long| long[1..].to_vec()));
        assert_eq!(Authorized.steps_to(Fulfill), Some(vec![Completed, Fulfill]));
        assert_eq!(Authorized.steps_to(Authorized), Some(vec![]));
    }

    #[test]
    fn nothing_goes_back_and_nothing_leaves_a_final_state() {
        assert_eq!(Authorized.steps_to(Pending), None);
        let finals: Vec<_> = TransactionState::ALL.iter().copied().filter(|state| state.is_final()).collect();
        assert_eq!(finals, [Failed, Voided, Fulfill, Decline]);
        for state in finals {
            for target in TransactionState::ALL.iter().filter(|target| **target != state) {
                assert_eq!(state.steps_to(*target), None, "{state:?} to {target:?}");
            }
        }
        assert_eq!(Fulfill.steps_to(Voided), None);
        assert!(Authorized.comes_before(Fulfill) && !Fulfill.comes_before(Authorized));
    }
}
