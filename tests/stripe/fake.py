"""A Stripe to test against: localstripe, which somebody else wrote, on loopback and in memory.

Its payments, charges and refunds are its own. Added is what Stripe's answers have and localstripe leaves out, computed from
localstripe's own objects: `amount_received` and `amount_capturable` of a payment intent, `amount_captured` of a charge, the
code of "not found"; `metadata` and `final_capture=true` are taken on a capture. And the requests are kept, so that a test
can see what was asked. It knows no idempotency keys and refuses little: tests of those run elsewhere.

Prints its address as one line of JSON when it listens.
"""

import asyncio
import json

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError

requests = []


def released(charge):
    """localstripe books what a partial capture releases as a refund that belongs to no payment intent."""
    refunds = [o for o in resources.store.values() if o.object == 'refund' and o.charge == charge.id]
    return sum(refund.amount for refund in refunds if refund.payment_intent is None)


def amount_captured(charge):
    return charge.amount - released(charge) if charge.captured else 0


def amount_received(intent):
    return amount_captured(intent.latest_charge) if intent.latest_charge else 0


def amount_capturable(intent):
    return intent.amount if intent.status == 'requires_capture' else 0


def capture(id, metadata=None, final_capture='true', **data):
    if final_capture != 'true':
        raise UserError(400, 'multicapture was not granted')
    intent = resources.PaymentIntent._api_capture(id, **data)
    intent.metadata.update(metadata or {})
    return intent


def extend():
    """Before the server is imported, because it takes its routes from here."""
    resources.Store.dump_to_disk = lambda self: None
    resources.Charge.amount_captured = property(amount_captured)
    resources.PaymentIntent.amount_received = property(amount_received)
    resources.PaymentIntent.amount_capturable = property(amount_capturable)
    captures = '/v1/payment_intents/{id}/capture'
    resources.extra_apis[:] = [
        (method, path, capture if path == captures else function) for method, path, function in resources.extra_apis
    ]


@web.middleware
async def keep(request, handler):
    if not request.path.startswith('/_config/'):
        requests.append(f'{request.method} {request.path}')
    return await handler(request)


@web.middleware
async def name_not_found(request, handler):
    try:
        return await handler(request)
    except UserError as error:
        if error.code == 404:
            error.body['error']['code'] = 'resource_missing'
        raise


async def show_requests(request):
    return web.json_response(requests)


async def main():
    extend()
    from localstripe import server

    server.app.middlewares.append(keep)
    server.app.middlewares.append(name_not_found)
    server.app.router.add_get('/_config/requests', show_requests)
    runner = web.AppRunner(server.app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    print(json.dumps({'url': f'http://127.0.0.1:{runner.addresses[0][1]}'}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
