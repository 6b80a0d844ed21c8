//! The floor of the load program runs SQL of the components: a statement that takes another parameter breaks it.

use http::StatusCode;

use crate::client::Client;
use crate::floor;
use crate::workload::Workload;

#[tokio::test]
async fn the_floor_answers_all_workloads() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, router) = floor::listen(folder.path()).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for workload in Workload::ALL {
        let plans = workload.prepare(&address, 1, 1).await;
        let mut plans = plans.unwrap_or_else(|error| panic!("{}: {error:#}", workload.name()));
        let call = plans[0].next().unwrap();
        let mut client = Client::connect(&address).await.unwrap();
        let (status, body) = client.send(call).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert_eq!(status, StatusCode::OK, "{}: {body}", workload.name());
    }
}
