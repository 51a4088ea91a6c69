"""Looks for secrets, card numbers and personal data in what a run has left behind: every log event of every function, and the table.

The words are those of tests/canaries.json, which the tests send too, the installation's own secrets and keys, and the card numbers
and names of the tests. Before the real search it looks for words that it has put there itself, so that it cannot be blind.
"""

import base64
import json
import pathlib
import time

from boto3.dynamodb.types import Binary, TypeDeserializer

import installation
from caller import Caller

CANARIES = json.loads((pathlib.Path(__file__).parents[2] / "tests" / "canaries.json").read_text())

# Of the tests' other payments and payers.
CARD_NUMBERS = ["4111111111111111", "4242424242424242", CANARIES["cardNumber"]]
PERSONAL = [CANARIES["emailAddress"], "ada@example.com", "Lovelace"]

# Where what a caller writes about a payer may be: kind of item, and attribute. Any of a DATA item is made for it.
MEANT_FOR_PERSONAL = {
    "DATA": None,
    # What a person wrote about a refund.
    "O#REFUND": {"note"},
    # A webhook that the PSP signed and nobody could read.
    "INBOX": {"unread"},
}


def search(installed):
    """Answers where something is that does not belong there."""
    hidden = Hidden(installed)
    blind = [f"canaries: the search does not see {what}" for what in prove_sight(installed, hidden)]
    send(installed)
    logs, items = installed.stack.log_events(), table(installed)
    wrong = [f"canaries: {name} in the log of {group}" for group, text in logs for name in hidden.in_log(text)]
    wrong += [f"canaries: {name} in {place}" for place, text in items for name in hidden.in_table(place, text)]
    if not any(CANARIES["emailAddress"] in text for _, text in items):
        blind.append("canaries: the e-mail address that was sent is nowhere: nothing was looked at")
    if not any("card-data-not-allowed" in text for _, text in logs):
        blind.append("canaries: the logs do not tell of the card number that was refused: nothing was looked at")
    print(f"{len(logs)} log events and {len(items)} attributes looked through: {len(wrong)} finds")
    return blind + sorted(set(wrong))


class Hidden:
    """The words, each in the forms in which it could stand somewhere."""

    def __init__(self, installed):
        secrets = {"canary secret": CANARIES["secret"]} | installed.secrets
        for name, key in (("API key", installed.key), ("reading API key", installed.read_key)):
            # The id of a key is no secret; what stands behind it is.
            secrets |= {name: key, f"secret of the {name}": key.split("_")[3]}
        webhooks = {name: text for name, text in installed.secrets.items() if text.startswith("whsec_")}
        secrets |= {f"base64 of {name}": text.removeprefix("whsec_") for name, text in webhooks.items()}
        cards = {f"card number {number[:6]}…": number for number in CARD_NUMBERS}
        self.nowhere = {name: forms(text) for name, text in (secrets | cards).items()}
        self.personal = {text: forms(text) for text in PERSONAL}

    def in_log(self, text):
        return found(self.nowhere | self.personal, text)

    def in_table(self, place, text):
        item, attribute = place
        attributes = next((names for kind, names in MEANT_FOR_PERSONAL.items() if item.startswith(kind)), ())
        is_meant = attributes is None or attribute in attributes
        return found(self.nowhere if is_meant else self.nowhere | self.personal, text)


def found(words, text):
    text = text.lower()
    return [name for name, forms in words.items() if any(form in text for form in forms)]


def forms(text):
    """Plain, grouped, escaped, in hexadecimal digits, and as it stands in any base64; in lower case."""
    groups = [text[at : at + 4] for at in range(0, len(text), 4)]
    kinds = [text, " ".join(groups), "-".join(groups), text.replace("@", "%40"), text.replace("@", "\\u0040"), text.encode().hex()]
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + text.encode()).decode().rstrip("=")
        # Characters that hold bits of the neighbours are left out.
        kinds.append(encoded[(0, 2, 3)[shift] : len(encoded) - ((shift + len(text)) % 3 != 0)])
    return [kind.lower() for kind in kinds]


def send(installed):
    """An e-mail address where it belongs, a card number where it is refused."""
    caller = Caller(installed)
    email, card = CANARIES["emailAddress"], CANARIES["cardNumber"]
    address = {"familyName": "Lovelace", "emailAddress": email}
    caller.imported(caller.payment(), customerEmailAddress=email, billingAddress=address, metaData={"contact": email})
    payment = caller.payment()
    body = {"connection": installation.CONNECTION, "pspReference": payment["id"], "merchantReference": f"card {card}"}
    caller.call("POST", "/v1/transactions/import", body | {"amount": "49.90", "currency": "EUR"}, expect=422)


def table(installed):
    """Every attribute of every item as text, with the kind of the item and the attribute's name."""
    read = TypeDeserializer().deserialize
    attributes = []
    for page in installed.stack.client("dynamodb").get_paginator("scan").paginate(TableName=installed.stack.table):
        for item in page["Items"]:
            kind = item["sk"]["S"]
            attributes += [((kind, name), text_of(read(value))) for name, value in item.items()]
    return attributes


def text_of(value):
    if isinstance(value, Binary | bytes):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return " ".join(f"{name} {text_of(inner)}" for name, inner in value.items())
    if isinstance(value, list | set):
        return " ".join(map(text_of, value))
    return str(value)


def prove_sight(installed, hidden):
    """Puts each word into a log and into the table, and answers which of them the search does not find there."""
    words = [*installed.secrets.values(), installed.key, *CARD_NUMBERS, *PERSONAL]
    logs, database = installed.stack.client("logs"), installed.stack.client("dynamodb")
    group, stream, key = "/planted", "planted", {"pk": {"S": "planted"}, "sk": {"S": "HEAD"}}
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": json.dumps({"message": f"customer {word}."})} for word in words]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    encoded = {f"b{number}": {"B": word.encode()} for number, word in enumerate(words)}
    nested = {f"m{number}": {"M": {"a": {"L": [{"S": f"<{word}>"}]}}} for number, word in enumerate(words)}
    database.put_item(TableName=installed.stack.table, Item=key | encoded | nested)
    seen_log = [text for where, text in installed.stack.log_events() if where == group and hidden.in_log(text)]
    seen_table = [place for place, text in table(installed) if place[1][1:].isdigit() and hidden.in_table(place, text)]
    database.delete_item(TableName=installed.stack.table, Key=key)
    logs.delete_log_group(logGroupName=group)
    unseen = [] if len(seen_log) == len(words) else [f"{len(words) - len(seen_log)} planted words in a log"]
    return unseen + ([] if len(seen_table) == 2 * len(words) else [f"{2 * len(words) - len(seen_table)} planted words in the table"])
