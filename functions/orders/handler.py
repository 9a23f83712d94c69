"""AWS Lambda entry point: a patient's orders."""

from functions.orders.routes import router
from shared.http import create_app, lambda_handler

app = create_app("orders", router)
handler = lambda_handler(app)
