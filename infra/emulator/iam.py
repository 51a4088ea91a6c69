"""Proves that each function's role holds what the function needs, and nothing more.

With IAM enforced, each action on each resource of each role is taken away alone; the function gets fresh environments, which have
nothing in memory; then a short flow through it must fail. In the end everything is put back and all flows must pass. What nothing
misses is not needed, and a failure here: it is to be taken out of template.yaml.
"""

import copy
import http.server
import json
import pathlib
import threading
import time

import installation
from caller import Caller, Missed, check

# Seconds that all of it may take. Half of it is usual on two busy cores.
LIMIT = 180

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def prove(installed, not_missed):
    """Prints a table, and answers what is wrong; `not_missed` are permissions whose absence the emulator does not notice."""
    with Stripe(installed.stripe_port):
        return Proof(installed, not_missed).run()


class Proof:
    def __init__(self, installed, not_missed):
        self.caller = Caller(installed)
        self.stack = installed.stack
        self.not_missed = not_missed
        self.roles = self.stack.client("iam")
        self.functions = self.stack.client("lambda")
        self.physical = self.stack.resources("AWS::Lambda::Function")
        self.covered = [name for name in FLOWS if name in self.physical]

    def run(self):
        wrong = [f"iam: no flow leads through {name}: write one in infra/emulator/iam.py" for name in self.physical if name not in FLOWS]
        begin = time.monotonic()
        wrong += self.fails_with_everything("before")
        for function in self.covered:
            for policy, document, permission in list(self.permissions(function)):
                if time.monotonic() - begin > LIMIT:
                    return [*wrong, f"iam: not done after {LIMIT} s, at {permission.action} of {function}"]
                said, is_wrong = self.without(function, policy, document, permission)
                place = permission.resource.rpartition(":")[2].replace(self.stack.table, "Table")
                print(f"{function:<20}{permission.action:<23}{place:<26}{said}", flush=True)
                if is_wrong:
                    wrong.append(f"iam: {function} does not need {permission.action} on {place}")
        return wrong + self.fails_with_everything("after")

    def fails_with_everything(self, when):
        """All flows, with nothing taken away."""
        missed = {function: self.missed(function) for function in self.covered}
        return [f"iam: {when} anything was taken away, {function}: {what}" for function, what in missed.items() if what]

    def missed(self, function):
        """What the first flow through it says that does not go as it should; none if all of them do."""
        try:
            for flow in FLOWS[function]:
                self.refresh(function)
                flow(self.caller)
        except Missed as missed:
            return missed
        return None

    def permissions(self, function):
        """What the role's own policies permit, each action on each resource by itself."""
        role = self.role(function)
        for policy in self.roles.list_role_policies(RoleName=role)["PolicyNames"]:
            document = self.roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for number, statement in enumerate(document["Statement"]):
                for action in as_list(statement["Action"]):
                    for resource in as_list(statement["Resource"]):
                        yield policy, document, Permission(number, action, resource)

    def without(self, function, policy, document, permission):
        """Takes one permission away, and answers what came of it, and whether that is wrong."""
        self.put(function, policy, permission.taken_from(document))
        missed = self.missed(function)
        self.put(function, policy, document)
        if missed:
            return f"missed: {missed}", False
        reason = self.not_missed.get(permission.action) or self.not_missed.get(f"{function} {permission.action}")
        return (f"not missed: {reason}", False) if reason else ("NOT NEEDED", True)

    def put(self, function, policy, document):
        self.roles.put_role_policy(RoleName=self.role(function), PolicyName=policy, PolicyDocument=json.dumps(document))

    def refresh(self, function):
        """Ends the environments that run, as any change of the configuration does."""
        name = self.physical[function]
        memory = self.functions.get_function_configuration(FunctionName=name)["MemorySize"]
        self.functions.update_function_configuration(FunctionName=name, MemorySize=memory ^ 1)
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})

    def role(self, function):
        arn = self.functions.get_function_configuration(FunctionName=self.physical[function])["Role"]
        return arn.rpartition("/")[2]


class Permission:
    """One action on one resource, in a statement of a policy."""

    def __init__(self, number, action, resource):
        self.number, self.action, self.resource = number, action, resource

    def taken_from(self, document):
        """The document without it: the rest of its statement stays."""
        statements = copy.deepcopy(document["Statement"])
        statement = statements.pop(self.number)
        actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
        others = [action for action in actions if action != self.action]
        if others:
            statements.append(statement | {"Action": others})
        elsewhere = [resource for resource in resources if resource != self.resource]
        if elsewhere:
            statements.append(statement | {"Action": self.action, "Resource": elsewhere})
        # A policy has at least one statement.
        return document | {"Statement": statements or [{"Effect": "Deny", "Action": "none:None", "Resource": "*"}]}


def as_list(value):
    return value if isinstance(value, list) else [value]


# ---- Flows: each leads through one function and asks of it what it is for.


def authorizer(caller):
    # The gateway keeps what it was told of a header. More blanks make it another header with the same key.
    blanks = " " * next(caller.count)
    caller.call("GET", "/v1/psps", expect=200, authorization=f"Bearer {blanks}{caller.installed.key}")


def imports(caller):
    payment = caller.payment()
    first = caller.imported(payment)
    again = caller.imported(payment, expect=200)
    check(again["id"] == first["id"], "a second import is another transaction")
    mistaken = caller.payment()
    failed = caller.imported(mistaken, state="IMPORT_FAILED", amount="49.91")
    corrected = caller.imported(mistaken, expect=200)
    check(corrected["id"] == failed["id"], "a corrected import is another transaction")
    # One payment under two references: a charge gives way to the payment intent that it belongs to.
    known = caller.imported(of_stripe("pi", number := caller.unique("").replace("-", "")), connection=installation.STRIPE_CONNECTION)
    same = caller.imported(of_stripe("ch", number), connection=installation.STRIPE_CONNECTION, expect=200)
    check(known["id"] == same["id"], "a payment and its charge are two transactions")


def status(caller):
    payment = caller.payment()
    path = transaction(caller, payment)
    capture = caller.command(f"{path}/captures", {"amount": "20.00", "merchantReference": payment["merchantReference"]})
    refund = caller.command(f"{path}/refunds", {"amount": "1.00"})
    caller.call("GET", path, expect=200)
    caller.call("GET", f"{path}/captures/{capture['id']}", expect=200)
    caller.call("GET", f"{path}/refunds/{refund['id']}", expect=200)
    caller.call("GET", f"{path}/voids/{refund['id']}", expect=404)
    for query in ("", f"merchantReference={payment['merchantReference']}", f"pspReference={payment['id']}", "state=AUTHORIZED&limit=2"):
        listed = caller.call("GET", f"/v1/transactions?{query}", expect=200)
        check(listed["transactions"], f"a search for {query!r} finds nothing")


def capture(caller):
    path = transaction(caller, caller.payment())
    body, key = {"amount": "20.00"}, caller.unique("key")
    for expect in (201, 200):
        done = caller.call("POST", f"{path}/captures", body, expect=expect, key=key)
        check(done["state"] == "SUCCESSFUL", f"the capture is {done['state']}")
    # In doubt, and a command that is stopped by it.
    caller.command(f"{path}/captures", {"amount": "13.03", "final": True})
    caller.command(f"{path}/captures", {"amount": "1.00"}, expect=(201, 409))


def refund(caller):
    path = transaction(caller, caller.payment())
    captured = caller.command(f"{path}/captures", {"amount": "20.00"})
    body, key = {"amount": "1.00"}, caller.unique("key")
    for expect in (201, 200):
        done = caller.call("POST", f"{path}/refunds", body, expect=expect, key=key)
        check(done["state"] == "SUCCESSFUL", f"the refund is {done['state']}")
    bound = caller.command(f"{path}/refunds", {"amount": "2.00", "captureId": captured["id"]})
    check(bound["state"] == "SUCCESSFUL", f"the refund of a named capture is {bound['state']}")


def void(caller):
    path = transaction(caller, caller.payment())
    caller.command(f"{path}/captures", {"amount": "20.00", "final": False})
    key = caller.unique("key")
    for expect in (201, 200):
        done = caller.call("POST", f"{path}/voids", {}, expect=expect, key=key)
        check(done["state"] == "SUCCESSFUL", f"the void is {done['state']}")


def webhook(caller):
    payment = caller.payment(status="pending")
    path = transaction(caller, payment, "PROCESSING")
    caller.at_sandbox("POST", f"/payments/{payment['id']}/authorize", expect=200)
    event = caller.webhook("payment.authorized", payment)
    # The sandbox tells of it too: one of the two is first.
    for _ in range(20):
        state = caller.call("GET", path, expect=200)["state"]
        if state == "AUTHORIZED":
            break
        time.sleep(0.1)
    check(state == "AUTHORIZED", f"after its webhook the transaction is {state}")
    table = caller.installed.stack.client("dynamodb")
    item = table.get_item(TableName=caller.installed.stack.table, Key=inbox(event))["Item"]
    check("processedOn" in item and "due" not in item, "the webhook is stored and waits")
    caller.webhook("payment.authorized", payment, event)
    # Nobody has imported this one: its webhook is parked.
    caller.webhook("payment.authorized", {"id": caller.unique("sb").replace("-", "")})


def reconcile(caller):
    path = transaction(caller, caller.payment())
    lost = caller.command(f"{path}/captures", {"amount": "13.02"})
    check(lost["state"] == "UNKNOWN", f"a capture that got lost is {lost['state']}")
    state = caller.call("POST", f"{path}/reconcile", {}, expect=200)["captures"][0]["state"]
    check(state == "SUCCESSFUL", f"a capture that was sent again is {state}")


def resolve(caller):
    path, lost = manual_check(caller)
    seen = {"state": "SUCCESSFUL", "amount": "5.00", "note": "seen"}
    for _ in range(2):
        settled = caller.call("POST", f"{path}/captures/{lost['id']}/resolve", seen, expect=200)
        check(settled["state"] == "SUCCESSFUL", f"a capture that a person has settled is {settled['state']}")


def schedule(caller):
    """A webhook that could not be processed when it came is processed by what the schedule does every minute."""
    payment = caller.payment()
    transaction(caller, payment)
    fault = {"on": "read", "fault": "error-503", "payment": payment["id"]}
    caller.at_sandbox("POST", "/faults", fault | {"times": 50}, expect=200)
    key = inbox(caller.webhook("payment.authorized", payment))
    caller.at_sandbox("POST", "/faults", fault | {"times": 0}, expect=200)
    stack = caller.installed.stack
    item = {"TableName": stack.table, "Key": key}
    table = stack.client("dynamodb")
    due = table.get_item(**item)["Item"].get("due")
    check(due, "the webhook does not wait")
    # Nobody waits until it is time.
    table.update_item(**item, UpdateExpression="SET due = :past", ExpressionAttributeValues={":past": {"S": "0" * len(due["S"])}})
    name = stack.resources("AWS::Lambda::Function")["ReconcileFunction"]
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"source": "aws.events"}))
    check("FunctionError" not in answer, f"the invocation failed: {answer['Payload'].read().decode()}")
    check("processedOn" in table.get_item(**item)["Item"], "the webhook still waits")


def inbox(event):
    """The key of the item that a webhook is stored as."""
    return {"pk": {"S": f"S#{installation.SPACE}#W#{installation.CONNECTION}#{event}"}, "sk": {"S": "INBOX"}}


def manual_check(caller):
    """A transaction's path, and a capture of it that waits for a person."""
    payment = caller.payment()
    path = transaction(caller, payment)
    # The PSP never hears of this one; somebody captures another amount there by hand, and takes its reference for it.
    lost = caller.command(f"{path}/captures", {"amount": "13.02"})
    check(lost["state"] == "UNKNOWN", f"a capture that got lost is {lost['state']}")
    reference = f"{installation.SPACE}-{path.rpartition('/')[2]}-{lost['id']}"
    caller.back_office(payment, "captures", {"amount": "5.00", "currency": "EUR", "reference": reference})
    caller.webhook("capture.succeeded", payment)
    state = caller.call("GET", f"{path}/captures/{lost['id']}", expect=200)["state"]
    check(state == "MANUAL_CHECK", f"a capture of which the PSP has another amount is {state}")
    return path, lost


def waits_for_person(blocked):
    """Who is held back by what only a person can decide is not told when to come back."""

    def flow(caller):
        path, _ = manual_check(caller)
        caller.command(f"{path}/{blocked}", {"amount": "1.00", "final": True} if blocked == "captures" else {}, expect=409)
        check(caller.retry_after is None, f"told to come back after {caller.retry_after} s, though it waits for a person")

    return flow


def pays(method, path, expect):
    """Who asks more often than an environment allows for nothing takes tokens from the bucket of the space, in a fresh one at once."""

    def flow(caller):
        table = caller.installed.stack.client("dynamodb")
        bucket = {"TableName": caller.installed.stack.table, "Key": {"pk": {"S": f"L#{installation.SPACE}"}, "sk": {"S": "BUCKET"}}}
        table.delete_item(**bucket)
        for _ in range(20):
            caller.call(method, path, expect=expect)
            if "Item" in table.get_item(**bucket):
                return
        raise Missed("nobody has taken tokens from the bucket of the space")

    return flow


def transaction(caller, payment, state="AUTHORIZED"):
    whole = caller.imported(payment)
    check(whole["state"] == state, f"the imported transaction is {whole['state']}")
    return f"/v1/transactions/{whole['id']}"


# Of each function; every one begins with fresh environments.
FLOWS = {
    "AuthorizerFunction": [authorizer],
    "ImportFunction": [imports, pays("POST", "/v1/transactions/import", 400)],
    "StatusFunction": [status, pays("GET", "/v1/psps", 200)],
    "CaptureFunction": [capture, waits_for_person("captures"), pays("POST", "/v1/transactions/1/captures", 400)],
    "RefundFunction": [refund, pays("POST", "/v1/transactions/1/refunds", 400)],
    "VoidFunction": [void, waits_for_person("voids"), pays("POST", "/v1/transactions/1/voids", 400)],
    "PspWebhookFunction": [webhook],
    "ReconcileFunction": [reconcile, resolve, schedule, pays("POST", "/v1/transactions/none/reconcile", 400)],
}


def of_stripe(prefix, number):
    return {"id": f"{prefix}_{number}", "amount": "49.90", "currency": "EUR", "merchantReference": "SO-1"}


class Stripe:
    """As much of Stripe as an import asks: a payment intent `pi_X` and its charge `ch_X`, whatever X is."""

    def __init__(self, port):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), StripeAnswer)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class StripeAnswer(http.server.BaseHTTPRequestHandler):
    # What the adapter's own tests are given.
    INTENT = json.loads((ROOT / "shared/psp/src/stripe/fixtures/payment_intent.json").read_text())

    def do_GET(self):
        number = self.path.partition("?")[0].rpartition("_")[2]
        charge = self.INTENT["latest_charge"] | {"id": f"ch_{number}", "payment_intent": f"pi_{number}"}
        answer = charge if "/charges/" in self.path else self.INTENT | {"id": f"pi_{number}", "latest_charge": charge}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
