//! The bugs of `domain::planted`, one at a time: the check must find each that lies in what it models.

use crate::scene::{KEYED, KEYLESS, LIMITED, Scene};
use crate::{Checked, check, pairs, singles};
use domain::planted::Bug;

/// Where the bug shows, if it is in what is modelled.
fn scene(bug: Bug) -> Option<Scene> {
    let (psp, faults) = match bug {
        Bug::NoReservation => return pairs(&KEYED, 0).next(),
        // Webhooks come as hints here; how they are stored is not modelled.
        Bug::AcknowledgedBeforeStored => return None,
        Bug::NoDurableIntent => (&KEYED, 0),
        Bug::RecordDeletedOnError
        | Bug::TimeoutIsFailure
        | Bug::SettleWhatIsFinal
        | Bug::KeyPerAttempt
        | Bug::NotFoundTrusted
        | Bug::ResendAfterWindow => (&KEYED, 1),
        Bug::ResendUnconditionally | Bug::SendAfterLease => (&KEYLESS, 1),
        Bug::KeylessRefusalFinal => (&LIMITED, 1),
    };
    singles(psp, faults).next()
}

#[test]
fn every_planted_bug_in_what_is_modelled_is_found() {
    let mut table = String::from("| planted bug | the rule that it breaks | steps | states |\n|---|---|---|---|\n");
    let mut missed = vec![];
    for bug in Bug::ALL {
        let row = match scene(*bug).map(|scene| check(&Scene { bug: Some(*bug), ..scene }, 1)) {
            None => "not modelled | | ".to_owned(),
            Some(Checked { broken: Some((rule, path)), states, .. }) => format!("{rule} | {} | {states}", path.into_actions().len()),
            Some(Checked { broken: None, .. }) => {
                missed.push(bug.as_str());
                "**not found** | | ".to_owned()
            }
        };
        table += &format!("| {} | {row} |\n", bug.as_str());
    }
    println!("{table}");
    assert!(missed.is_empty(), "not found: {missed:?}");
}
