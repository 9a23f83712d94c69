"""AWS Lambda entry point: the product catalogue."""

from functions.catalog.routes import catalogue_problem, router
from shared.http import create_app, lambda_handler

app = create_app("catalog", router, render_problem=catalogue_problem)
handler = lambda_handler(app)
