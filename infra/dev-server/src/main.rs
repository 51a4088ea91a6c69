//! The whole system in one process on this machine: all routes, an embedded DynamoDB, the sandbox PSP, a demo space.
//!
//! What runs here is what runs on AWS: the gateway hands the same events to the same endpoint functions, the key is checked
//! by the authorizer's own code, and the store speaks through the real AWS SDK.

mod connections;
mod gateway;
mod options;
mod ready;
mod reference;
mod schedule;
mod setup;

use options::Options;
use std::error::Error;
use std::io::Write;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let options = Options::from_arguments();
    match options.log_json {
        true => runtime::telemetry::as_functions_do(&options.log),
        false => runtime::telemetry::for_people(&options.log),
    }
    match run(options).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dev-server: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await;
    let listener =
        listener.map_err(|error| format!("port {} of 127.0.0.1 cannot be used: {error} (choose another with --port)", options.port))?;
    let url = format!("http://{}", listener.local_addr()?);
    let setup::System { router, sandbox, ready, _lock } = setup::system(&options, &url).await?;
    sandbox.resume_webhooks();
    let mut terminated = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", ready.line())?;
    out.flush()?;
    drop(out);
    eprint!("{}", ready.hint());
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await?;
    Ok(())
}
