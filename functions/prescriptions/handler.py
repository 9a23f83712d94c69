"""AWS Lambda entry point: prescriptions, their review, and the clinical rules."""

from functions.prescriptions.routes import router
from shared.http import create_app, lambda_handler

app = create_app("prescriptions", router)
handler = lambda_handler(app)
