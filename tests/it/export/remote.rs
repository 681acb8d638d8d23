//! Exports to an address: of a local store, and of one that lies there, too. Wants
//! `GENSTORE_PYTHON`; skips, and says so, without.

use genstore::export::{Destination, Request};
use genstore::store::RemoteOptions;

use super::fixture::{continued, request, run};
use crate::import::fixture::{events, fill};
use crate::program::{Cloud, Faults, Python};
use crate::store::rows::{open, quiet, whole_run};

const LOOK: &str = "
import sys, os, json, boto3, deltalake
url, bucket, prefix = sys.argv[1:4]
options = {name: value for name, value in os.environ.items() if name.startswith('AWS_')}
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix + '/').get('Contents', [])
keys = sorted(it['Key'][len(prefix) + 1:] for it in found)
print('unfinished', '_unfinished.json' in keys, 'manifest', '_manifest.json' in keys)
if '_manifest.json' in keys:
    body = s3.get_object(Bucket=bucket, Key=prefix + '/_manifest.json')['Body'].read()
    manifest = json.loads(body)
    known = ['_manifest.json']
    known += [it['path'] for table in manifest['tables'] for it in table['files']]
    known += [it['path'] for it in (manifest.get('position') or {}).get('files', [])]
    assert sorted(known) == [it for it in keys if '_delta_log' not in it], (known, keys)
    for table in manifest['tables']:
        if table['name'] in ('runs', 'steps'):
            delta = deltalake.DeltaTable(f\"{url}/{table['name']}\", storage_options=options)
            rows = delta.to_pyarrow_table().num_rows
            assert rows == table['rows'], (rows, table)
            print(table['name'], rows, 'version', delta.version())
";

fn look(cloud: &Cloud, prefix: &str) -> String {
    let url = format!("s3://{}/{prefix}", cloud.bucket);
    let mut variables = cloud.variables();
    variables.push(("AWS_DEFAULT_REGION", "us-east-1".to_owned()));
    let args = [url.as_str(), &cloud.bucket, prefix];
    Python::new().unwrap().run(LOOK, args, &variables).unwrap()
}

fn to(cloud: &Cloud, prefix: &str) -> Destination {
    let mut access = cloud.access();
    access.options = RemoteOptions { retries_max: 2, retry_ms_max: 500, ..access.options };
    let url = format!("s3://{}/{prefix}", cloud.bucket);
    Destination::parse(url.as_ref(), &access).unwrap()
}

#[test]
fn an_export_at_an_address_is_continued_and_replaced_there() {
    let Some(cloud) = Cloud::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    fill(&store, &events(10, 1));
    let asked = || Request { to: to(&cloud, "out"), ..continued(&store, place.path()) };
    run(&store, &asked()).unwrap();
    assert!(look(&cloud, "out").ends_with("runs 10 version 0\nsteps 30 version 0\n"));
    let writer = open(&store, quiet()).unwrap();
    writer.commit_blocking(whole_run(100)).unwrap();
    writer.close().unwrap();
    run(&store, &asked()).unwrap();
    assert!(look(&cloud, "out").ends_with("runs 11 version 1\nsteps 35 version 1\n"));
    let whole = Request { to: to(&cloud, "out"), ..request(&store, place.path()) };
    let error = run(&store, &whole).unwrap_err();
    assert!(error.message().ends_with("holds an export already"), "{error}");
    run(&store, &Request { force: true, by_day: true, ..whole }).unwrap();
    assert!(look(&cloud, "out").ends_with("runs 11 version 0\nsteps 35 version 0\n"));
}

#[test]
fn an_export_that_breaks_off_there_counts_for_nothing() {
    let Some(cloud) = Cloud::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    fill(&store, &events(10, 1));
    let asked = || Request { to: to(&cloud, "out"), ..request(&store, place.path()) };
    // after so many requests the bucket refuses to be written
    let mut broken = false;
    for seed in 0..4 {
        cloud.proxy.set(Faults { failed_percent: 60, ..Faults::default() }, seed);
        broken |= run(&store, &asked()).is_err();
        cloud.proxy.set(Faults::default(), 0);
        if !broken {
            break;
        }
        assert!(look(&cloud, "out").contains("manifest False"));
    }
    assert!(broken, "nothing broke off");
    cloud.proxy.set(Faults::default(), 0);
    run(&store, &Request { force: true, ..asked() }).unwrap();
    assert!(look(&cloud, "out").contains("unfinished False manifest True\nruns 10 version 0"));
}

#[test]
fn the_program_exports_a_store_at_an_address_to_another_one() {
    let Some(cloud) = Cloud::new() else { return };
    let writer = cloud.open(quiet()).unwrap();
    (0..5).for_each(|it| writer.commit_blocking(whole_run(it)).unwrap());
    writer.close().unwrap();
    let place = cloud.place();
    let url = format!("s3://{}/out", cloud.bucket);
    let output = place.run(&["export", "--to", &url, "--for", "duckdb", "runs", "steps"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(look(&cloud, "out").ends_with("runs 5 version 0\nsteps 25 version 0\n"));
    let inside = format!("{}/tables/x", cloud.url());
    let output = place.run(&["export", "--to", &inside]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("lies inside the store"));
}
