"""The steps of `run`, in their order: everything that is started is stopped, whatever happens."""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import canaries
import iam
import installation
import stack as emulator

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STEPS = ("tests", "iam", "canaries")
DIFFERENCES = json.loads((pathlib.Path(__file__).parent / "differences.json").read_text())

# What the stack is deployed with: the binaries are this machine's, the PSPs are on it, and the tests come as fast as they can.
PARAMETERS = {
    "Architecture": "x86_64" if os.uname().machine == "x86_64" else "arm64",
    "AllowLoopback": "true",
    "RequestsPerSecond": "100000",
}

# The emulator is one Python process: more callers at a time wait for each other, and time-outs begin to count.
CALLERS = 4


def main(arguments):
    arguments, passed = split(arguments)
    about = "The unmodified template.yaml on an emulator of AWS, with IAM enforced: deploys it, tests it, and searches what it left behind."
    parser = argparse.ArgumentParser(prog="infra/emulator/run", description=about, epilog="What follows `--` goes to the test runner.")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end, until Ctrl-C")
    parser.add_argument("--only", action="append", choices=["deploy", *STEPS], help="of the steps after the deployment, only this one")
    options = parser.parse_args(arguments)
    wanted = options.only or STEPS

    # Ctrl-C and `kill` end by the same way as a failure does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    emulator.check_built(ROOT)
    clock = Clock()
    with contextlib.ExitStack() as running:
        running.callback(clock.report)
        folder = pathlib.Path(running.enter_context(tempfile.TemporaryDirectory(prefix="collana-emulator-")))
        with clock.step("build"):
            binaries = build()
        with clock.step("deploy"):
            stack = emulator.Stack(folder)
            running.callback(stack.stop)
            stack.deploy(ROOT, PARAMETERS)
        with clock.step("configure"):
            installed = installation.install(stack, binaries, folder, canaries.CANARIES["secret"])
            running.callback(emulator.stop, installed.sandbox)
        steps = {
            "tests": lambda: tests(installed, passed, clock),
            "iam": lambda: iam.prove(installed, DIFFERENCES["permissions"]),
            "canaries": lambda: canaries.search(installed),
        }
        wrong = []
        for name in (name for name in STEPS if name in wanted):
            with clock.step(name):
                wrong += steps[name]()
        if wrong:
            keep_logs(stack)
        for line in wrong:
            print(f"FAILED    {line}")
        if options.keep:
            stay(installed, folder)
    return 1 if wrong else 0


def split(arguments):
    """What is ours, and what is behind `--`, for the test runner."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def build():
    """The dev server and the command line tool, as the tests have them built: with their features, so nothing is built twice."""
    subprocess.run(["cargo", "test", "--quiet", "--workspace", "--locked", "--no-run"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"


def tests(installed, passed, clock):
    """Runs the tests over HTTP against the stack, with those that compare it with a dev server; answers what went wrong."""
    skipped = [part for test in DIFFERENCES["tests"] for part in ("--skip", test)]
    if shutil.which("cargo-nextest"):
        behind = [] if "--" in passed else ["--"]
        limits = ["--profile", "emulator", "--run-ignored", "all", "--test-threads", str(CALLERS)]
        command = [ROOT / "test", *limits, *passed, *behind, *skipped]
    else:
        limits = ["--include-ignored", "--test-threads", str(CALLERS), "--skip", "project::"]
        command = ["cargo", "test", "--workspace", "--locked", "--test", "e2e", "--", *limits, *skipped, *passed]
    for test, reason in DIFFERENCES["tests"].items():
        print(f"not asked of the emulator: {test}: {reason}")
    clock.closing = "the test runner said nothing"
    environment = os.environ | installed.exports
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.strip().startswith(("Summary [", "test result:")):
                clock.closing = line.strip()
        return [f"tests: {clock.closing}"] if process.wait() else []
    finally:
        emulator.stop(process)


def keep_logs(stack):
    """What the functions have logged, for whoever looks for the reason."""
    file = ROOT / ".cache" / "emulator.log"
    file.write_text("".join(f"{group} {message}\n" for group, message in stack.log_events()))
    print(f"The functions' logs are in {file}.")


def stay(installed, folder):
    """Until Ctrl-C."""
    print(f"\nIt runs until Ctrl-C. Its logs are in {folder}. In another terminal:\n")
    for name, value in (installed.exports | {"AWS_ENDPOINT_URL": installed.stack.url}).items():
        print(f"  export {name}='{value}'")
    print(flush=True)
    with contextlib.suppress(SystemExit):
        signal.pause()


class Clock:
    """Seconds of each step, told at the end, whatever the end is."""

    def __init__(self):
        self.seconds = []
        # The last line of the test runner.
        self.closing = None

    @contextlib.contextmanager
    def step(self, name):
        print(f"==== emulator: {name}", flush=True)
        begin = time.monotonic()
        mark = "FAILED"
        try:
            yield
            mark = ""
        finally:
            self.seconds.append(f"{time.monotonic() - begin:8.1f} s  {name} {mark}".rstrip())

    def report(self):
        print("==== emulator: seconds", *self.seconds, sep="\n")
        if self.closing:
            print(self.closing, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
