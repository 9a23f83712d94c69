"""AWS Lambda entry point: prescriptions, their review, and the clinical rules."""

from functions.prescriptions import routes, upload_routes
from shared.http import create_app, lambda_handler

app = create_app(
    "prescriptions",
    routes.router,
    upload_routes.router,
    larger_bodies={"/api/prescriptions/upload": upload_routes.UPLOAD_BODY_LIMIT},
)
handler = lambda_handler(app)
