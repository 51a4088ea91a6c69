"""Starts a dev server, makes something in it that can be found, runs schemathesis against it, and ends it.

Standard library only; `run` beside this says how it is called.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "schemathesis"
SERVER = ROOT / "target" / "debug" / "dev-server"
# What a run leaves behind. The next one begins without it, so that only the seed decides what is drawn.
LEFT = ROOT / ".cache" / "schemathesis"


def main(arguments):
    shutil.rmtree(LEFT, ignore_errors=True)
    LEFT.mkdir(parents=True)
    log = open(LEFT / "server.log", "w")
    # The limit on requests has tests of its own; here it would only hide other answers.
    command = [SERVER, "--port", "0", "--requests-per-second", "100000"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        ready = json.loads(server.stdout.readline())
        return check(ready, arguments, log)
    finally:
        server.terminate()
        server.wait()


def check(ready, arguments, log):
    environment = dict(os.environ, **known(ready))
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis",
        "--config-file", HERE / "schemathesis.toml",
        "run", ROOT / "docs" / "openapi.json", "--url", ready["url"],
        *arguments,
    ]
    status = subprocess.call([str(part) for part in command], env=environment, cwd=LEFT)
    if status:
        print(f"Each failure names the request that shows it: send it to `cargo run`. The server's log: {log.name}", file=sys.stderr)
    return status


def known(ready):
    """A transaction with a capture, a refund and something left, and one that was voided: what requests are about."""
    def post(path, body, key=None):
        headers = {"content-type": "application/json", "authorization": f"Bearer {ready['apiKey']}"}
        headers |= {"idempotency-key": key} if key else {}
        request = urllib.request.Request(path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def imported():
        money = {"amount": "100000.00", "currency": "EUR", "merchantReference": "SO-1"}
        payment = post(f"{ready['sandbox']}/payments", money | {"captureMode": "manual"})
        command = money | {"connection": "sandbox", "pspReference": payment["id"]}
        transaction = post(f"{ready['url']}/v1/transactions/import", command)
        assert transaction["importState"] == "IMPORT_COMPLETED", transaction
        return transaction["id"]

    def done(transaction, kind, body):
        operation = post(f"{ready['url']}/v1/transactions/{transaction}/{kind}", body, "known")
        assert operation["state"] == "SUCCESSFUL", operation
        return {"id": transaction, "op": operation["id"]}

    used, voided = imported(), imported()
    known = {
        "": {"id": used},
        "captures": done(used, "captures", {"amount": "50000.00"}),
        "refunds": done(used, "refunds", {"amount": "1.00"}),
        "voids": done(voided, "voids", {}),
    }
    return {
        "COLLANA_KEY": ready["apiKey"],
        "COLLANA_SANDBOX": ready["sandbox"],
        "COLLANA_KNOWN": json.dumps(known),
        # Hooks are found by name from the folder that they lie in.
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
