"""AWS Lambda entry point: what the warehouse partner reports."""

from functions.webhooks.routes import BODY_LIMIT, router
from functions.webhooks.settings import get_webhook_settings
from shared.http import create_app, lambda_handler

get_webhook_settings()  # without the partner's secrets this function must not start
app = create_app("webhooks", router, body_limit=BODY_LIMIT)
handler = lambda_handler(app)
