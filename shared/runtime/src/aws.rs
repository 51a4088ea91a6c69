//! AWS clients that start fast: everything that the SDK would search for is given to it, TLS is rustls with ring, the roots
//! are Amazon's own five, and the connector is built when it is first needed.

use crate::config::Config;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::time::Duration;

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2: what the endpoints of AWS are signed by.
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// One configuration for all AWS clients of a function.
pub(crate) async fn sdk_config(config: &Config) -> Result<SdkConfig, lambda_http::Error> {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25));
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_millis(500)).operation_attempt_timeout(Duration::from_millis(1500)).build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(aws_config::environment::EnvironmentVariableCredentialsProvider::new())
        .http_client(http_client()?)
        .retry_config(retries)
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Ok(loader.load().await)
}

fn http_client() -> Result<SharedHttpClient, lambda_http::Error> {
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
