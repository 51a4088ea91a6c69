"""The emulator as a process, and the template deployed to it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.exceptions

REGION = "eu-central-1"
STAGE = "prod"
NAME = "collana"
BUCKET = "deployments"

# What the emulator takes for the root user of its account: the one who deploys, and looks at what is left behind.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """A running emulator; `deploy` makes it an installation."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "emulator.log"
        # Functions inherit all of this, so it is nothing but what they and the emulator need.
        environment = CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.url,
            "MINISTACK_REGION": REGION,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
            "TMPDIR": str(folder),
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
        }
        with self.log.open("w") as log:
            # In a group of its own: Ctrl-C is for `run` alone, which ends everything in its order.
            command = [os.path.join(os.path.dirname(sys.executable), "ministack")]
            self.process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        self._wait()

    def _wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.stop()
        sys.exit(f"emulator: it did not start:\n{self.log.read_text()}")

    def stop(self):
        """Ends it and, with it, the functions, which are its children."""
        stop(self.process)

    def client(self, service):
        keys = {"aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def deploy(self, root, parameters):
        """Deploys template.yaml as `sam deploy` would; answers when the stack is complete."""
        template = self._upload(root, (root / "template.yaml").read_text())
        formation = self.client("cloudformation")
        change = {"StackName": NAME, "ChangeSetName": "first"}
        formation.create_change_set(
            **change,
            ChangeSetType="CREATE",
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        )
        patience = {"WaiterConfig": {"Delay": 1, "MaxAttempts": 60}}
        formation.get_waiter("change_set_create_complete").wait(**change, **patience)
        formation.execute_change_set(**change)
        try:
            formation.get_waiter("stack_create_complete").wait(StackName=NAME, **patience)
        except botocore.exceptions.WaiterError as error:
            events = formation.describe_stack_events(StackName=NAME)["StackEvents"]
            failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
            reasons = "\n".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)
            sys.exit(f"emulator: the stack was not created: {error}\n{reasons}")
        outputs = formation.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        self.table = outputs["TableName"]
        api = outputs["ApiUrl"].removeprefix("https://").partition(".")[0]
        # On AWS it is a host of its own; here the same API is reached by its id in the path.
        self.api_url = f"{self.url}/_aws/execute-api/{api}/$default"

    def _upload(self, root, template):
        """Puts the zips of infra/package where the functions are made from, and says so in the place of CodeUri; nothing else changes."""
        store = self.client("s3")
        store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

        def uploaded(code_uri):
            function = code_uri["function"]
            store.upload_file(str(zip_of(root, function)), BUCKET, f"{function}.zip")
            return f"{code_uri['name']}s3://{BUCKET}/{function}.zip"

        return CODE_URI.sub(uploaded, template)

    def resources(self, kind):
        """From logical to physical names, of the resources of one type."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=NAME)
        found = [resource for page in pages for resource in page["StackResourceSummaries"] if resource["ResourceType"] == kind]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    def log_events(self):
        """Every event of every log group, with the group that it is in."""
        logs = self.client("logs")
        groups = [group["logGroupName"] for page in logs.get_paginator("describe_log_groups").paginate() for group in page["logGroups"]]
        pages = ((group, page) for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        return [(group, event["message"]) for group, page in pages for event in page["events"]]


CODE_URI = re.compile(r"^(?P<name> +CodeUri: )target/lambda/(?P<function>[a-z-]+)/$", re.MULTILINE)


def zip_of(root, function):
    return root / "target" / "lambda" / f"{function}.zip"


def check_built(root):
    """Ends with the command to use if a function is not built."""
    functions = [match["function"] for match in CODE_URI.finditer((root / "template.yaml").read_text())]
    missing = [function for function in functions if not zip_of(root, function).is_file()]
    if missing:
        sys.exit(f"emulator: not packaged: {', '.join(missing)}; build and package the functions with `.ci/run functions`")


def stop(process):
    """Asks a process to end, and ends it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
