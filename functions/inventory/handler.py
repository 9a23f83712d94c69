"""AWS Lambda entry point: the shelf, for staff."""

from functions.inventory.routes import router
from shared.http import create_app, lambda_handler

app = create_app("inventory", router)
handler = lambda_handler(app)
