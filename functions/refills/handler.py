"""AWS Lambda entry point: refills, of a patient and for staff."""

from functions.refills.routes import router
from shared.http import create_app, lambda_handler

app = create_app("refills", router)
handler = lambda_handler(app)
