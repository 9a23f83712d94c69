"""AWS Lambda entry point: health, and the answer to addresses that no function serves.

The gateway sends here whatever matches no route of its own; the app knows none of it either and says 404
in the form every other error has.
"""

from functions.health.routes import router
from shared.http import create_app, lambda_handler

app = create_app("health", router)
handler = lambda_handler(app)
