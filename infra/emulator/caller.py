"""Calls the deployed API as an ERP, a shop and a PSP do, and tells what was not as it should be."""

import base64
import hashlib
import hmac
import itertools
import json
import time
import urllib.error
import urllib.request

import installation


class Missed(Exception):
    """A call was answered otherwise than it should be."""


class Caller:
    def __init__(self, installed):
        self.installed = installed
        self.count = itertools.count(1)
        # Keys of one run do not meet those of another on a stack that is kept.
        self.run = f"{time.time_ns():x}"
        # What the last answer said about when to come back, if it did.
        self.retry_after = None

    def unique(self, what):
        return f"{what}-{self.run}-{next(self.count)}"

    def call(self, method, path, body=None, *, expect, key=None, authorization=None):
        """Sends a request of the space's key; `expect` is the status, or several."""
        headers = {"authorization": authorization or f"Bearer {self.installed.key}", "content-type": "application/json"}
        if key:
            headers["idempotency-key"] = key
        return self._send(self.installed.stack.api_url, method, path, headers, body, expect)

    def command(self, path, body, expect=201):
        return self.call("POST", path, body, expect=expect, key=self.unique("key"))

    def payment(self, **words):
        """A payment as a shop's plugin makes it: authorized, unless the words say otherwise."""
        body = {"amount": "49.90", "currency": "EUR", "merchantReference": self.unique("SO"), "captureMode": "manual"} | words
        return self.at_sandbox("POST", "/payments", body, expect=201)

    def at_sandbox(self, method, path, body=None, *, expect):
        return self._send(self.installed.sandbox_url, method, path, {}, body, expect)

    def imported(self, payment, *, state="IMPORT_COMPLETED", expect=201, **words):
        """Imports a payment and expects that state; answers the transaction."""
        names = ("amount", "currency", "merchantReference")
        body = {"connection": installation.CONNECTION, "pspReference": payment["id"]} | {name: payment[name] for name in names} | words
        answer = self.call("POST", "/v1/transactions/import", body, expect=expect)
        check(answer["importState"] == state, f"the import is {answer['importState']}, not {state}")
        return answer

    def webhook(self, kind, payment, event=None):
        """The sandbox's webhook about a payment, signed as Standard Webhooks says; answers its id."""
        event, now = event or self.unique("msg"), str(int(time.time()))
        body = json.dumps({"type": kind, "timestamp": "2026-11-22T10:00:00Z", "data": {"paymentId": payment["id"]}}).encode()
        secret = base64.b64decode(self.installed.webhook_secret.removeprefix("whsec_"))
        signature = hmac.new(secret, f"{event}.{now}.".encode() + body, hashlib.sha256).digest()
        headers = {"webhook-id": event, "webhook-timestamp": now, "content-type": "application/json"}
        headers["webhook-signature"] = f"v1,{base64.b64encode(signature).decode()}"
        path = f"/v1/webhooks/{installation.SPACE}/{installation.CONNECTION}"
        self._send(self.installed.stack.api_url, "POST", path, headers, body, 200)
        return event

    def back_office(self, payment, kind, body):
        """A command that somebody gives at the PSP by hand, with the account's own key."""
        headers = {"authorization": f"Bearer {self.installed.secrets['SANDBOX_SECRET_KEY']}", "idempotency-key": self.unique("office")}
        headers["content-type"] = "application/json"
        return self._send(self.installed.sandbox_url, "POST", f"/v1/payments/{payment['id']}/{kind}", headers, body, 201)

    def _send(self, url, method, path, headers, body, expect):
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                status, text, answered = response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            status, text, answered = error.code, error.read(), error.headers
        except OSError as error:
            raise Missed(f"{method} {path} had no answer: {error}") from error
        self.retry_after = answered["retry-after"]
        expected = (expect,) if isinstance(expect, int) else expect
        check(status in expected, f"{method} {path} answered {status}")
        return json.loads(text) if text else {}


def check(holds, otherwise):
    if not holds:
        raise Missed(otherwise)
