"""Signs a webhook with Stripe's own SDK: SECRET and TIMESTAMP as arguments, the body on standard input, the header out."""

import sys

import stripe

secret, timestamp = sys.argv[1:]
print(stripe.WebhookSignature.generate_signature_header(sys.stdin.read(), secret, int(timestamp)))
