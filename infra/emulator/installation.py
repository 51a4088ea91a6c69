"""A space that can be called: the sandbox PSP beside the stack, and what `collana` makes of one settings file."""

import base64
import dataclasses
import os
import secrets
import subprocess
import sys

import stack as emulator

# Not 1, which is the dev server's: nothing may depend on the number.
SPACE = 7
CONNECTION = "sandbox"
# Leads to the few answers of Stripe that `iam` gives.
STRIPE_CONNECTION = "stripe"


@dataclasses.dataclass
class Installation:
    stack: emulator.Stack
    sandbox: subprocess.Popen
    sandbox_url: str
    # API keys: one with all scopes, one that only reads.
    key: str
    read_key: str
    # What the settings file's references stand for.
    secrets: dict
    stripe_port: int
    # The operators' tool, led to the stack.
    collana: "Collana"

    @property
    def exports(self):
        """What leads the tests, and people, to it."""
        return {
            "API_URL": self.stack.api_url,
            "API_KEY": self.key,
            "API_READ_KEY": self.read_key,
            "API_SPACE": str(SPACE),
            "API_WEBHOOK_SECRET": self.webhook_secret,
            "COLLANA": " ".join(map(str, self.collana.command)),
            "SANDBOX_URL": self.sandbox_url,
            **emulator.CREDENTIALS,
        }

    @property
    def webhook_secret(self):
        """What the sandbox signs with."""
        return self.secrets["SANDBOX_WEBHOOK_SECRET"]


def install(stack, binaries, folder, canary):
    """Starts the sandbox and configures a space, from one file and with the same secrets."""
    port, stripe_port = emulator.free_port(), emulator.free_port()
    sandbox_url = f"http://127.0.0.1:{port}/sandbox"
    values = {
        "SANDBOX_SECRET_KEY": f"sk_sandbox_{canary}_{secrets.token_hex(8)}",
        "SANDBOX_WEBHOOK_SECRET": webhook_secret(),
        "STRIPE_SECRET_KEY": f"sk_test_{canary}_{secrets.token_hex(8)}",
        "STRIPE_WEBHOOK_SECRET": webhook_secret(),
    }
    file = folder / "space.toml"
    names = {"space": SPACE, "sandbox": CONNECTION, "sandbox_url": sandbox_url, "stripe": STRIPE_CONNECTION, "stripe_port": stripe_port}
    file.write_text(SETTINGS.format(**names))
    environment = os.environ | values

    command = [binaries / "dev-server", "--sandbox-only", "--api-url", stack.api_url, "--port", str(port), "--config", file]
    with (folder / "sandbox.log").open("w") as log:
        sandbox = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True)
    try:
        if not sandbox.stdout.readline():
            sys.exit(f"emulator: the sandbox did not start:\n{(folder / 'sandbox.log').read_text()}")
        collana = Collana(binaries / "collana", stack, environment)
        collana.run("apply", "-f", file, "--yes")
        key, read_key = collana.key("tests"), collana.key("readers", "read")
    except BaseException:
        emulator.stop(sandbox)
        raise
    return Installation(stack, sandbox, sandbox_url, key, read_key, values, stripe_port, collana)


def webhook_secret():
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


# The sandbox's account and the connection to it come from the same lines.
SETTINGS = """\
[[space]]
id = {space}
name = "Emulator"

[[space.connection]]
name = "{sandbox}"
psp = "sandbox"
settings = {{ baseUrl = "{sandbox_url}" }}
credentials = {{ secretKey = {{ env = "SANDBOX_SECRET_KEY" }}, webhookSecret = {{ env = "SANDBOX_WEBHOOK_SECRET" }} }}

[[space.connection]]
name = "{stripe}"
psp = "stripe"
settings = {{ baseUrl = "http://127.0.0.1:{stripe_port}", livemode = false }}
credentials = {{ secretKey = {{ env = "STRIPE_SECRET_KEY" }}, webhookSecret = {{ env = "STRIPE_WEBHOOK_SECRET" }} }}
"""


class Collana:
    """The command line tool, led to the emulator as an operator would lead it to AWS."""

    def __init__(self, binary, stack, environment):
        self.command = [binary, "--stage", emulator.STAGE, "--endpoint-url", stack.url]
        self.environment = environment | emulator.CREDENTIALS

    def run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"emulator: `collana {' '.join(map(str, arguments))}` failed with {done.returncode}")
        return done.stdout

    def key(self, client, scopes="import,read,capture,refund,void,transactions,admin"):
        """A new API key."""
        return self.run("key", "issue", "--space", str(SPACE), "--client", client, "--scopes", scopes).strip()
