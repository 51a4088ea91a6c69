//! How the merchant wants the payment to be processed.

use crate::named::named;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processing {
    pub environment: Option<Environment>,
    pub environment_selection_strategy: Option<EnvironmentSelectionStrategy>,
    pub completion_behavior: Option<CompletionBehavior>,
    pub auto_confirmation_enabled: Option<bool>,
    pub charge_retry_enabled: Option<bool>,
    pub tokenization_mode: Option<TokenizationMode>,
    /// The number of a stored means of payment; never a card number.
    pub token: Option<u64>,
}

named! {
    Environment {
        Live = "LIVE",
        Preview = "PREVIEW",
    }
}

named! {
    EnvironmentSelectionStrategy {
        ForceTestEnvironment = "FORCE_TEST_ENVIRONMENT",
        ForceProductionEnvironment = "FORCE_PRODUCTION_ENVIRONMENT",
        UseConfiguration = "USE_CONFIGURATION",
    }
}

named! {
    CompletionBehavior {
        CompleteImmediately = "COMPLETE_IMMEDIATELY",
        CompleteDeferred = "COMPLETE_DEFERRED",
        UseConfiguration = "USE_CONFIGURATION",
    }
}

named! {
    TokenizationMode {
        ForceUpdate = "FORCE_UPDATE",
        ForceCreation = "FORCE_CREATION",
        ForceCreationWithOneClickPayment = "FORCE_CREATION_WITH_ONE_CLICK_PAYMENT",
        AllowOneClickPayment = "ALLOW_ONE_CLICK_PAYMENT",
    }
}
