//! AWS clients that start fast: everything that the SDK would search for is given to it, TLS is rustls with ring, the roots
//! are Amazon's own five, and the connector is built when it is first needed.

use crate::config::Config;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::time::Duration;

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: what the endpoints of AWS are signed by.
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// One configuration for all AWS clients of a function. It is put together by hand: the SDK's own loader would link, and at
/// start prepare, every place where credentials and regions can be looked for.
pub(crate) fn sdk_config(config: &Config) -> Result<SdkConfig, lambda_http::Error> {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25));
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_millis(500)).operation_attempt_timeout(Duration::from_millis(1500)).build();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client()?)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .retry_config(retries)
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Ok(match &config.endpoint {
        Some(endpoint) => builder.endpoint_url(endpoint).build(),
        None => builder.build(),
    })
}

/// Connects when it is first used, to Amazon's endpoints over TLS and to an emulator over plain http.
pub fn http_client() -> Result<SharedHttpClient, lambda_http::Error> {
    let roots = TrustStore::empty().with_native_roots(false).with_pem_certificate(AMAZON_ROOTS);
    let tls = TlsContext::builder().with_trust_store(roots).build()?;
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https();
    Ok(SharedHttpClient::new(Lazy(client)))
}

/// Hands out connectors only when a request needs one: the SDK's own client builds one at start just to see whether it can.
#[derive(Debug)]
struct Lazy(SharedHttpClient);

impl HttpClient for Lazy {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}
